"""How much of one photo another has kept: its structure and edges, and its style."""

import numpy as np

# Of the teacher whose features tell how close two photos are in style: relu1_1, relu2_1 and relu3_1 of VGG.
JUDGED_LEVELS = 3


def luminance_ssim(photo, other):
    """Structural similarity (Wang et al. 2004) of the luminance of two uint8 photos: 1 for the same photo."""
    return ssim(luminance(photo), luminance(other))


def edge_ssim(photo, other):
    """Structural similarity of the Sobel edges of two uint8 photos: 1 for the same photo."""
    from skimage.filters import sobel

    return ssim(sobel(luminance(photo)), sobel(luminance(other)))


def luminance(photo):
    """Luminance of a uint8 photo, `(height, width)`, in [0, 1]."""
    from skimage.color import rgb2gray

    return rgb2gray(photo)


def ssim(image, other):
    """Structural similarity of two images `(height, width)` of values in [0, 1]."""
    from skimage.metrics import structural_similarity

    return float(structural_similarity(image, other, data_range=1.0))


def frechet_distance(first, second):
    """Squared Fréchet distance between the Gaussians of two `common.transfer.transforms.Statistics` (Dowson & Landau 1982).

    |m - m'|^2 + tr(K + K' - 2 (K^1/2 K' K^1/2)^1/2): one number for the distance in mean and in covariance.
    """
    from common.transfer.transforms import matrix_power

    root = matrix_power(first.covariance, 0.5)
    shared = np.linalg.eigvalsh(root @ second.covariance @ root).clip(min=0)
    gap = first.mean - second.mean
    return max(0.0, gap @ gap + np.trace(first.covariance + second.covariance) - 2 * np.sqrt(shared).sum())


def style_distance(result, style, content):
    """How far a result is from its style, as a share of how far its content was: 0 is the style's look, 1 the content's.

    Mean over levels of the root of the ratio of `frechet_distance`; each argument is a list of `Statistics` by level.
    """
    levels = zip(result, style, content, strict=True)
    return float(np.mean([np.sqrt(frechet_distance(r, s) / frechet_distance(c, s)) for r, s, c in levels]))


def look(teacher, photo):
    """The style of a uint8 photo: `Statistics` of the teacher's feature at the judged levels."""
    from common.transfer.transforms import statistics

    features, _ = teacher.encode(photo[None].astype(np.float32) / 255, JUDGED_LEVELS - 1)
    return [statistics(feature[0]) for feature in features]


# Where glows show: both photos are smoothed by this share of the longer side, so that grain does not count; the content is
# flat below a gradient of `FLAT` and has a strong edge above `STRONG_EDGE` (Sobel's, of luminance in [0, 1]); beside is
# within this share of the longer side.
SMOOTHING, FLAT, STRONG_EDGE, BESIDE = 1 / 400, 0.003, 0.2, 1 / 50


def glow(result, content):
    """Gradient that a result adds where its content is flat beside a strong edge, in grey levels a pixel; both uint8.

    A halo along a roof or a skyline is such a gradient. NaN where the content has no such place. Gradients are finer the
    larger a photo is: compare at equal size.
    """
    from scipy.ndimage import distance_transform_edt, gaussian_filter
    from skimage.filters import sobel

    longer = max(content.shape)

    def gradient(photo):
        return sobel(gaussian_filter(luminance(photo), SMOOTHING * longer))

    edges = sobel(luminance(content)) > STRONG_EDGE
    there = (gradient(content) < FLAT) & edges.any() & (distance_transform_edt(~edges) <= BESIDE * longer)
    if not there.any():
        return float("nan")
    added = gradient(result) - gradient(content)
    return float(255 * added[there].clip(min=0).mean())
