"""Where results go, and the run over a folder: the same for every command that gives a photo for a photo."""

import sys

from tqdm import tqdm

from common.commands import cli
from common.errors import InputError
from common.files import require_absent
from common.photos import photo_paths, require_writable
from common.photos.film_writer import film_output_ending
from common.photos.films import FILMS, is_film

# What a result's name has before its suffix where no other name is asked for.
RESULT_MARK = ".stylized"


def contents_of(folder):
    """Photos and films in `folder` without the results of earlier runs."""
    return [path for path in photo_paths(folder, also=FILMS) if not path.stem.endswith(RESULT_MARK)]


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


def for_each(work, contents, outputs, require):
    """Call `work(content, output)` for all that can be read and written.

    Args:
        work: gives an exit status.
        require: `(content, output)`, raises `InputError` where that cannot be.

    Returns:
        1 where one failed, else the largest status of `work`.
    """
    statuses = {0}
    for content, output in tqdm(list(zip(contents, outputs, strict=True)), unit="photo"):
        try:
            require(content, output)
            statuses.add(work(content, output))
        except InputError as error:
            tqdm.write(f"error: {cli.message(error)}", file=sys.stderr)
            statuses.add(1)
    return 1 if 1 in statuses else max(statuses)
