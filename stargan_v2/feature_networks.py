"""Networks on whose features images are compared: VGG-19 from its weights, Inception and LPIPS from a user's ONNX files.

Each takes images `(batch, height, width, 3)` in [-1, 1]. The project brings no weights; a measure is named by its network.
"""

import cv2
import numpy as np

from common.errors import InputError

# What Inception was trained on: side in pixels, mean and standard deviation of RGB in [0, 1] (ImageNet).
INCEPTION_SIDE = 299
MEAN, DEVIATION = np.float32([0.485, 0.456, 0.406]), np.float32([0.229, 0.224, 0.225])
BATCH = 32


class Vgg:
    """VGG-19 up to the deepest layer that a `.npz` file reaches, as `vgg_backbone` reads it."""

    def __init__(self, path):
        from common.network import registry

        self.network = registry.teacher("vgg").load(str(path))
        self.level = len(self.network.encoder_blocks) - 1

    def maps(self, images):
        """Features, `(batch, height, width, channels)`."""
        from keras import ops

        batches = [images[start : start + BATCH] for start in range(0, len(images), BATCH)]
        unit = [(np.clip(batch, -1, 1) + 1) / 2 for batch in batches]
        return np.concatenate([ops.convert_to_numpy(self.network.encode(batch, self.level)[0][-1]) for batch in unit])

    def vectors(self, images):
        """Means over pixels, `(batch, channels)`."""
        return self.maps(images).mean(axis=(1, 2))

    def distance(self, images, others):
        """Squared difference of features scaled to length 1 at every pixel, averaged over pixels: `(batch,)`."""
        a, b = (unit_length(self.maps(x)) for x in (images, others))
        return np.square(a - b).sum(axis=-1).mean(axis=(1, 2))


def unit_length(features):
    """Features scaled to length 1 at every pixel."""
    return features / (np.linalg.norm(features, axis=-1, keepdims=True) + 1e-10)


class OnnxFile:
    """A network in an ONNX file."""

    def __init__(self, path, inputs):
        import onnxruntime

        if not path.is_file():
            raise InputError(f"{path}: no such file")
        try:
            self.session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        except Exception as error:  # ONNX Runtime has a class of its own for each kind of failure
            raise InputError(f"{path} is no network that ONNX Runtime can run: {error}") from error
        self.path, self.names = path, [node.name for node in self.session.get_inputs()]
        if len(self.names) != inputs:
            raise InputError(f"{path} takes {len(self.names)} inputs, but {inputs} are needed")

    def run(self, *arrays):
        """The first output for arrays `(batch, 3, height, width)`."""
        try:
            return self.session.run(None, dict(zip(self.names, arrays, strict=True)))[0]
        except Exception as error:
            raise InputError(f"{self.path} cannot be run on images: {error}") from error


class Inception(OnnxFile):
    """Inception-v3's pooled features: input `(batch, 3, 299, 299)`, normalised by ImageNet's mean and deviation."""

    def __init__(self, path):
        super().__init__(path, inputs=1)

    def vectors(self, images):
        """Features, `(batch, channels)`."""
        side = (INCEPTION_SIDE, INCEPTION_SIDE)
        vectors = []
        for image in images:
            large = cv2.resize(image, side, interpolation=cv2.INTER_LINEAR)
            planes = (((np.clip(large, -1, 1) + 1) / 2 - MEAN) / DEVIATION).transpose(2, 0, 1)
            vectors.append(self.run(planes[None].astype(np.float32)).reshape(-1))
        return np.stack(vectors)


class Lpips(OnnxFile):
    """LPIPS: two inputs `(batch, 3, height, width)` in [-1, 1], one distance for each pair."""

    def __init__(self, path):
        super().__init__(path, inputs=2)

    def distance(self, images, others):
        """The distance of each pair, `(batch,)`."""
        planes = [np.clip(x, -1, 1).transpose(0, 3, 1, 2).astype(np.float32) for x in (images, others)]
        return self.run(*planes).reshape(len(images))
