"""fascnet: trains, runs and benchmarks networks that find fasciculations in muscle ultrasound clips.

A research tool, not a medical device.
"""

import os

# Albumentations asks the package registry for its newest version on import unless told not to. Set here,
# above every other import of the package, so that spawned workers inherit it.
os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")
# Spinning OpenMP threads cost 2.5-22x throughput on a CPU that others use too; set before torch loads.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("GOMP_SPINCOUNT", "0")

__version__ = "0.1.0"
