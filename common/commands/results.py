"""Where results go, and the run over a folder: the same for every command that gives a photo for a photo."""

import sys

from tqdm import tqdm

from common.commands import cli
from common.errors import InputError
from common.files import require_absent
from common.photos import photo_paths, require_writable, write_photo

# What a result's name has before its suffix where no other name is asked for.
RESULT_MARK = ".stylized"


def contents_of(folder):
    """Photos in `folder` without the results of earlier runs."""
    return [path for path in photo_paths(folder) if not path.stem.endswith(RESULT_MARK)]


def output_path(content, output, is_folder):
    """Where the result of `content` goes; `output` is the option of that name."""
    if output is None:
        return content.with_name(f"{content.stem}{RESULT_MARK}{content.suffix}")
    return output / content.name if is_folder else output


def require_free(path, overwrite):
    """Raise `InputError` where a result cannot be written to `path`, or something is there that may not be replaced."""
    require_writable(path)
    require_absent(path, overwrite)


def write_results(apply, contents, outputs, overwrite):
    """Write `apply(path)` of all photos that can be read; 1 where one could not, else 0."""
    failed = False
    for content, output in tqdm(list(zip(contents, outputs, strict=True)), unit="photo"):
        try:
            require_free(output, overwrite)
            write_photo(apply(content), output)
        except InputError as error:
            tqdm.write(f"error: {cli.message(error)}", file=sys.stderr)
            failed = True
    return int(failed)
