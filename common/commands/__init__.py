"""The commands, one module each, and what they share: `cli` and `training_options`."""
