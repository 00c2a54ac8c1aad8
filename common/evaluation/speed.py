"""How long a method takes, and how much memory: what `common.evaluation.limits` runs in processes of their own."""

import time

import numpy as np
from PIL import Image

from common.evaluation.methods import NETWORKS, load_network, method, network, parts_of, settings_of
from common.photos import read_rgb, write_photo
from common.transfer.stylizer import Stylizer

# Calls that are timed, after a first one, which takes longer.
LATER_CALLS = 2


def write_photos(width, height, folder):
    """A content and a style photo of random smooth colours with some grain, as JPEG files, `content.jpg` and `style.jpg`."""
    random = np.random.default_rng(0)
    for name in ("content", "style"):
        small = Image.fromarray(random.integers(0, 256, (9, 16, 3), np.uint8))
        smooth = np.array(small.resize((width, height), Image.Resampling.BICUBIC), np.int16)
        smooth += random.integers(-8, 9, smooth.shape, np.int8)
        write_photo(Image.fromarray(np.clip(smooth, 0, 255).astype(np.uint8)), folder / f"{name}.jpg")


def photos_in(folder):
    """Content and style as `write_photos` wrote them, uint8 `(height, width, 3)`."""
    return [read_rgb(folder / f"{name}.jpg") for name in ("content", "style")]


def whole_command(name, folder):
    """Load the method called `name`, and stylise the photos of a folder, from JPEG files to a JPEG file."""
    restyle, _ = method(name)
    write_photo(Image.fromarray(restyle(*photos_in(folder))(1.0)), folder / "result.jpg")


def later_calls(name, folder):
    """The least seconds of several later calls, and of applications of the look alone, None where there is no look."""
    photos = photos_in(folder)
    if parts_of(name)[0] not in NETWORKS:
        restyle, _ = method(name)
        return best_time(lambda: restyle(*photos)(1.0)), None
    model, finish = load_network(name)
    restyle, apply = network(model, finish), look_application(model, finish, *photos)
    return best_time(lambda: restyle(*photos)(1.0)), apply and best_time(apply)


def look_application(model, finish, content, style):
    """A function that applies the look of a content and a style, or None where a network's `finish` makes none."""
    if settings_of(finish).get("finish", "look") != "look":
        return None
    stylizer = Stylizer(model, **settings_of(finish))
    look = stylizer.look(content, stylizer.analyze(style))
    return lambda: look.recolour(content)


def best_time(work):
    """The least of the seconds that calls after the first take."""
    seconds = []
    for _ in range(1 + LATER_CALLS):
        begin = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - begin)
    return min(seconds[1:])
