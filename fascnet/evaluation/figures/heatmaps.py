"""Pixel figures of a source's heatmaps; one clip's heatmap in memory at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from fascnet.evaluation.figures.boundary import (
    COLUMNS,
    mean_distance_mm,
    p95_distance_mm,
    sum_boundary,
)
from fascnet.evaluation.figures.pixels import (
    PixelHistogram,
    average_precision,
    compare_heatmap,
    dice_of_sums,
    iou_of_sums,
)
from fascnet.evaluation.outcome import ClipOutcome
from fascnet.evaluation.sources.source import ClipFacts, Heatmap, Source, read_heatmap
from fascnet.evaluation.uncertainty.bootstrap import Figure, FloatArray, estimate_from_sums, not_defined
from fascnet.types import Labels

PIXEL_BINS = 256
"""Every value of a uint8 heatmap has its own bin."""

_NAMES = ("dice", "iou", "average_precision", "best_dice", "boundary_mm", "boundary_p95_mm")


def score_pixels(
    outcomes: Sequence[ClipOutcome],
    source: Source,
    labels: Mapping[str, Labels],
    facts: Mapping[str, ClipFacts],
    threshold: float,
    weights: FloatArray,
) -> dict[str, Figure]:
    """Estimate how well heatmaps cover the labelled regions, outside the ignore rings.

    Args:
        outcomes: which clips to score.
        source: whose heatmaps.
        labels: the reference's labels by clip_id.
        facts: spacing and shape of pixels; a clip without one has no distances in mm.
        threshold: probability from which a cell counts as found, for Dice, IoU and the boundary.
        weights: bootstrap weights (B, S).
    """
    histograms: dict[int, PixelHistogram] = {}
    boundary = np.zeros((weights.shape[1], COLUMNS))
    for outcome in outcomes:
        path = source.clips[outcome.clip_id].heatmap
        if path is None:
            continue
        heatmap = read_heatmap(path)
        histogram = histograms.setdefault(outcome.subject, PixelHistogram(PIXEL_BINS))
        cell_mm = _find_cell_mm(heatmap, facts[outcome.clip_id])
        aspect = facts[outcome.clip_id].aspect
        for values, truth, valid in compare_heatmap(heatmap, labels[outcome.clip_id], aspect):
            histogram.add(values, truth, valid)
            if cell_mm is not None:
                boundary[outcome.subject] += sum_boundary(truth, values >= threshold * 255, valid, cell_mm)
    if not histograms:
        return dict.fromkeys(_NAMES, not_defined("this source has no heatmap of these clips", "true cells"))
    n_subjects = weights.shape[1]
    counts = np.zeros((n_subjects, 2 * PIXEL_BINS))
    at_threshold = np.zeros((n_subjects, 3))
    pooled = PixelHistogram(PIXEL_BINS)
    for subject, histogram in histograms.items():
        counts[subject] = np.concatenate([histogram.positive, histogram.negative])
        at_threshold[subject] = histogram.count_at(threshold)
        pooled.merge(histogram)
    n = int(pooled.positive.sum())
    undefined = "no true cell: no reference event has a place in an examined heatmap"

    def precision_of(sums: FloatArray) -> FloatArray:
        return average_precision(sums[..., :PIXEL_BINS], sums[..., PIXEL_BINS:])

    figures = {
        name: estimate_from_sums(sums, figure, weights, n=n, unit="true cells", undefined=undefined)
        for name, sums, figure in (
            ("dice", at_threshold, dice_of_sums),
            ("iou", at_threshold, iou_of_sums),
            ("average_precision", counts, precision_of),
        )
    }
    best = pooled.best_dice() if n else None
    if best is None:
        figures["best_dice"] = not_defined(undefined, "true cells")
    else:
        reason = f"oracle: threshold {best[1]:.3f} was chosen on these very clips"
        figures["best_dice"] = Figure(best[0], None, n, "true cells", len(histograms), reason)
    moments = int(boundary[:, 2].sum())
    for name, figure in (("boundary_mm", mean_distance_mm), ("boundary_p95_mm", p95_distance_mm)):
        figures[name] = estimate_from_sums(
            boundary,
            figure,
            weights,
            n=moments,
            unit="heatmap moments",
            undefined="no moment with a true and a found cell in a clip of known pixel spacing",
        )
    return figures


def _find_cell_mm(heatmap: Heatmap, facts: ClipFacts) -> tuple[float, float] | None:
    """Return height and width of a heatmap cell in mm, or None without a spacing."""
    mm_per_px = facts.mm_per_px
    if mm_per_px is None:
        return None
    x0, y0, x1, y1 = heatmap.box
    height, width = heatmap.values.shape[1:]
    return (y1 - y0) * mm_per_px / height, (x1 - x0) * mm_per_px * facts.aspect / width
