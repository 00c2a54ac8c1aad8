"""The losses of StarGAN v2 and those of its distillation, each a scalar that is to fall.

Images are `(batch, height, width, 3)` in [-1, 1]; logits `(batch, 1)`; styles `(batch, style_dim)`; features
`(batch, height, width, channels)`.
"""

from keras import ops

from common.distillation.kernels_and_wavelets import gka, wavelet_alignments, wavelet_distance
from stargan_v2.gradients import input_gradients

# Share of the larger distance by which a student's image has to be nearer than its teacher's.
MARGIN = 0.25


# --- StarGAN v2 ----------------------------------------------------------------------------------------------------------


def adversarial(logits, real):
    """Binary cross-entropy of logits that should say real, or fake."""
    return ops.mean(ops.softplus(-logits if real else logits))


def gradient_penalty(logits_of, images):
    """R1 (Mescheder et al., 2018): half the squared norm of the gradient of the logit in the image, averaged over images."""
    gradients = input_gradients(logits_of, images)
    return ops.mean(ops.sum(ops.square(gradients), axis=(1, 2, 3))) / 2


def style_reconstruction(found, style):
    """Mean absolute error of the style that is found in an image made with `style`."""
    return ops.mean(ops.abs(found - style))


def diversity(image, other):
    """Minus the mean absolute difference of images made with two styles; no gradient goes through the other."""
    return -ops.mean(ops.abs(image - ops.stop_gradient(other)))


def cycle(back, image):
    """Mean absolute error of an image that went to another domain and came back."""
    return ops.mean(ops.abs(back - image))


# --- distillation --------------------------------------------------------------------------------------------------------


def pixel(image, taught):
    """Mean squared error to the teacher's image."""
    return ops.mean(ops.square(image - taught))


def distances(feature, other):
    """Mean absolute difference of features for each image, `(batch,)`."""
    return ops.mean(ops.abs(ops.cast(feature, "float32") - ops.cast(other, "float32")), axis=(1, 2, 3))


def perceptual(feature, taught):
    """Squared mean absolute difference of a discriminator's features of two images, averaged over images."""
    return ops.mean(ops.square(distances(feature, taught)))


def triplet(anchor, taught, feature, margin=MARGIN):
    """A discriminator's features: those of the teacher's image nearer to the source photo's than those of the student's.

    The margin is relative to the larger of both distances: an absolute one could be met by scaling the features.
    """
    near, far = distances(anchor, taught), distances(anchor, feature)
    return ops.mean(ops.relu(near - far + margin * ops.stop_gradient(ops.maximum(near, far))))


def alignment(features, taught):
    """Minus the kernel alignment of the student's and the teacher's features, summed over blocks."""
    return -sum(gka(x, y) for x, y in zip(features, taught, strict=True))


def adapted(features, taught):
    """Mean squared error of the student's features, brought to the teacher's widths, summed over blocks."""
    pairs = zip(features, taught, strict=True)
    return sum(ops.mean(ops.square(ops.cast(x, "float32") - ops.cast(y, "float32"))) for x, y in pairs)


def wavelet(image, taught):
    """Difference of the Haar details of the student's and the teacher's image, at three levels."""
    return wavelet_distance(image, taught)


def feature_wavelet(features, taught):
    """Minus the kernel alignment of Haar details of features, summed over blocks and levels; 0 where all are too small."""
    pairs = zip(features, taught, strict=True)
    return -sum(sum(wavelet_alignments(x, y)) for x, y in pairs) + ops.zeros(())
