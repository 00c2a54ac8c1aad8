"""Errors that are the user's to mend."""

import importlib


class InputError(ValueError):
    """Something the user gave cannot be used; the message is one sentence written for them."""


class MemoryShortage(InputError):
    """What was asked for takes more memory than is free."""


def optional_package(name, missing):
    """The package called `name`, imported now.

    Raises:
        InputError: it is not installed; the message is `missing`.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise InputError(missing) from error
