"""Fetch the paper's released students into ckpts/released/ (MIT licence).

python -m common.commands.download vgg
python -m common.commands.download mobilenet

Files that are there already and whole are not fetched again.
"""

import sys
import urllib.parse

from common.commands import cli
from common.errors import InputError
from common.network import registry

# The paper's public repository.
REPOSITORY = "https://raw.githubusercontent.com/chiutaiyin/PCA-Knowledge-Distillation/HEAD/"


def main(arguments=None):
    """Run the command and give its exit status."""
    parser = cli.parser(__doc__)
    parser.add_argument("backbone", choices=registry.BACKBONES)
    options = parser.parse_args(arguments)
    return cli.report_errors(download, registry.backbone(options.backbone))


def download(backbone, folder=None):
    """Fetch the paper's student of a `Backbone` into `folder`, by default where `load` of its module looks for it.

    Raises:
        InputError: no network, or a file is not the one that was published.
    """
    import pooch

    folder = folder or backbone.released_folder
    source = REPOSITORY + urllib.parse.quote(backbone.released.folder) + "/"
    pooch.get_logger().setLevel("WARNING")
    for file, sha256 in backbone.released.sha256.items():
        try:
            print(pooch.retrieve(source + file, f"sha256:{sha256}", file, folder, progressbar=True))
        except ValueError as error:
            raise InputError(f"{source}{file} is not the published file: {error}") from error
        except OSError as error:
            files = ", ".join(backbone.released.sha256)
            raise InputError(f"cannot reach {source} ({error}): fetch {files} from there by hand into {folder}") from error


if __name__ == "__main__":
    sys.exit(main())
