"""Distillation of StarGAN v2: a student's generator and a discriminator of its own, taught by a teacher that stays as it is.

Both style sources are the teacher's. The student's mapping network and style encoder learn the teacher's styles, apart from
the rest; that part is this project's own.
"""

import keras
import numpy as np
from keras import ops

from stargan_v2 import losses
from stargan_v2.networks import he_normal
from stargan_v2.trainer import LEARNING_RATE, AdversarialTrainer

# Weights as they were published, 1 where none was.
WEIGHTS = {
    "pixel": 1.0,
    "adversarial": 1.0,
    "cycle": 1.0,
    "perceptual": 10.0,
    "triplet": 1.0,
    "gka": 10.0,
    "adapters": 1.0,
    "wavelet": 1.0,
    "feature-wavelet": 1.0,
}
OBJECTIVES = tuple(WEIGHTS)
# Losses that are shown beside the objectives.
MORE_SHOWN = ("discriminator", "penalty", "style")


def adapted_blocks(count):
    """Which of so many generator blocks adapters read: after halving, after each half of the bottleneck, and the last."""
    halvings = (count - 4) // 2
    return sorted({max(halvings - 1, 0), halvings + 1, halvings + 3, count - 1})


def build_adapters(student, teacher):
    """1x1 convolutions from the widths of a student generator's blocks to its teacher's, at `adapted_blocks`."""
    inputs, outputs = [], []
    blocks = student.outputs[1:]
    for number in adapted_blocks(len(blocks)):
        x, width = keras.Input(blocks[number].shape[1:]), teacher.outputs[1:][number].shape[-1]
        layer = keras.layers.Conv2D(width, 1, kernel_initializer=he_normal(x.shape[-1]), name=f"adapter{number}")
        inputs.append(x)
        outputs.append(layer(x))
    return keras.Model(inputs, outputs, name="adapters")


class Distiller(AdversarialTrainer):
    """Trains a student.

    Args:
        networks: the student's by name, as `networks.BUILDERS`, and `adapters` where they are an objective.
        averages: copies of its generator, mapping network and encoder.
        teacher: the teacher's networks by name.
        weights: of the objectives that are in use, by name.
        learning_rate: of all networks.
        decay: as of `AdversarialTrainer`.
    """

    def __init__(self, networks, averages, teacher, weights, learning_rate=LEARNING_RATE, decay=0.999):
        adversarial = not {"adversarial", "triplet"}.isdisjoint(weights)
        shown = [name for name in MORE_SHOWN if adversarial or name == "style"]
        super().__init__(networks, averages, dict.fromkeys(networks, learning_rate), decay, (*weights, *shown))
        self.teacher, self.objectives, self.adversarial = teacher, weights, adversarial
        for network in teacher.values():
            network.trainable = False

    def iterate(self, batch):
        """Two steps of the discriminator, two of the generator, on what the teacher made once; then one for the styles."""
        values = {}
        taught = {kind: self.teach(batch, kind) for kind in ("noise", "reference")}
        if self.adversarial:
            for kind in taught:
                values |= self.update(["discriminator"], lambda kind=kind: self.discriminator_loss(batch, taught[kind]))
        trained = ["generator", "adapters"] if "adapters" in self.objectives else ["generator"]
        for kind in taught:
            values |= self.update(trained, lambda kind=kind: self.generator_loss(batch, taught[kind]))
        return values | self.update(["mapping", "encoder"], lambda: self.style_loss(batch, taught))

    def teach(self, batch, kind):
        """What the teacher makes of a batch: a dict of style, image, blocks, and features of its discriminator."""
        source = self.teacher["mapping" if kind == "noise" else "encoder"]
        style = source([batch[kind], batch["target"]])
        image, *blocks = self.teacher["generator"]([batch["image"], style])
        own = self.teacher["encoder"]([batch["image"], batch["domain"]])
        seen = self.features(self.teacher, image, batch) if "perceptual" in self.objectives else None
        made = {"style": style, "image": image, "blocks": blocks, "own_style": own, "features": seen}
        return keras.tree.map_structure(ops.stop_gradient, {name: part for name, part in made.items() if part is not None})

    def features(self, networks, image, batch):
        """The last feature of a discriminator."""
        return networks["discriminator"]([image, batch["target"]], training=True)[-1]

    def logits(self, image, batch):
        """What the student's discriminator says of images."""
        return self.networks["discriminator"]([image, batch["target"]], training=True)[0]

    def discriminator_loss(self, batch, taught):
        """The teacher's images are real, and the student's are not; and further from the source photo, where asked."""
        image, _ = self.made(batch["image"], taught["style"])
        image = ops.stop_gradient(image)
        real = losses.adversarial(self.logits(taught["image"], batch), real=True)
        fake = losses.adversarial(self.logits(image, batch), real=False)
        penalty = losses.gradient_penalty(lambda x: self.logits(x, batch), taught["image"])
        parts = {"discriminator": (1.0, real + fake), "penalty": (1.0, penalty)}
        if "triplet" in self.objectives:
            seen = [self.features(self.networks, x, batch) for x in (batch["image"], taught["image"], image)]
            parts["triplet"] = (self.objectives["triplet"], losses.triplet(*seen))
        return parts

    def made(self, image, style):
        """The student's image and blocks."""
        made, *blocks = self.networks["generator"]([image, style], training=True)
        return made, blocks

    def generator_loss(self, batch, taught):
        """The objectives that are in use, but the triplet, which is the discriminator's."""
        image, blocks = self.made(batch["image"], taught["style"])
        terms = {
            "pixel": lambda: losses.pixel(image, taught["image"]),
            "adversarial": lambda: losses.adversarial(self.logits(image, batch), real=True),
            "cycle": lambda: losses.cycle(self.made(image, taught["own_style"])[0], batch["image"]),
            "perceptual": lambda: losses.perceptual(self.features(self.teacher, image, batch), taught["features"]),
            "gka": lambda: losses.alignment(blocks, taught["blocks"]),
            "adapters": lambda: self.adapted(blocks, taught["blocks"]),
            "wavelet": lambda: losses.wavelet(image, taught["image"]),
            "feature-wavelet": lambda: losses.feature_wavelet(blocks, taught["blocks"]),
        }
        return {name: (self.objectives[name], term()) for name, term in terms.items() if name in self.objectives}

    def adapted(self, blocks, taught):
        """Distance of some of the student's blocks, adapted, from the teacher's."""
        chosen = adapted_blocks(len(blocks))
        adapted = self.networks["adapters"]([blocks[number] for number in chosen], training=True)
        return losses.adapted(adapted, [taught[number] for number in chosen])

    def style_loss(self, batch, taught):
        """The student's styles against the teacher's, of noise and of references."""
        made = [self.networks["mapping"]([batch["noise"], batch["target"]], training=True)]
        made.append(self.networks["encoder"]([batch["reference"], batch["target"]], training=True))
        errors = [losses.style_reconstruction(x, taught[kind]["style"]) for x, kind in zip(made, taught, strict=True)]
        return {"style": (1.0, sum(errors) / np.float32(2))}
