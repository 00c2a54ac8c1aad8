"""Give a photo the light and colour of another.

pcakd stylize content.jpg style.jpg -o result.jpg
pcakd stylize holiday/ style.jpg -o stylized/ --backbone vgg
"""

import sys

from common.commands import cli, stylize
from common.network.registry import BACKBONES


def main(arguments=None):
    """Run the command and give its exit status."""
    parser = cli.parser(__doc__, "pcakd")
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("stylize", help="photos in, photos in the light and colour of another out")
    command.add_argument("--backbone", choices=BACKBONES, default="mobilenet", help="of the network (default: %(default)s)")
    stylize.add_options(command)
    options = parser.parse_args(arguments)
    return cli.report_errors(stylize.stylize_photos, options, options.backbone)


if __name__ == "__main__":
    sys.exit(main())
