"""Photos in the other domains, as sheets: a column for each photo, a row for each style.

python -m stargan_v2.sample RUN PHOTO... -o OUT
python -m stargan_v2.sample RUN PHOTO... -o OUT --reference ONE --reference ANOTHER --domain dusk

OUT, a folder, gets DOMAIN.png for every domain, in random styles, or in the styles of references, shown at the left. Photos
are resized to the square that the networks take.
"""

import sys
from pathlib import Path

from common.commands import cli
from common.commands.training_options import positive
from common.errors import InputError
from common.files import require_absent


def main(arguments=None):
    """Run the command and give its exit status."""
    return cli.report_errors(sample, command_parser().parse_args(arguments))


def command_parser():
    """The command's options."""
    result = cli.parser(__doc__)
    option = result.add_argument
    option("run", type=Path, metavar="RUN", help="what stargan_v2.train or stargan_v2.distill wrote")
    option("photos", type=Path, nargs="+", metavar="PHOTO")
    option("-o", "--output", type=Path, required=True, metavar="OUT", help="folder; made where it is missing")
    option(
        "--reference", type=Path, action="append", default=[], metavar="PHOTO", help="whose style to take; may be repeated"
    )
    option("--domain", metavar="NAME", help="to go to (default: all); that of the references")
    option("--rows", type=positive, default=6, metavar="N", help="random styles (default: %(default)s)")
    option(
        "--psi", type=cli.fraction, default=1.0, metavar="P", help="below 1: styles nearer their mean (default: %(default)s)"
    )
    option("--seed", type=int, default=0, metavar="S", help="of random styles (default: %(default)s)")
    option("--overwrite", action="store_true", help="replace sheets that are there")
    return result


def sample(options):
    """Write the sheets that `options` ask for."""
    from common.network.keras_backend import import_backend

    import_backend()
    import numpy as np

    from stargan_v2 import checkpoints, grids

    trained = checkpoints.load(options.run)
    chosen = domains_of(options, trained.domains)
    images, references = (read(paths, trained.config.size) for paths in (options.photos, options.reference))
    sheets = [options.output / f"{name}.png" for name in chosen]
    for path in sheets:
        require_absent(path, options.overwrite)
    options.output.mkdir(parents=True, exist_ok=True)
    one_hot = np.eye(len(trained.domains), dtype=np.float32)
    for name, path in zip(chosen, sheets, strict=True):
        domain = one_hot[trained.domains.index(name)]
        if options.reference:
            domains = np.repeat(domain[None], len(references), axis=0)
            sheet = grids.reference_grid(trained.networks, images, references, domains)
        else:
            sheet = grids.latent_grid(trained.networks, images, domain, options.rows, options.seed, options.psi)
        grids.write_sheet(sheet, path)
        print(path)


def domains_of(options, domains):
    """The domains to go to."""
    if options.domain is None:
        return domains
    if options.domain not in domains:
        raise InputError(f"--domain {options.domain}: the networks know {', '.join(domains)}")
    return (options.domain,)


def read(paths, size):
    """Photos as networks take them, `(count, size, size, 3)`."""
    import numpy as np

    from common.photos import read_rgb
    from stargan_v2.batches import resized

    return np.stack([resized(read_rgb(path), size) for path in paths]) if paths else None


if __name__ == "__main__":
    sys.exit(main())
