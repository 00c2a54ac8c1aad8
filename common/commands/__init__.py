"""Commands, one a module: `python -m common.commands.NAME --help`."""
