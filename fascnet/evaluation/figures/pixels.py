"""Pixel figures: does the heatmap light up where and when the muscle twitches?

Scores go into a histogram, one for true and one for other cells, so that memory does not grow with the clips.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from fascnet.data.labelling.targets import rasterise_truth
from fascnet.evaluation.figures import score_table
from fascnet.evaluation.sources.source import Heatmap
from fascnet.evaluation.uncertainty.bootstrap import FloatArray, divide
from fascnet.types import Labels

Uint8Array = NDArray[np.uint8]
BoolArray = NDArray[np.bool_]

_TICKS_AT_ONCE = 512
"""Truth maps are drawn this many heatmaps at a time."""


class PixelHistogram:
    """Counts of true and other cells by score.

    Args:
        bins: bins of equal width over 0-1. 256 keeps every value of a uint8 heatmap apart.

    Attributes:
        positive: true cells per bin, int64 (bins,).
        negative: other cells per bin, int64 (bins,).
    """

    def __init__(self, bins: int = 4096) -> None:
        if bins < 2:
            raise ValueError(f"bins is {bins}; give at least 2")
        self.bins = bins
        self.positive: NDArray[np.int64] = np.zeros(bins, dtype=np.int64)
        self.negative: NDArray[np.int64] = np.zeros(bins, dtype=np.int64)
        self._of_uint8 = self._find_bins(np.arange(256) / 255)

    def add(
        self,
        scores: NDArray[np.floating | np.uint8],
        truth: NDArray[np.bool_],
        valid: NDArray[np.bool_],
    ) -> None:
        """Count the cells where `valid`. One shape for all three; scores are 0-1, or uint8 with 255 = 1."""
        chosen = scores[valid]
        index = (
            self._of_uint8[chosen] if chosen.dtype == np.uint8 else self._find_bins(chosen.astype(np.float64))
        )
        is_true = truth[valid]
        self.positive += np.bincount(index[is_true], minlength=self.bins)
        self.negative += np.bincount(index[~is_true], minlength=self.bins)

    def merge(self, other: PixelHistogram) -> None:
        """Add another histogram's counts."""
        if other.bins != self.bins:
            raise ValueError(f"cannot merge {other.bins} bins into {self.bins}")
        self.positive += other.positive
        self.negative += other.negative

    def average_precision(self) -> float | None:
        """Return the average precision, None without true cells."""
        return _plain(average_precision(self.positive[None].astype(float), self.negative[None].astype(float)))

    def best_dice(self) -> tuple[float, float] | None:
        """Return the largest Dice over all thresholds, and where: an oracle, chosen on these very cells."""
        dice = dice_curve(self.positive, self.negative)
        if not np.isfinite(dice).any():
            return None
        best = int(np.nanargmax(dice))
        return float(dice[best]), best / self.bins

    def dice(self, threshold: float) -> float | None:
        """Return 2|A∩B| / (|A| + |B|) of the cells with score >= threshold and the true cells."""
        return _plain(dice_of_sums(self.count_at(threshold)[None]))

    def iou(self, threshold: float) -> float | None:
        """Return |A∩B| / |A∪B| of the cells with score >= threshold and the true cells."""
        return _plain(iou_of_sums(self.count_at(threshold)[None]))

    def count_at(self, threshold: float) -> FloatArray:
        """Return true positive, false positive and false negative cells at a threshold (to one bin)."""
        # A threshold between two bins belongs to the upper one: a bin below it is not admitted.
        first = min(int(np.ceil(threshold * self.bins - 1e-9)), self.bins - 1)
        hits, false = self.positive[first:].sum(), self.negative[first:].sum()
        return np.array([hits, false, self.positive[:first].sum()], dtype=np.float64)

    def _find_bins(self, scores: FloatArray) -> NDArray[np.int64]:
        return np.clip((scores * self.bins).astype(np.int64), 0, self.bins - 1)


def compare_heatmap(
    heatmap: Heatmap, labels: Labels, pixel_aspect: float = 1.0
) -> Iterator[tuple[Uint8Array, BoolArray, BoolArray]]:
    """Yield heatmap, truth and validity (T, h, w) in pieces, of one clip against one rater's labels.

    Heatmap k stands at k / fps. The disc of a point is round where pixels are `pixel_aspect` times as wide
    as high.
    """
    length = len(heatmap.values)
    shape = heatmap.values.shape[1:]
    for start in range(0, length, _TICKS_AT_ONCE):
        times_s = np.arange(start, min(start + _TICKS_AT_ONCE, length)) / heatmap.fps
        truth, valid = rasterise_truth(
            labels, times_s, heatmap.box, (shape[0], shape[1]), pixel_aspect=pixel_aspect
        )
        yield heatmap.values[start : start + len(times_s)], truth, valid


def leave_out_places(labels: Labels, ignored_certainty: frozenset[str]) -> Labels:
    """Forget where events of these certainty words are: no cell is true or false only because of them.

    The moments of such an event then count only where another event surely is.
    """
    events = [
        replace(event, region=None, ignore_region=None) if event.certainty in ignored_certainty else event
        for event in labels.events
    ]
    return replace(labels, events=tuple(events))


def average_precision(positive: FloatArray, negative: FloatArray) -> FloatArray:
    """Average precision, the sum of precision times the step in recall from high to low scores.

    Args:
        positive: true cells by bin of ascending score (..., bins).
        negative: other cells (..., bins).

    Returns:
        (...,), NaN without true cells. As defined by scikit-learn's `average_precision_score`, without
        interpolation.
    """
    falling = positive[..., ::-1], negative[..., ::-1]
    return score_table.average_precision(*falling, positive.sum(axis=-1))


def dice_curve(positive: NDArray[np.int64], negative: NDArray[np.int64]) -> FloatArray:
    """Return Dice at the lower edge of each bin (bins,)."""
    hits = np.cumsum(positive[::-1])[::-1].astype(np.float64)
    false = np.cumsum(negative[::-1])[::-1].astype(np.float64)
    return divide(2 * hits, hits + false + float(positive.sum()))


def dice_of_sums(sums: FloatArray) -> FloatArray:
    """Dice of summed true positive, false positive and false negative cells (..., 3)."""
    return divide(2 * sums[..., 0], 2 * sums[..., 0] + sums[..., 1] + sums[..., 2])


def iou_of_sums(sums: FloatArray) -> FloatArray:
    """Intersection over union of summed true positive, false positive and false negative cells (..., 3)."""
    return divide(sums[..., 0], sums.sum(axis=-1))


def _plain(value: FloatArray) -> float | None:
    return float(value[0]) if np.isfinite(value[0]) else None
