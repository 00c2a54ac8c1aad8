"""Ways of style transfer by name, run on pairs and measured."""

import functools
import time
from pathlib import Path

import numpy as np
from PIL import Image

from common.errors import InputError
from common.evaluation.report import Cost, Row
from common.evaluation.scores import score
from common.evaluation.similarity import edge_ssim, glow, look, luminance_ssim, style_distance
from common.evaluation.variants import VARIANTS, VariantFitter
from common.network import registry
from common.network.registry import BACKBONES
from common.photos import enlarge_to_side, read_rgb, shrink_to_side, write_photo
from common.transfer.network_pass import SIZE, NetworkPass
from common.transfer.stylizer import PRESETS, Stylizer

NETWORKS = (*BACKBONES, *(f"{name}-teacher" for name in BACKBONES))


# How a network's result is finished, as keyword arguments of `common.transfer.Stylizer`: the presets of its dial, the grade
# alone, and without one the look, the guided filter or nothing; "paper": all pixels, guided filter.
FINISHES = {name: {"grade": share} for name, share in PRESETS.items()} | {
    "grade": {"grade": 1.0},
    "look": {"grade": 0.0},
    "guided": {"finish": "guided", "grade": 0.0},
    "none": {"finish": "none", "grade": 0.0},
    "paper": {"finish": "guided", "size": None, "grade": 0.0},
}
UNTOUCHED = "untouched"
# Of the transfer: what a curve of content against style is drawn through. The last is the full one.
STRENGTHS = (0.0, 0.25, 0.5, 0.75, 1.0)


def colour_transfer(transfer):
    """One of `common.evaluation.colour_transfer`; strengths below 1 are blends with the content."""

    def restyle(content, style):
        content, style = content / 255, style / 255
        result = np.clip(transfer(content, style), 0, 1)
        return lambda strength: np.round(255 * (content + strength * (result - content))).astype(np.uint8)

    return restyle


def network(model, finish):
    """A student or teacher, with the project's default transform or in a variant, finished as `settings_of` tells."""
    settings = settings_of(finish)
    variant = VARIANTS.get(finish.partition("+")[2])
    if variant:
        return varied(VariantFitter(NetworkPass(model, SIZE, "pad"), variant, **settings))
    stylizer = Stylizer(model, **settings)

    def restyle(content, style):
        analysed = stylizer.analyze(style)
        return lambda strength: stylizer.apply(content, analysed, strength)

    return restyle


def varied(fitter):
    """A `VariantFitter` as a method."""

    def restyle(content, style):
        analysed = fitter.style(style)
        return lambda strength: fitter.look(content, analysed, strength).recolour(content)

    return restyle


def settings_of(finish):
    """Keyword arguments of `common.transfer.Stylizer` of a finish: one of `FINISHES`, or a grade from 0 to 1.

    A look's or a grade's may have a variant behind it, as in "look+adain".

    Raises:
        ValueError: there is no such finish or variant, or it takes none.
    """
    finish, plus, variant = finish.partition("+")
    if plus and (variant not in VARIANTS or FINISHES.get(finish, {"grade": 0}).keys() != {"grade"}):
        raise ValueError(f"{finish} has no variant {variant}")
    if finish in FINISHES:
        return FINISHES[finish]
    grade = float(finish)
    if not 0 <= grade <= 1:
        raise ValueError(f"{finish} is not from 0 to 1")
    return {"grade": grade}


def load_network(name):
    """The model that `name` stands for, and its finish: NETWORK[=SOURCE][@FINISH].

    SOURCE is a student's checkpoint; for a teacher its weights, and after a comma its decoder. A teacher without SOURCE has
    random weights, which do for what does not depend on them: its cost.

    Raises:
        InputError: it cannot be loaded or has no decoder.
    """
    kind, source, finish = parts_of(name)
    backbone, _, is_teacher = kind.partition("-")
    if not is_teacher:
        return registry.load_network(backbone, checkpoint=source or None), finish
    teacher = registry.teacher(backbone)
    model = teacher.load(*source.split(",")) if source else teacher.build()
    if len(model.decoder_blocks) < len(model.encoder_blocks):
        raise InputError(f"{name}: the teacher has no decoder; name one after its weights: {kind}=WEIGHTS,DECODER")
    return model, finish


def parts_of(name):
    """NETWORK, SOURCE and FINISH of a model's name; no source is empty."""
    name, _, finish = name.partition("@")
    kind, _, source = name.partition("=")
    return kind, source, finish or "look"


def restyle_pairs(name, pairs, folder, strengths=STRENGTHS):
    """Restyle all pairs at `strengths`, write the results to `folder` and give the method's `Cost`.

    Meant for a process of its own, so that nobody else's memory is counted.
    """
    restyle, weights = method(name)
    seconds = []
    for pair in pairs:
        content, style = pair.read()
        if pair.enlarged:
            content = enlarge_to_side(content, pair.enlarged)
        if not seconds:
            restyle(content, style)(1.0)  # a first call takes longer
        begin = time.perf_counter()
        at_strength = restyle(content, style)
        full = at_strength(STRENGTHS[-1])
        seconds.append(time.perf_counter() - begin)
        for strength in strengths:
            result = full if strength == STRENGTHS[-1] else at_strength(strength)
            reduced = shrink_to_side(result, pair.size)
            write_photo(Image.fromarray(reduced), result_path(folder, pair, strength))
    return Cost(float(np.median(seconds)), peak_memory(), weights)


def method(name):
    """The method called `name`, and how many trained weights it has."""
    if name == UNTOUCHED:
        return colour_transfer(lambda content, style: content), 0
    if name in colour_transfers():
        return colour_transfer(colour_transfers()[name]), 0
    model, finish = load_network(name)
    return network(model, finish), model.weight_count


def colour_transfers():
    """The classical methods by name; imported here, for it takes a second."""
    from common.evaluation.colour_transfer import METHODS

    return METHODS


def result_path(folder, pair, strength):
    """Where the result of `pair` lies between restyling and measuring; without loss."""
    return folder / f"{pair.name}_{strength}.png"


def peak_memory():
    """Peak resident memory of this process in bytes, or None; `getrusage` would count the parent's."""
    status = Path("/proc/self/status")
    for line in status.read_text().splitlines() if status.exists() else ():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return None


def measured(teacher, name, pair, folder, lpips=None, strengths=STRENGTHS):
    """A `Row` for each of `strengths` of method `name` on `pair`; its results lie in `folder`. `lpips` as of `score`."""
    content, content_look, style_look = looks(teacher, pair)
    for strength in strengths:
        result = read_rgb(result_path(folder, pair, strength))
        distance = style_distance(look(teacher, result), style_look, content_look)
        kept = luminance_ssim(content, result), edge_ssim(content, result)
        apart = lpips(content, result) if lpips else float("nan")
        yield Row(name, pair.name, strength, *kept, glow(result, content), distance, apart)


def scored(name, pair, folder, lpips=None):
    """The `Score` of method `name` on a pair whose right answer is known; its results lie in `folder`."""
    return score(read_rgb(result_path(folder, pair, STRENGTHS[-1])), pair.read_truth(), lpips)


@functools.lru_cache(maxsize=1)
def looks(teacher, pair):
    """The content of a pair, its look and the style's."""
    content, style = pair.read()
    return content, look(teacher, content), look(teacher, style)
