"""Pictures side by side, for the notebooks."""

import matplotlib.pyplot as plt

from common.photos import read_photo

# Of a picture, in inches, and dots an inch.
WIDTH, RESOLUTION = 4.0, 80


def show(pictures, columns=None, width=WIDTH):
    """Show photos in rows.

    Args:
        pictures: caption -> a path, a PIL image or an array.
        columns: pictures a row; default: all in one.
        width: of a picture, in inches.
    """
    photos = {caption: read_photo(photo) if isinstance(photo, str) else photo for caption, photo in pictures.items()}
    columns = columns or len(photos)
    rows = -(-len(photos) // columns)
    figure, axes = plt.subplots(rows, columns, figsize=(columns * width, rows * width * 0.75), squeeze=False, dpi=RESOLUTION)
    for axis in axes.flat:
        axis.axis("off")
    for axis, (caption, photo) in zip(axes.flat, photos.items(), strict=False):
        axis.imshow(photo)
        axis.set_title(caption, fontsize=10)
    figure.tight_layout(pad=0.3)
    plt.show()
