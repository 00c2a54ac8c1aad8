"""Known grades: random, seeded, and recordable as JSON.

A grade is a list of steps `[name, parameters]`; names are those of `common.grading.operations`. There is one family to
train on and one, made by other operations, to test on, so that a result says something about grades that nobody trained on.
"""

import numpy as np

from common.errors import InputError
from common.grading.operations import OPERATIONS

# Strength at which the training family moves a photo as far as in the first measurements: CIEDE2000 12.5.
MEASURED_STRENGTH = 0.6
# Share of the grades of the training family that have curves and a matrix too.
WITH_CURVES = 0.6
# Inner and outer knots of a curve.
KNOTS = 6


def apply(grade, pixels):
    """`pixels` graded.

    Args:
        grade: list of `[name, parameters]`.
        pixels: RGB, `(..., 3)`, floats in [0, 1].

    Returns:
        float32 in [0, 1] of the same shape.
    """
    pixels = np.asarray(pixels, np.float32)
    for name, parameters in grade:
        pixels = np.clip(OPERATIONS[name](pixels, **parameters), 0, 1)
    return pixels


def training_grade(random, strength=1.0):
    """A grade as photographers make them: light, balance, contrast, saturation, split tones, often curves and a matrix.

    Args:
        random: `numpy.random.Generator`.
        strength: 1 gives the ranges that results are measured on; 1.5 grades half as strong again.
    """
    between = _between(random, strength)
    grade = [
        ["exposure", {"stops": strength * random.uniform(-0.9, 0.7)}],
        ["white_balance", {"gains": _gains(random, strength)}],
        ["contrast", {"slope": between(0.65, 1.45), "pivot": random.uniform(0.4, 0.6)}],
        ["saturation", {"factor": between(0.4, 1.6)}],
        ["gamma", {"exponent": between(0.75, 1.3)}],
        ["split_tone", {name: _tint(random, 0.05 * strength) for name in ("shadows", "highlights")}],
    ]
    if random.random() < WITH_CURVES:
        grade.append(["curves", {"knots": [_curve(random, strength) for _ in range(3)]}])
        grade.append(["matrix", {"rows": _matrix(random, 0.06 * strength)}])
    return grade


def wide_grade(random):
    """A stronger grade of more kinds, to train on beside `training_grade`: in any order, and with the cube warped."""
    grade = training_grade(random, random.uniform(1.0, 1.8))
    if random.random() < 0.5:
        grade.append(["matrix", {"rows": _matrix(random, random.uniform(0.05, 0.25))}])
    if random.random() < 0.5:
        grade.append(["waves", _waves(random, random.uniform(0.02, 0.09))])
    random.shuffle(grade)
    return grade


def testing_grade(random):
    """A grade of operations that `training_grade` lacks: wheels or a CDL, a turn of hue, a film's curve, a duotone."""
    grade = [_wheels(random) if random.random() < 0.5 else _cdl(random)]
    if random.random() < 0.5:
        grade.append(["hue_rotation", {"degrees": random.uniform(-50, 50)}])
    if random.random() < 0.5:
        speed = _spread(random, random.uniform(-0.6, 0.6), 0.3)
        slope = _spread(random, random.uniform(0.7, 1.3), 0.15)
        grade.append(["film_curve", {"speed": speed, "slope": slope}])
    if random.random() < 0.4:
        dark, light = random.uniform(0, 0.35, 3), random.uniform(0.65, 1, 3)
        grade.append(["duotone", {"dark": dark.tolist(), "light": light.tolist(), "amount": random.uniform(0.2, 0.7)}])
    return grade


def measured_grade(random):
    """A grade of the training family as strong as what results are measured on."""
    return training_grade(random, MEASURED_STRENGTH)


FAMILIES = {"training": measured_grade, "strong": training_grade, "testing": testing_grade}


def family(name):
    """The function `random -> grade` called `name`, or one that draws from the .cube files in the folder `name`.

    Raises:
        InputError: it is neither.
    """
    from common.grading.cube import read_cubes

    if name in FAMILIES:
        return FAMILIES[name]
    cubes = read_cubes(name, FAMILIES)

    def cube_grade(random):
        """One of the user's LUTs."""
        return [["lut", {"nodes": cubes[random.integers(len(cubes))].tolist()}]]

    return cube_grade


def require_known(grade):
    """Raise `InputError` where a grade read from a file has a step that does not exist."""
    for name, _ in grade:
        if name not in OPERATIONS:
            raise InputError(f"a grade has no step {name}, only {', '.join(OPERATIONS)}")


# --- parameters ----------------------------------------------------------------------------------------------------------


def _between(random, strength):
    """A function that draws a factor from a range about 1, widened in proportion to `strength` on a scale of logarithms."""

    def draw(low, high):
        return float(np.exp(strength * random.uniform(np.log(low), np.log(high))))

    return draw


def _gains(random, strength):
    """Factors of light: warm against cool, and green against magenta."""
    warmth, tint = strength * random.uniform(-0.35, 0.35), strength * random.uniform(-0.12, 0.12)
    return np.exp([warmth, tint, -warmth]).tolist()


def _tint(random, spread):
    """A colour to add, of no luminance to speak of."""
    colour = random.normal(0, spread, 3)
    return (colour - colour.mean()).tolist()


def _curve(random, strength):
    """Knots of a rising curve near the identity."""
    steps = np.exp(random.normal(0, 0.35 * strength, KNOTS - 1))
    low, high = strength * random.uniform(0, 0.06), 1 - strength * random.uniform(0, 0.06)
    return (low + (high - low) * np.concatenate([[0], np.cumsum(steps) / steps.sum()])).tolist()


def _matrix(random, spread):
    """Rows near the identity, each with a sum of 1: grey stays grey."""
    rows = random.normal(0, spread, (3, 3))
    return (np.eye(3) + rows - rows.mean(axis=1, keepdims=True)).tolist()


def _waves(random, amplitude):
    return {
        "amplitudes": random.normal(0, amplitude, 3).tolist(),
        "frequencies": random.normal(0, 0.8, (3, 3)).tolist(),
        "phases": random.uniform(0, 2, 3).tolist(),
    }


def _spread(random, value, spread):
    """`value` for every channel, with some of their own."""
    return (value + random.normal(0, spread, 3)).tolist()


def _wheels(random):
    lift, gain = _spread(random, random.uniform(-0.05, 0.1), 0.04), _spread(random, random.uniform(0.8, 1.15), 0.1)
    bend = np.exp(_spread(random, random.uniform(-0.25, 0.25), 0.2)).tolist()
    return ["lift_gamma_gain", {"lift": lift, "gamma": bend, "gain": gain}]


def _cdl(random):
    return [
        "cdl",
        {
            "slope": _spread(random, random.uniform(0.75, 1.25), 0.12),
            "offset": _spread(random, random.uniform(-0.06, 0.06), 0.04),
            "power": np.exp(_spread(random, random.uniform(-0.25, 0.25), 0.2)).tolist(),
            "saturation": random.uniform(0.4, 1.7),
        },
    ]
