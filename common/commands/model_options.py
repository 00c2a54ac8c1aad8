"""Models as commands that compare them name them, and the network in whose features that is done."""

import argparse

from common.errors import InputError
from common.evaluation.methods import FINISHES, NETWORKS, parts_of, settings_of
from common.evaluation.variants import VARIANTS
from common.network import registry
from common.network.registry import BACKBONES

# Names of methods that have no network.
CLASSICAL = ("reinhard", "monge-kantorovich", "histograms")


def network_name(text):
    """The name of a network, for argparse."""
    kind, source, finish = parts_of(text)
    if kind not in NETWORKS:
        raise argparse.ArgumentTypeError(f"{kind} is none of {', '.join(NETWORKS)}")
    try:
        settings_of(finish)
    except ValueError as error:
        raise argparse.ArgumentTypeError(
            f"{finish} is neither a grade from 0 to 1 nor one of {', '.join(FINISHES)}, with +VARIANT behind it or not, one "
            f"of {', '.join(VARIANTS)}"
        ) from error
    if kind.endswith("-teacher") and not source:
        raise argparse.ArgumentTypeError(f"{kind} needs its weights: {kind}=WEIGHTS[,DECODER]")
    return text


def measured_model(text):
    """The name of a model, for argparse."""
    return text if text in CLASSICAL else network_name(text)


def costed_model(text):
    """The same, or that of a teacher of random weights: what it costs does not depend on them."""
    return text if is_untrained(text) else measured_model(text)


def is_untrained(name):
    """Whether a name is that of a teacher without weights."""
    kind, source, _ = parts_of(name)
    return kind in NETWORKS and kind.endswith("-teacher") and not source


def label(name):
    """A model's name as tables show it."""
    return f"{name} (random weights)" if is_untrained(name) else name


def judge_name(text):
    """BACKBONE=WEIGHTS, for argparse."""
    backbone, _, weights = text.partition("=")
    if backbone not in BACKBONES or not weights:
        raise argparse.ArgumentTypeError(f"{text} is not {'=WEIGHTS or '.join(BACKBONES)}=WEIGHTS")
    return text


def load_judge(name):
    """The teacher in whose features styles are compared; BACKBONE=WEIGHTS.

    Raises:
        InputError: it cannot be loaded.
    """
    from common.distillation.teachers import load_teacher

    backbone, _, weights = name.partition("=")
    return load_teacher([weights], registry.student(backbone), registry.teacher(backbone))


def pretrained(load, name):
    """`load(name)`; `InputError` where that means ImageNet's weights and Keras cannot download them."""
    try:
        return load(name)
    except Exception as error:  # Keras raises no narrower one
        if isinstance(error, InputError) or "imagenet" not in name:
            raise
        raise InputError(
            f"the ImageNet weights cannot be had ({error}); without a network, styles can be compared in the features of "
            "the student that is here: --weights mobilenet=ckpts/mobilenet/student.weights.h5"
        ) from error
