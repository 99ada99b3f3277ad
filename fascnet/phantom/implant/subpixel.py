"""Moves a picture by fractions of a pixel without making it softer.

Values between pixels come from a quintic spline through all pixels, without the 1/32 px steps of OpenCV's
`remap`. What any interpolation loses at half-pixel places, the finest details near the Nyquist frequency
(codec noise, upscaling patterns), is made up for by details of the same kind from a few pixels away: they
carry the same power but no movement of their own, so that neither sharpness nor noise tells where a picture
was moved, and no estimator of motion is drawn to whole pixels.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import convolve1d, map_coordinates, spline_filter

Picture = NDArray[np.float32]
"""Grey levels (H, W)."""

ORDER: Final = 5
"""Degree of the spline; 5 loses half as much of the finest details as 3, at twice the cost."""

SUPPORT_PX = 16
"""How far around a place pixels have a say in it: the spline's own filter falls by 0.43 a pixel."""

DETAIL_OFFSET_PX = (9, 7)
"""Where the details are taken from, (x, y): more than a speckle away, so that they are not in step. Model
choice."""

_TAPS = 15
# The quintic B-spline at whole and at half places (Unser 1999, IEEE Signal Processing Magazine 16:22).
_WHOLE = (66 / 120, 26 / 120, 1 / 120)
_HALF = (1682 / 3840, 237 / 3840, 1 / 3840)


def sample_picture(picture: Picture, columns: Picture, rows: Picture) -> Picture:
    """Return the values of a picture at places between its pixels.

    Args:
        picture: float32 (H, W); beyond its edges it is mirrored.
        columns: float32, x of each place in px.
        rows: float32, the same shape, y of each place in px.

    Returns:
        float32 of the places' shape; may pass the picture's own extremes a little.
    """
    spline = np.empty_like(picture)
    spline_filter(picture, order=ORDER, output=spline, mode="mirror")
    places = np.stack([rows, columns])
    # scipy's stubs know no real dtypes for `output`; the arrays are made here instead.
    values = np.empty(columns.shape, dtype=np.float32)
    map_coordinates(spline, places, output=values, order=ORDER, mode="mirror", prefilter=False)
    height, width = picture.shape
    # Not `rint`, which would take every second pixel twice where all places lie half-way.
    near_x, near_y = np.floor(columns + np.float32(0.5)), np.floor(rows + np.float32(0.5))
    from_x = np.clip(near_x - DETAIL_OFFSET_PX[0], 0, width - 1).astype(np.intp)
    from_y = np.clip(near_y - DETAIL_OFFSET_PX[1], 0, height - 1).astype(np.intp)
    for axis, phase in ((1, columns - near_x), (0, rows - near_y)):
        details = np.empty_like(picture)
        convolve1d(picture, _make_detail_kernel(), axis=axis, output=details, mode="mirror")
        values += _weigh_details(phase) * details[from_y, from_x]
    return values


def _weigh_details(phase: Picture) -> Picture:
    """Amplitude that is missing at a phase of -0.5 to 0.5 px: none at whole pixels, all at half ones.

    Interpolation between two pixels leaves |cos πp| of the finest wave; |sin πp| is missing in power.
    """
    return np.asarray(np.abs(np.sin(np.float32(np.pi) * phase)), dtype=np.float32)


@lru_cache(maxsize=1)
def _make_detail_kernel() -> NDArray[np.float64]:
    """Return the symmetric filter (_TAPS,) that passes the amplitude which half-pixel places lack."""
    turns = 2 * np.pi * np.fft.rfftfreq(256)
    whole, half = np.full_like(turns, _WHOLE[0]), np.zeros_like(turns)
    for k in (1, 2):
        whole += 2 * _WHOLE[k] * np.cos(k * turns)
    for k in (0, 1, 2):
        half += 2 * _HALF[k] * np.cos((k + 0.5) * turns)
    lost = np.sqrt(np.maximum(1 - np.square(half / whole), 0))
    taps = np.fft.fftshift(np.fft.irfft(lost))[128 - _TAPS // 2 : 129 + _TAPS // 2]
    kernel = taps * np.hanning(_TAPS + 2)[1:-1]
    # Flat parts of a picture hold no details.
    return np.asarray(kernel - kernel.mean())
