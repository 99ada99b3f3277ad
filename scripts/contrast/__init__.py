"""The parts of `scripts/measure_contrast.py`."""
