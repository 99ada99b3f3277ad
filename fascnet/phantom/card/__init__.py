"""The phantom card: the phantom beside published figures and beside real clips."""
