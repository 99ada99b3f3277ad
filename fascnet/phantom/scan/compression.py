"""Log compression and the grey map, as one table: the grey of an envelope follows from its leading bits.

A table costs less than a logarithm and has the same bits on every machine, which logarithms do not.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fascnet.phantom.scan.scan_settings import ScanSettings

MANTISSA_SHIFT = 12
"""Bits of a float32 that the table ignores: 2048 steps an octave, or 0.003 dB, are left."""

LOWEST = 2.0**-24
"""Envelope against white at which the table starts, -144 dB."""

_OCTAVES = 32
_STEPS = 2 ** (23 - MANTISSA_SHIFT)

FIRST_ENTRY = int(np.float32(LOWEST).view(np.int32)) >> MANTISSA_SHIFT
"""Leading bits of `LOWEST`."""

ENTRIES = _OCTAVES * _STEPS
"""Length of the table: up to 2⁸ times white."""


def make_grey_table(settings: ScanSettings, gain_db: float) -> NDArray[np.float32]:
    """Return the grey 0-255 (`ENTRIES`,) of each entry.

    Args:
        settings: dynamic range and grey map.
        gain_db: gain on top of the automatic one.
    """
    octave, step = np.divmod(np.arange(ENTRIES), _STEPS)
    middle = LOWEST * 2.0**octave * (1 + (step + 0.5) / _STEPS)
    level = np.clip(1 + (20 * np.log10(middle) + gain_db) / settings.dynamic_range_db, 0, 1)
    level = level**settings.gamma
    level += settings.s_curve * (level * level * (3 - 2 * level) - level)
    return np.asarray(255 * level, dtype=np.float32)
