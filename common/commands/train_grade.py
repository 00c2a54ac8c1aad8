"""Train the network that predicts a grade from two photos.

python -m common.commands.train_grade --dataset photos/ --save-to RUN

Any photos will do: their grades are made up, so that the right answers are known. RUN gets predictor.npz, the weights for
Keras, predictor.onnx.zip, the same for ONNX Runtime, and predictor.json, a record. A run that was cut short goes on when the
same command is given again. The default, 15,000 steps on a thousand photos, takes an hour on one core.
"""

import shlex
import sys
from importlib.metadata import version
from pathlib import Path

from common.commands import cli
from common.commands.training_options import positive, require_multiple, save_record
from common.errors import InputError
from common.network.keras_backend import import_backend
from common.origin import require_same_origin, sha256_of
from common.photos import photo_paths

# What a run was made from; what comes out.
RUN, RECORD, WEIGHTS, ONNX = "run.json", "predictor.json", "predictor.npz", "predictor.onnx.zip"
# One photo of so many is not trained on but watched, where no --validation is given.
WATCHED = 20


def main(arguments=None):
    """Run the command and give its exit status."""
    arguments = sys.argv[1:] if arguments is None else arguments
    options = command_parser().parse_args(arguments)
    return cli.report_errors(train_grade, options, arguments)


def command_parser():
    """The command's options."""
    result = cli.parser(__doc__)
    option = result.add_argument
    option("--dataset", type=Path, required=True, metavar="DIR", help="folder of photos to train on")
    option("--save-to", type=Path, required=True, metavar="RUN", help="where predictor, backups and log go")
    option("--validation", type=Path, metavar="DIR", help=f"photos to watch (default: one of {WATCHED} of the dataset)")
    option("--steps", type=positive, default=15_000, metavar="N", help="default: %(default)s")
    option("--batch-size", type=positive, default=32, metavar="N", help="photos a step (default: %(default)s)")
    option("--learning-rate", type=float, default=1.5e-3, metavar="R", help="AdamW's, at its peak (default: %(default)s)")
    option("--interval", type=positive, default=500, metavar="STEPS", help="between backups (default: %(default)s)")
    option("--start", type=Path, metavar="FILE.npz", help="go on from the weights of another run, at step 0")
    option("--random-bases", action="store_true", help="start from random basis LUTs instead of the eigenbasis")
    option("--seed", type=int, default=0, metavar="S", help="of pairs and first weights (default: %(default)s)")
    return result


def train_grade(options, arguments):
    """Train as `options` ask. What can be checked is checked before the backend's slow import."""
    require_multiple(options.steps, options.interval, "--steps")
    if not options.learning_rate > 0:
        raise InputError(f"--learning-rate {options.learning_rate} is not above 0")
    paths = photo_paths(options.dataset)
    watched_paths = photo_paths(options.validation) if options.validation else []
    if options.start and not options.start.is_file():
        raise InputError(f"{options.start}: no such file")
    options.save_to.mkdir(parents=True, exist_ok=True)
    record = record_of(options, arguments, paths)
    require_same_run(options.save_to / RUN, record)
    import_backend()
    import keras

    from common.grading import packing, pairs, predictor, training

    keras.utils.set_random_seed(options.seed)
    photos = pairs.small_photos(paths)
    if watched_paths:
        watched = pairs.small_photos(watched_paths)
    else:
        watched, photos = photos[::WATCHED], [photo for number, photo in enumerate(photos) if number % WATCHED]
    encoder, mapper = packing.read_keras(options.start) if options.start else training.build()
    course = training.Course(
        folder=options.save_to,
        photos=photos,
        held_out=watched,
        steps=options.steps,
        batch_size=options.batch_size,
        learning_rate=options.learning_rate,
        seed=options.seed,
        interval=options.interval,
        eigenbasis=not options.random_bases,
        trained=bool(options.start),
    )
    training.train(encoder, mapper, course)

    record |= {"numbers": predictor.count(encoder, mapper), "trained_on": len(photos), "backend": keras.backend.backend()}
    packing.round_weights(encoder, mapper)
    packing.write_keras(encoder, mapper, options.save_to / WEIGHTS)
    save_record(record, options.save_to / RECORD)
    print(f"the predictor is in {options.save_to / WEIGHTS}")
    if keras.backend.backend() == "tensorflow":
        packing.write_onnx(encoder, mapper, options.save_to / ONNX, record)
    else:
        print(f"the same command with KERAS_BACKEND=tensorflow adds {ONNX}")


def record_of(options, arguments, paths):
    """How a training was done: command, photos and their hash, numbers, versions."""
    import cv2

    names = ("steps", "batch_size", "learning_rate", "interval", "random_bases", "seed")
    return {
        "command": f"python -m common.commands.train_grade {shlex.join(map(str, arguments))}",
        **{name: getattr(options, name) for name in names},
        "start_sha256": sha256_of(options.start) if options.start else None,
        "photos": len(paths),
        "photos_sha256": sha256_of(*paths),
        "versions": {"keras": version("keras"), "numpy": version("numpy"), "opencv": cv2.__version__},
    }


def require_same_run(path, record):
    """Write what a run is made from to `path`, or raise `InputError` where another run is there."""
    made_from = {name: value for name, value in record.items() if name not in ("command", "versions")}
    require_same_origin(path, made_from, f"{path.parent} holds a run", "give another --save-to")


if __name__ == "__main__":
    sys.exit(main())
