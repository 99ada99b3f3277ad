"""The parts of `scripts/ablate.py`."""
