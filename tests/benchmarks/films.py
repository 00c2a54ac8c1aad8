"""How steady and how fast films are under other settings than the default ones; the tables of docs/films.md.

python -m tests.benchmarks.films FILM STYLE                              # speed, stage by stage
python -m tests.benchmarks.films FILM STYLE --cells 16 28 --smoothing 0 0.4  # flicker, a row for each pair
python -m tests.benchmarks.films --make FILM                             # a film of pans, cuts and a fade
"""

import argparse
import itertools
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from common.evaluation.flicker import flicker, summary
from common.network.registry import load_network
from common.photos.film_writer import write_film
from common.photos.films import Film
from common.transfer.film import EVERY, FILM_CELLS, FILM_SIZE
from common.transfer.stylizer import Stylizer
from tests import toy_films

# Of the film that is made: frames of each pan, of the fade at its end, and its size.
PAN, FADE, SIZE = 40, 20, (640, 360)
SHOTS = ("summer_palace", "city_content", "lake_content", "mountain_content")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("film", type=Path, metavar="FILM")
    parser.add_argument("style", type=Path, metavar="STYLE", nargs="?")
    parser.add_argument("--make", action="store_true")
    parser.add_argument("--cells", type=int, nargs="+", default=[FILM_CELLS])
    parser.add_argument("--smoothing", type=float, nargs="+")
    parser.add_argument("--size", type=int, nargs="+", default=[FILM_SIZE])
    parser.add_argument("--every", type=int, default=EVERY)
    parser.add_argument("--backbone", default="mobilenet")
    options = parser.parse_args()
    if options.make:
        return toy_films.write(options.film, made(), sound=True)
    network = load_network(options.backbone)
    if options.smoothing is None:
        return print_speed(options, network)
    print(
        "| size | cells | smoothing | warp error, of the film's | luma jumps, of the film's | contrast | frames a second |"
    )
    for size, cells, smoothing in itertools.product(options.size, options.cells, options.smoothing):
        print_steadiness(options, Stylizer(network, size=size), cells, smoothing)


def made():
    """Frames of the film that tests and tables are made with: pans with grain, cuts, a fade to black."""
    rng = np.random.default_rng(0)
    frames = []
    for name in SHOTS:
        photo = cv2.imread(str(toy_films.PHOTOS / f"{name}.jpg"))[..., ::-1]
        height = round(photo.shape[0] * 800 / photo.shape[1])
        photo = cv2.resize(photo, (800, height), interpolation=cv2.INTER_CUBIC)
        top = (height - SIZE[1]) // 2
        frames += [photo[top : top + SIZE[1], 3 * index : 3 * index + SIZE[0]] for index in range(PAN)]
    frames += [frames[-1] * (1 - step / FADE) for step in range(FADE)]
    grain = [rng.normal(0, 3, (*SIZE[::-1], 1)) for _ in range(8)]
    return [np.clip(frame + grain[index % 8], 0, 255).astype(np.uint8) for index, frame in enumerate(frames)]


def print_steadiness(options, stylizer, cells, smoothing):
    style = stylizer.analyze(options.style)
    film = Film(options.film)
    began = time.perf_counter()
    styled = list(stylizer.film(film.frames(), style, smoothing=smoothing, every=options.every, cells=cells))
    rate = len(styled) / (time.perf_counter() - began)
    shots = flicker(film.frames(), styled, lambda pairs: tqdm(pairs, disable=None, leave=False))
    own, result = (summary(of_film) for of_film in zip(*shots, strict=True))
    cells_of_row = [
        f"{stylizer.size} | {cells} | {smoothing:g}",
        f"{result.warp_error:.2f}, {result.warp_error / own.warp_error:.2f}",
        f"{result.luma_jumps:.3f}, {result.luma_jumps / own.luma_jumps:.2f}",
        f"{own.contrast:.1f} -> {result.contrast:.1f}",
        f"{rate:.1f}",
    ]
    print("| " + " | ".join(cells_of_row) + " |", flush=True)


def print_speed(options, network):
    """Milliseconds a frame, of the clock and of all cores together, of each stage alone and of the whole."""
    film = Film(options.film)
    stylizer = Stylizer(network, size=options.size[0])
    style = stylizer.analyze(options.style)
    frames = list(film.frames())
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out.mp4"
        stages = {
            "decoding": lambda: list(film.frames()),
            "encoding": lambda: write_film(frames, film, out),
            "decoding and encoding": lambda: write_film(film.frames(), film, out),
            "looks and their application": lambda: list(stylizer.film(frames, style, every=options.every)),
            "whole": lambda: write_film(stylizer.film(film.frames(), style, every=options.every), film, out),
        }
        for name, stage in stages.items():
            began = time.perf_counter(), time.process_time()
            stage()
            clock, cores = time.perf_counter() - began[0], time.process_time() - began[1]
            count = len(frames)
            print(
                f"| {name} | {1000 * clock / count:.0f} ms | {1000 * cores / count:.0f} ms | {count / clock:.1f} fps |",
                flush=True,
            )


if __name__ == "__main__":
    main()
