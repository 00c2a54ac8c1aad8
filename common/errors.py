"""Errors that are the user's to mend."""


class InputError(ValueError):
    """Something the user gave cannot be used; the message is one sentence written for them."""
