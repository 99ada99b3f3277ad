"""The parts of `scripts/benchmark_speed.py`."""
