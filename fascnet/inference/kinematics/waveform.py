"""Times and speeds of a displacement waveform, between the frames.

The definitions are the phantom truth's (docs/phantom.md): onset where the displacement passes 5 % of its
peak, offset where it falls below 10 %. Five per cent of a small twitch drowns in noise, and at 30 Hz a rise
has two or three frames; so the onset is where the line through the crossings of 20 % and 50 % meets 5 %.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import Akima1DInterpolator

ONSET_LEVEL = 0.05
OFFSET_LEVEL = 0.10
HALF_LEVEL = 0.5
LINE_LEVELS = (0.2, 0.5)

_STEP_S = 0.001


@dataclass(frozen=True, slots=True)
class WaveformTimes:
    """What a waveform says.

    Attributes:
        onset_s: where its rise begins.
        peak_s: its maximum.
        peak: its value there.
        peak_slope: steepest rise before the peak, per second.
        half_s: where it has fallen to half of the peak; None when it does not within the waveform.
        offset_s: where it falls below a tenth; None when it does not.
    """

    onset_s: float
    peak_s: float
    peak: float
    peak_slope: float
    half_s: float | None
    offset_s: float | None


def measure_waveform(
    times_s: NDArray[np.float64], waveform: NDArray[np.float64], span_s: tuple[float, float]
) -> WaveformTimes | None:
    """Measure a waveform that starts near 0.

    Akima's interpolation (1970) neither rings at the sudden start, as a cubic spline does, nor flattens the
    peak, as monotone ones do.

    Args:
        times_s: (T,), increasing, T >= 4; even spacing is not needed.
        waveform: (T,).
        span_s: (from, to) within which its peak is sought.

    Returns:
        None when it has no peak inside the span: it only rises to the end, or never rises.
    """
    fine_s = np.arange(times_s[0], times_s[-1], _STEP_S)
    fine = Akima1DInterpolator(times_s, waveform)(fine_s)
    inside = np.flatnonzero((fine_s >= span_s[0]) & (fine_s <= span_s[1]))
    if inside.size == 0:
        return None
    top = int(inside[np.argmax(fine[inside])])
    peak = float(fine[top])
    if peak <= 0.0 or top >= len(fine) - 2:
        return None
    rise = [_find_last_below(fine, top, level * peak) for level in LINE_LEVELS]
    if any(index is None for index in rise):
        return None
    low_s, high_s = (float(fine_s[index]) for index in rise if index is not None)
    low, high = LINE_LEVELS
    onset_s = low_s - (high_s - low_s) * (low - ONSET_LEVEL) / (high - low)
    begin = int(np.searchsorted(fine_s, low_s))
    slope = np.gradient(fine, _STEP_S)[begin : top + 1]
    half, tenth = (np.flatnonzero(fine[top:] < level * peak) for level in (HALF_LEVEL, OFFSET_LEVEL))
    return WaveformTimes(
        onset_s=onset_s,
        peak_s=float(fine_s[top]),
        peak=peak,
        peak_slope=float(slope.max()),
        half_s=float(fine_s[top + half[0]]) if half.size else None,
        offset_s=float(fine_s[top + tenth[0]]) if tenth.size else None,
    )


def _find_last_below(values: NDArray[np.float64], end: int, level: float) -> int | None:
    below = np.flatnonzero(values[:end] < level)
    return int(below[-1]) if below.size else None
