"""Photos: files to arrays and back, folders of them, and (`crops`, which imports Keras) the pieces that training takes.

Films too: `films` reads, `film_writer` writes, `cuts` tells one shot from the next. PyAV is imported when a film is opened.
"""

from common.photos.files import (
    READABLE,
    WRITERS,
    flatten,
    photo_paths,
    photos_among,
    read_photo,
    read_rgb,
    require_photo,
    require_writable,
    write_photo,
)
from common.photos.pixels import (
    IMAGE_CHANNELS,
    MINIMUM_SIZE,
    Photo,
    as_floats,
    enlarge_to_side,
    pad_to_multiple,
    pixels_of,
    recoloured,
    shrink_to_multiple,
    shrink_to_side,
)

__all__ = [
    "IMAGE_CHANNELS",
    "MINIMUM_SIZE",
    "READABLE",
    "WRITERS",
    "Photo",
    "as_floats",
    "enlarge_to_side",
    "flatten",
    "pad_to_multiple",
    "photo_paths",
    "photos_among",
    "pixels_of",
    "read_photo",
    "read_rgb",
    "recoloured",
    "require_photo",
    "require_writable",
    "shrink_to_multiple",
    "shrink_to_side",
    "write_photo",
]
