"""What `keras.Model.fit` trains: several networks in turn, each with an Adam of its own; here those of StarGAN v2."""

import itertools

import keras
from keras import ops

from stargan_v2 import losses
from stargan_v2.gradients import gradients_of

# Of the paper: the learning rate, the mapping network's share of it, Adam's other numbers, and the share of every weight
# that is added to its gradient.
LEARNING_RATE, MAPPING_SHARE = 1e-4, 0.01
BETA_1, BETA_2, EPSILON, WEIGHT_DECAY = 0.0, 0.99, 1e-8, 1e-4


class AdversarialTrainer(keras.Model):
    """Networks that are trained in turn, and running averages of some of them.

    A subclass says in `iterate` what an iteration does, by calls of `update`.

    Args:
        networks: by name, those that are trained.
        averages: by name, copies of some of them; they begin as their network is now.
        rates: learning rates by name.
        decay: share of the running average that an iteration keeps.
        shown: names of the losses that `iterate` gives.
    """

    def __init__(self, networks, averages, rates, decay, shown):
        super().__init__(name=type(self).__name__)
        self.networks, self.averages, self.decay = networks, averages, decay
        for name, average in averages.items():
            average.set_weights(networks[name].get_weights())
            average.trainable = False
        self.optimizers = Optimizers(networks, rates)
        self.moments = self.optimizers.variables  # tracked here, so that they are saved with the networks
        self.step = self.add_weight(shape=(), dtype="int32", initializer="zeros", trainable=False, name="step")
        self.means = [keras.metrics.Mean(name) for name in ("loss", *shown)]
        self.built = True

    def compile(self, **options):
        """As Keras, without an optimizer for all: `update` has one for each network.

        XLA compiles on JAX alone: on TensorFlow it takes minutes for an iteration of so many parts.
        """
        jit_compile = keras.backend.backend() == "jax"
        super().compile(optimizer=keras.optimizers.SGD(), jit_compile=jit_compile, **options)
        self.optimizer.build([])

    def train_step(self, *arguments):
        """One iteration, on TensorFlow called with a batch, on JAX with the values of all variables and a batch."""
        batch, _, _ = keras.utils.unpack_x_y_sample_weight(arguments[-1])
        batch = {name: ops.convert_to_tensor(array) for name, array in batch.items()}
        if keras.backend.backend() != "jax":
            return self.logs(batch)
        groups = (
            self.trainable_variables,
            self.non_trainable_variables,
            self.optimizer.variables,
            self.metrics_variables,
        )
        values = [pair for group in zip(groups, arguments[0], strict=True) for pair in zip(*group, strict=True)]
        with keras.StatelessScope(state_mapping=values) as scope:
            logs = self.logs(batch)
        return logs, tuple([scope.get_current_value(variable) for variable in group] for group in groups)

    def logs(self, batch):
        """Do one iteration; give the losses by name, averaged since the epoch began."""
        values = self.iterate(batch)
        for name, average in self.averages.items():
            for kept, new in zip(average.variables, self.networks[name].variables, strict=True):
                kept.assign(self.decay * kept.value + (1 - self.decay) * new.value)
        self.step.assign(self.step + 1)
        total = sum(value for name, value in values.items() if name.endswith("_total"))
        for mean, value in zip(self.means, [total, *(values[mean.name] for mean in self.means[1:])], strict=True):
            mean.update_state(value)
        return {mean.name: mean.result() for mean in self.means}

    def update(self, names, loss):
        """One step of the networks called `names` down the gradient of `loss()`.

        Args:
            loss: a function that gives `{name of a loss: (weight, scalar)}`.

        Returns:
            The scalars by name, and their weighted sum as `NAME_total`, by the first of `names`.
        """
        variables = [self.networks[name].trainable_variables for name in names]

        def total():
            parts = loss()
            return sum(weight * value for weight, value in parts.values()), {name: part[1] for name, part in parts.items()}

        value, parts, gradients = gradients_of(total, list(itertools.chain(*variables)), self.variables)
        for name, of_network in zip(names, variables, strict=True):
            self.optimizers.apply(name, gradients[: len(of_network)], of_network)
            gradients = gradients[len(of_network) :]
        return parts | {f"{names[0]}_total": value}


class Optimizers:
    """An Adam for each network, which also shrinks weights: decay is part of the gradient, not apart from it as in AdamW."""

    def __init__(self, networks, rates):
        self.by_name = {}
        for name, network in networks.items():
            adam = keras.optimizers.Adam(rates[name], beta_1=BETA_1, beta_2=BETA_2, epsilon=EPSILON, name=f"{name}_adam")
            adam.build(network.trainable_variables)
            self.by_name[name] = adam
        self.variables = [variable for adam in self.by_name.values() for variable in adam.variables]

    def apply(self, name, gradients, variables):
        """One step of the network called `name`."""
        pairs = zip(gradients, variables, strict=True)
        decayed = [gradient + WEIGHT_DECAY * variable.value for gradient, variable in pairs]
        self.by_name[name].apply(decayed, variables)


class GanTrainer(AdversarialTrainer):
    """StarGAN v2 (sections 2 and 3 of the paper): discriminator and generator, on styles of noise, then of references.

    Args:
        networks, averages: by name, as `networks.BUILDERS`; no average of the discriminator.
        diversity: the weight of that loss at first, and the steps over which it falls to nothing; all others count 1.
        learning_rate: of all networks but the mapping network, which has a hundredth of it.
        decay: as above.
    """

    SHOWN = ("discriminator", "penalty", "generator", "style", "diversity", "cycle")

    def __init__(self, networks, averages, diversity=(1.0, 100_000), learning_rate=LEARNING_RATE, decay=0.999):
        rates = dict.fromkeys(networks, learning_rate) | {"mapping": MAPPING_SHARE * learning_rate}
        super().__init__(networks, averages, rates, decay, self.SHOWN)
        self.diversity = diversity

    def iterate(self, batch):
        """Two steps of the discriminator, two of the generator; mapping network and encoder take part in the first."""
        values = {}
        for kind in ("noise", "reference"):
            values |= self.update(["discriminator"], lambda kind=kind: self.discriminator_loss(batch, kind))
        values |= self.update(["generator", "mapping", "encoder"], lambda: self.generator_loss(batch, "noise"))
        values |= self.update(["generator"], lambda: self.generator_loss(batch, "reference"))
        return values

    def style(self, batch, kind):
        """The styles, of the target domain, of what is called `kind` in the batch."""
        network = self.networks["mapping" if kind.startswith("noise") else "encoder"]
        return network([batch[kind], batch["target"]], training=True)

    def made(self, image, style):
        """Images made of images and styles."""
        return self.networks["generator"]([image, style], training=True)[0]

    def logits(self, image, domain):
        """What the discriminator says of images."""
        return self.networks["discriminator"]([image, domain], training=True)[0]

    def discriminator_loss(self, batch, kind):
        """Photos are real, and flat where they are; what the generator makes is not."""
        fake = ops.stop_gradient(self.made(batch["image"], self.style(batch, kind)))
        real = losses.adversarial(self.logits(batch["image"], batch["domain"]), real=True)
        found = losses.adversarial(self.logits(fake, batch["target"]), real=False)
        penalty = losses.gradient_penalty(lambda image: self.logits(image, batch["domain"]), batch["image"])
        return {
            "discriminator": (1.0, real + found),
            "penalty": (1.0, penalty),
        }

    def generator_loss(self, batch, kind):
        """Deceive the discriminator, show the style asked for, differ between styles, and find the way back."""
        style = self.style(batch, kind)
        made = self.made(batch["image"], style)
        other = self.made(batch["image"], self.style(batch, f"{kind}2"))
        encoder = self.networks["encoder"]
        back = self.made(made, encoder([batch["image"], batch["domain"]], training=True))
        values = {
            "generator": losses.adversarial(self.logits(made, batch["target"]), real=True),
            "style": losses.style_reconstruction(encoder([made, batch["target"]], training=True), style),
            "cycle": losses.cycle(back, batch["image"]),
        }
        first, steps = self.diversity
        falling = first * ops.maximum(1 - ops.cast(self.step.value, "float32") / steps, 0)
        return {name: (1.0, value) for name, value in values.items()} | {
            "diversity": (falling, losses.diversity(made, other))
        }
