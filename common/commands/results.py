"""Where results go, and the run over a folder: the same for every command that gives a photo for a photo."""

import os
import sys
from concurrent.futures import ThreadPoolExecutor, as_completed

import psutil
from tqdm import tqdm

from common.commands import cli
from common.commands.training_options import positive
from common.errors import InputError
from common.files import require_absent
from common.photos import photo_paths, require_writable
from common.photos.files import open_photo
from common.photos.film_writer import film_output_ending
from common.photos.films import FILMS, is_film

# Of memory that a look takes for each pixel of a photo, and beside that for each photo that is under way (docs/looks.md).
BYTES_PER_PIXEL, BYTES_PER_JOB = 20, 200_000_000
# What a result's name has before its suffix where no other name is asked for.
RESULT_MARK = ".stylized"


def contents_of(folder):
    """Photos and films in `folder` without the results of earlier runs."""
    return without_results(photo_paths(folder, also=FILMS))


def without_results(paths):
    """`paths` without those that results have where no other name is asked for."""
    return [path for path in paths if not path.stem.endswith(RESULT_MARK)]


def output_path(content, output, is_folder):
    """Where the result of `content` goes; `output` is the option of that name."""
    ending = film_output_ending(content) if is_film(content) else content.suffix
    if output is None:
        return content.with_name(f"{content.stem}{RESULT_MARK}{ending}")
    return output / f"{content.stem}{ending}" if is_folder else output


def require_free(path, overwrite):
    """Raise `InputError` where a result cannot be written to `path`, or something is there that may not be replaced."""
    require_writable(path)
    require_absent(path, overwrite)


def add_folder_options(parser):
    """Give a parser the options that count where a folder is gone through."""
    option = parser.add_argument
    option("--jobs", type=positive, metavar="N", help="photos of a folder at a time (default: by cores and free memory)")
    option("--resume", action="store_true", help="leave out the photos of a folder whose results are there")


def require_folder_options(options, is_folder):
    """Raise `InputError` where the options of `add_folder_options` cannot be followed."""
    if not is_folder and (options.jobs or options.resume):
        raise InputError("--jobs and --resume go with a folder of photos")
    if options.resume and options.overwrite:
        raise InputError("--resume leaves results that are there, --overwrite replaces them: give one of both")


def for_each(work, contents, outputs, require, options, bytes_per_pixel=BYTES_PER_PIXEL):
    """Call `work(content, output)` for all that can be read and written, the largest files first, some at a time.

    Failures are told at the end, a line each; they cost no other photo its result.

    Args:
        work: gives an exit status. It is called from several threads.
        require: `(content, output)`, raises `InputError` where that cannot be.
        options: of a parser with `add_folder_options`.
        bytes_per_pixel: of memory that a photo takes.

    Returns:
        1 where one failed, else the largest status of `work`.
    """
    pairs = [(c, o) for c, o in zip(contents, outputs, strict=True) if not (options.resume and o.exists())]
    pairs.sort(key=lambda pair: -pair[0].stat().st_size if pair[0].exists() else 0)  # a link may lead nowhere

    def required_work(content, output):
        require(content, output)
        return work(content, output)

    with ThreadPoolExecutor(options.jobs or jobs_for(contents, bytes_per_pixel)) as pool:
        futures = [pool.submit(attempt, required_work, *pair) for pair in pairs]
        try:
            return summed_up((future.result() for future in as_completed(futures)), len(futures))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def attempt(work, content, output):
    """Call `work(content, output)`, which gives an exit status.

    Returns:
        `content`, the status, and None or one line that says why it failed.
    """
    try:
        return content, work(content, output), None
    except (InputError, OSError) as error:
        return content, 1, cli.message(error)
    except MemoryError:
        return content, 1, f"{content}: too little memory"


def summed_up(outcomes, count):
    """The exit status of a run: 1 where one failed, else the largest. A bar counts; failures are told at the end.

    Args:
        outcomes: what `attempt` gave for each, as they come.
        count: of them.
    """
    statuses, failures = {0}, {}
    for content, status, failure in tqdm(outcomes, total=count, unit="photo"):
        statuses.add(status)
        if failure:
            failures[content] = failure
    for content in sorted(failures):
        print(f"error: {failures[content]}", file=sys.stderr)
    return 1 if failures else max(statuses)


def jobs_for(contents, bytes_per_pixel):
    """How many of `contents` fit in the cores and the free memory at a time, were all as large as the largest."""
    pixels = max((pixels_in(content) for content in contents), default=0)
    fitting = psutil.virtual_memory().available // (BYTES_PER_JOB + bytes_per_pixel * pixels)
    return int(max(1, min(len(os.sched_getaffinity(0)), fitting)))


def pixels_in(path):
    """The number of a photo's pixels, as its header has it; 0 for what is none."""
    try:
        with open_photo(path) as photo:
            return photo.width * photo.height
    except InputError:
        return 0
