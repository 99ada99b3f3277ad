"""How many subjects does a study need? By simulation, before the data are collected."""
