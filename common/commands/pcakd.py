"""Photorealistic style transfer: photos in the light and colour of another.

pcakd stylize content.jpg style.jpg -o result.jpg
pcakd stylize holiday/ style.jpg -o stylized/ --backbone vgg
pcakd apply look.npz series/ -o results/
pcakd lut style.jpg -o style.cube --reference photos/
"""

import sys

from common.commands import apply_look, cli, style_lut, stylize
from common.network.registry import BACKBONES


def main(arguments=None):
    """Run the command and give its exit status."""
    parser = cli.parser(__doc__, "pcakd")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, module, about in (
        ("stylize", stylize, "photos in, photos in the light and colour of another out"),
        ("apply", apply_look, "apply a saved look to other photos"),
        ("lut", style_lut, "a style as a 3D LUT for other programs"),
    ):
        command = commands.add_parser(name, help=about, description=about)
        module.add_options(command)
        if name != "apply":
            command.add_argument(
                "--backbone", choices=BACKBONES, default="mobilenet", help="of the network (default: %(default)s)"
            )
    options = parser.parse_args(arguments)
    if options.command == "stylize":
        return cli.report_errors(stylize.stylize_photos, options, options.backbone)
    return cli.report_errors({"apply": apply_look.apply_look, "lut": style_lut.write_style_lut}[options.command], options)


if __name__ == "__main__":
    sys.exit(main())
