"""Make two domains from a folder of photos: day, and dusk, whose right answers are known.

python -m stargan_v2.make_day_and_dusk PHOTOS -o FOLDER --size 64

Half of the photos stay as they are, the other half are recoloured, each by a dusk of its own. FOLDER gets train, tune and
test, each with the folders day and dusk: 85, 5 and 10 % of either half. No photo is in both domains: training is unpaired.
FOLDER gets truth.json too: the parameters of every dusk and, for each photo to test on, a reference of the other domain and
the right answer, a file in FOLDER/answers. A thousand photos take ten seconds.
"""

import json
import sys
from pathlib import Path

from common.commands import cli
from common.commands.training_options import positive
from common.errors import InputError
from common.files import require_new_folder, written_whole
from common.photos import photo_paths

TRUTH, ANSWERS = "truth.json", "answers"
DAY, DUSK = "day", "dusk"
# Share of each half of the photos that each part has; the rest is for training.
SHARES = {"test": 0.1, "tune": 0.05}


def main(arguments=None):
    """Run the command and give its exit status."""
    return cli.report_errors(make_day_and_dusk, command_parser().parse_args(arguments))


def command_parser():
    """The command's options."""
    result = cli.parser(__doc__)
    option = result.add_argument
    option("photos", type=Path, metavar="PHOTOS", help="folder of photos, twenty or more")
    option("-o", "--output", type=Path, required=True, metavar="FOLDER", help="where to write: a new folder")
    option("--size", type=positive, default=64, metavar="SIDE", help="of the square photos (default: %(default)s)")
    option("--seed", type=int, default=0, metavar="S", help="of the split and of the dusks (default: %(default)s)")
    return result


def make_day_and_dusk(options):
    """Write the set that `options` ask for; truth.json, last, says that it is complete."""
    import numpy as np

    paths = photo_paths(options.photos)
    if len(paths) < 2 / SHARES["test"]:
        raise InputError(f"{options.photos} holds {len(paths)} photos, but a set needs {2 / SHARES['test']:.0f}")
    require_new_folder(options.output)
    random = np.random.default_rng(options.seed)
    paths = [paths[index] for index in random.permutation(len(paths))]
    half = len(paths) // 2
    record = {"size": options.size, "seed": options.seed, "parameters": {}, "answers": []}
    written = {
        DAY: write_domain(paths[:half], DAY, options, random, record),
        DUSK: write_domain(paths[half:], DUSK, options, random, record),
    }
    write_answers(written, options.output, record)
    with written_whole(options.output / TRUTH) as temporary:
        temporary.write_text(json.dumps(record, indent=1) + "\n")
    print(f"{len(paths)} photos in {options.output}, {len(record['answers'])} of them with an answer")


def parts_of(count):
    """For each of `count` photos the part it belongs to."""
    tests, tunes = (max(1, round(SHARES[part] * count)) for part in ("test", "tune"))
    return ["test"] * tests + ["tune"] * tunes + ["train"] * (count - tests - tunes)


def write_domain(paths, domain, options, random, record):
    """Write the photos of a domain, and note their dusks in `record`.

    Returns:
        Of those to test on: name in the set, photo before any dusk, and dusk, which a photo of the day has not.
    """
    from common.photos import read_rgb
    from stargan_v2.dusk import at_dusk, random_dusk, small

    tests = []
    for number, (path, part) in enumerate(zip(paths, parts_of(len(paths)), strict=True)):
        photo = small(read_rgb(path), options.size)
        dusk = random_dusk(random) if domain == DUSK else None
        name = f"{part}/{domain}/{number:04}.png"
        write(at_dusk(photo, dusk) if dusk else photo, options.output / name)
        if dusk:
            record["parameters"][name] = dusk
        if part == "test":
            tests.append((name, photo, dusk))
    return tests


def write_answers(written, folder, record):
    """Write what every photo to test on should become, and note it in `record`."""
    from stargan_v2.dusk import at_dusk

    for source, other in ((DAY, DUSK), (DUSK, DAY)):
        for number, (name, photo, _) in enumerate(written[source]):
            reference, _, dusk = written[other][number % len(written[other])]
            answer = f"{ANSWERS}/{source}_{number:04}.png"
            write(at_dusk(photo, dusk) if dusk else photo, folder / answer)
            record["answers"].append({"photo": name, "reference": reference, "target": other, "answer": answer})


def write(pixels, path):
    """Write float pixels in [0, 1] as a photo, in a folder that is made where it is missing."""
    from PIL import Image

    from common.photos import write_photo

    path.parent.mkdir(parents=True, exist_ok=True)
    write_photo(Image.fromarray((pixels * 255).round().astype("uint8")), path)


if __name__ == "__main__":
    sys.exit(main())
