"""A data set: its table, its splits, its problems."""
