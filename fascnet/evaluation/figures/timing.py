"""How exactly in time? Errors of onset, peak and offset of matched events, found minus reference.

Only matched events have a timing error: read these figures beside recall. A rule that matches only what is
near in time makes them look better than they are, so measure them under any overlap.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fascnet.evaluation.figures.medians import build_mad, build_median
from fascnet.evaluation.matching.match import Match
from fascnet.evaluation.matching.matching_rule import TIME_ROUNDING_S
from fascnet.evaluation.uncertainty.bootstrap import (
    Figure,
    FloatArray,
    divide,
    estimate_from_subjects,
    estimate_from_sums,
    not_defined,
    sum_by_subject,
)
from fascnet.types import Event

MOMENTS = ("onset", "peak", "offset")

WITHIN_S = 0.167
"""±10 frames at 60 frame/s, the only published tolerance (tongue detector)."""


def measure_errors_s(
    reference: Sequence[Event], found: Sequence[Event], matches: Sequence[Match]
) -> FloatArray:
    """Return found minus reference of each match: onset, peak (NaN: unknown), offset (n, 3)."""
    rows = []
    for match in matches:
        true, mine = reference[match.reference], found[match.found]
        peak_s = np.nan if true.peak_s is None or mine.peak_s is None else mine.peak_s - true.peak_s
        rows.append((mine.onset_s - true.onset_s, peak_s, mine.offset_s - true.offset_s))
    return np.array(rows, dtype=np.float64).reshape(-1, 3)


def estimate_timing(
    errors_s: FloatArray, fps: FloatArray, subject: NDArray[np.int64], weights: FloatArray
) -> dict[str, Figure]:
    """Estimate median error, MAD, and the shares within 1 frame and within 167 ms, of each moment.

    Args:
        errors_s: from `measure_errors_s`, all clips (n, 3).
        fps: frame rate of each match's clip, NaN where unknown (n,).
        subject: index of each match's subject (n,).
        weights: from `draw_weights` (B, S).

    Returns:
        `onset_median_s` (positive: found too late), `onset_mad_s`, `onset_within_1_frame`,
        `onset_within_167_ms`, and the same for peak and offset.
    """
    figures: dict[str, Figure] = {}
    for column, moment in enumerate(MOMENTS):
        known = np.isfinite(errors_s[:, column])
        error, who = errors_s[known, column], subject[known]
        reason = f"no matched event with a known {moment} on both sides"
        names: tuple[str, ...] = (f"{moment}_median_s", f"{moment}_mad_s")
        if len(error) == 0:
            names += (f"{moment}_within_1_frame", f"{moment}_within_167_ms")
            figures |= {name: not_defined(reason, "matched events") for name in names}
            continue
        for name, build in zip(names, (build_median, build_mad), strict=True):
            figure = build(error, who, weights.shape[1])
            figures[name] = estimate_from_subjects(
                figure, who, weights, unit="matched events", undefined=reason
            )
        timed = np.isfinite(fps[known])
        frame_s = 1 / fps[known][timed]
        figures[f"{moment}_within_1_frame"] = _estimate_share(
            np.abs(error[timed]) <= frame_s + TIME_ROUNDING_S,
            who[timed],
            weights,
            f"{reason} and a known frame rate",
        )
        figures[f"{moment}_within_167_ms"] = _estimate_share(
            np.abs(error) <= WITHIN_S + 1e-9, who, weights, reason
        )
    return figures


def _estimate_share(
    within: NDArray[np.bool_], subject: NDArray[np.int64], weights: FloatArray, undefined: str
) -> Figure:
    rows = np.column_stack([within, np.ones(len(within))]).astype(np.float64)
    sums = sum_by_subject(rows, subject, weights.shape[1])
    return estimate_from_sums(
        sums, _share, weights, n=len(within), unit="matched events", undefined=undefined
    )


def _share(sums: FloatArray) -> FloatArray:
    return divide(sums[..., 0], sums[..., 1])
