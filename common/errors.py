"""Errors that are the user's to mend."""


class InputError(ValueError):
    """Something the user gave cannot be used; the message is one sentence written for them."""


class MemoryShortage(InputError):
    """What was asked for takes more memory than is free."""
