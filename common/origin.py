"""What stored work was made from, so that it is never gone on with as if it were something else."""

import hashlib
import json
from pathlib import Path

from common.errors import InputError
from common.files import written_whole


def sha256_of(*sources):
    """One SHA-256 of files and folders of files, whatever their names; what is no path (imagenet) counts as its name."""
    digest = hashlib.sha256()
    for source in sources:
        path = Path(source)
        files = sorted(file for file in path.iterdir() if file.is_file()) if path.is_dir() else [path]
        for file in files:
            digest.update(hashlib.sha256(file.read_bytes() if file.is_file() else str(source).encode()).digest())
    return digest.hexdigest()


def require_same_origin(path, origin, what, remedy):
    """Write what something is made from to `path`, or raise `InputError` where something else is told there.

    Args:
        path: a JSON file.
        origin: a dict that JSON can hold.
        what: what was made, for the message: "runs/vgg holds a run".
        remedy: what the user can do: "give another --save-to".
    """
    origin = json.loads(json.dumps(origin))  # tuples become lists, as they will be read
    if not path.exists():
        with written_whole(path) as temporary:
            temporary.write_text(json.dumps(origin, indent=2) + "\n")
        return
    found = read_origin(path)
    differing = [name for name in {**origin, **found} if found.get(name) != origin.get(name)]
    if differing:
        raise InputError(f"{what} made from other {', '.join(name.replace('_', ' ') for name in differing)}: {remedy}")


def read_origin(path):
    """What `require_same_origin` wrote to `path`.

    Raises:
        InputError: it is damaged.
    """
    try:
        found = json.loads(path.read_text())
    except ValueError as error:
        raise InputError(f"{path} is damaged: {error}") from error
    if not isinstance(found, dict):
        raise InputError(f"{path} is damaged: it does not say what was made from what")
    return found
