"""Trained networks as one file, which holds their configuration: all that a folder of a training needs to be used."""

import json
from typing import NamedTuple

import numpy as np

from common import array_files
from common.errors import InputError
from common.network.variables import assign
from stargan_v2.networks import BUILDERS, Config

# The file in the folder of a run.
NETWORKS = "networks.npz"
KIND, VERSION = "StarGAN v2", 1
# Of all numbers in a configuration that is not taken for damaged.
LARGEST = 4096


class Trained(NamedTuple):
    """Networks that can be used.

    Attributes:
        domains: names of the domains, in their order.
        config: of generator, mapping network and style encoder.
        networks: by name, as `networks.BUILDERS`; a student's are without discriminator.
        discriminator_config: None where there is none.
        step: iterations that they were trained for.
    """

    domains: tuple[str, ...]
    config: Config
    networks: dict
    discriminator_config: Config | None
    step: int


def build(config, discriminator_config=None):
    """Untrained networks by name; a discriminator only where its configuration is given."""
    names = [name for name in BUILDERS if name != "discriminator"]
    networks = {name: BUILDERS[name](config) for name in names}
    if discriminator_config:
        networks["discriminator"] = BUILDERS["discriminator"](discriminator_config)
    return networks


def variables(networks):
    """All variables of networks, by name."""
    return {f"{name}/{variable.path}": variable for name, network in networks.items() for variable in network.variables}


def save(path, trained):
    """Write `Trained` networks, whole or not at all."""
    described = {
        "domains": trained.domains,
        "config": trained.config._asdict(),
        "discriminator_config": trained.discriminator_config and trained.discriminator_config._asdict(),
        "step": trained.step,
    }
    arrays = {name: np.asarray(variable, np.float32) for name, variable in variables(trained.networks).items()}
    array_files.write(path, KIND, VERSION, {"description": json.dumps(described)} | arrays)


def load(folder):
    """The `Trained` networks in the folder of a run, or in a file that `save` wrote.

    Raises:
        InputError: there are none, or they are damaged.
    """
    path = folder / NETWORKS if folder.is_dir() else folder
    if folder.is_dir() and not path.exists():
        raise InputError(f"{folder} holds no {NETWORKS}: it is no run of stargan_v2, or has not come to its first interval")
    arrays = array_files.read_kind(path, KIND, VERSION)
    try:
        described = json.loads(str(arrays.pop("description")))
        domains = tuple(map(str, described["domains"]))
        config = sound_config(described["config"], domains)
        of_discriminator = described["discriminator_config"]
        discriminator_config = sound_config(of_discriminator, domains) if of_discriminator else None
        result = Trained(
            domains,
            config,
            build(config, discriminator_config),
            discriminator_config,
            int(described["step"]),
        )
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise InputError(f"{path} is damaged: its description cannot be read ({error})") from error
    assign(variables(result.networks), arrays, path)
    return result


def sound_config(described, domains):
    """The `Config` that a file describes, of so many domains.

    Raises:
        TypeError, ValueError: there are none such.
    """
    config = Config(**described)
    numbers = config._replace(high_pass=1, separable=1, halvings=1 if config.halvings is None else config.halvings)
    if not all(isinstance(number, int) and 0 <= number <= LARGEST for number in numbers) or config.domains != len(domains):
        raise ValueError("no network has such sizes")
    return config
