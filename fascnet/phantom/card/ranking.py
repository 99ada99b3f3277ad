"""Which statistics differ: each one's span over real subjects against the phantom, and all at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fascnet.phantom.card.auroc import Auroc, compute_auroc, estimate_auroc, split_groups
from fascnet.phantom.card.sources import Source
from fascnet.phantom.card.statistics import PICTURE_STATISTICS, STATISTICS, Statistic

INSIDE, OUTSIDE, INFORMATIVE = "inside", "outside", "informative"

SHRINKAGE = 0.2
"""Weight of the unit matrix in the covariance of the linear discriminant, for few and correlated samples."""

_FOLDS = 5
_LEAST_GROUPS = 3


@dataclass(frozen=True, slots=True)
class Comparison:
    """One statistic, real against phantom; every subject (group) is one value.

    Attributes:
        statistic: which.
        real_low: smallest real value; NaN when there is none.
        real_median: median of the real values.
        real_high: largest real value.
        n_real: real groups.
        phantom_low: 10th percentile of the phantom's values.
        phantom_median: median of the phantom's values.
        phantom_high: 90th percentile of the phantom's values.
        n_phantom: phantom subjects.
        inside_share: share of phantom subjects within the real span.
        auroc: area under the ROC curve of this statistic alone, 0.5 to 1, real against phantom.
        amount: how far the phantom's median lies outside the span, in the statistic's unit, signed; 0 inside.
        verdict: `inside` when the phantom's median lies within the real span, `outside`, or `informative`
            when fewer than three real subjects give the statistic.
    """

    statistic: Statistic
    real_low: float
    real_median: float
    real_high: float
    n_real: int
    phantom_low: float
    phantom_median: float
    phantom_high: float
    n_phantom: int
    inside_share: float
    auroc: float
    amount: float
    verdict: str


def compare_statistics(
    sources: Sequence[Source], values: Sequence[Mapping[str, float]]
) -> tuple[Comparison, ...]:
    """Compare every statistic, in the order of `STATISTICS`.

    Args:
        sources: real and phantom sources.
        values: from `measure_source`, one for each source.
    """
    return tuple(_compare(statistic, sources, values) for statistic in STATISTICS)


def rank(comparisons: Sequence[Comparison]) -> list[Comparison]:
    """Return the comparisons, the most telling statistic first (by its AUROC alone, then by the amount)."""
    known = [each for each in comparisons if np.isfinite(each.auroc)]
    return sorted(known, key=lambda each: (-each.auroc, each.inside_share))


def _compare(
    statistic: Statistic, sources: Sequence[Source], values: Sequence[Mapping[str, float]]
) -> Comparison:
    real = collect(statistic.name, sources, values, is_real=True)
    phantom = collect(statistic.name, sources, values, is_real=False)
    blank = float("nan")
    low, middle, high = (
        (float(real.min()), float(np.median(real)), float(real.max())) if len(real) else (blank, blank, blank)
    )
    tenth, median, ninetieth = (
        (float(value) for value in np.percentile(phantom, [10, 50, 90])) if len(phantom) else (blank,) * 3
    )
    auroc = blank
    if len(real) and len(phantom):
        both = np.concatenate([real, phantom])
        auroc = compute_auroc(both, np.arange(len(both)) < len(real), np.ones(len(both)))
        auroc = max(auroc, 1 - auroc)
    amount = 0.0 if not np.isfinite(median - low) else min(median - low, 0.0) + max(median - high, 0.0)
    verdict = INSIDE if amount == 0.0 else OUTSIDE
    if len(real) < _LEAST_GROUPS or not len(phantom):
        verdict = INFORMATIVE
    return Comparison(
        statistic=statistic,
        real_low=low,
        real_median=middle,
        real_high=high,
        n_real=len(real),
        phantom_low=tenth,
        phantom_median=median,
        phantom_high=ninetieth,
        n_phantom=len(phantom),
        inside_share=float(((phantom >= low) & (phantom <= high)).mean()) if len(phantom) else blank,
        auroc=auroc,
        amount=amount,
        verdict=verdict,
    )


def collect(
    name: str, sources: Sequence[Source], values: Sequence[Mapping[str, float]], *, is_real: bool
) -> NDArray[np.float64]:
    """Return one value a group (subject) of one side: the mean over its sources that give the statistic."""
    by_group: dict[str, list[float]] = {}
    for source, measured in zip(sources, values, strict=True):
        value = measured.get(name, float("nan"))
        if source.is_real == is_real and np.isfinite(value):
            by_group.setdefault(source.group, []).append(value)
    return np.array([np.mean(each) for each in by_group.values()], dtype=np.float64)


@dataclass(frozen=True, slots=True)
class LinearJudge:
    """A linear discriminant on the picture statistics, subject-disjoint.

    Attributes:
        auroc: real against phantom.
        weights: (name, weight) on standardised statistics, largest first; positive means more in real.
        folds: folds of the cross-validation.
    """

    auroc: Auroc
    weights: tuple[tuple[str, float], ...]
    folds: int


def judge_linearly(
    sources: Sequence[Source],
    pictures: Sequence[Sequence[Mapping[str, float]]],
    seed: int,
    *,
    with_greys: bool = False,
) -> LinearJudge | None:
    """Tell real from phantom by the statistics of single pictures; None when a side has under two subjects.

    Fisher's linear discriminant with a shrunken covariance; every subject weighs the same.

    Args:
        sources: real and phantom sources.
        pictures: from `measure_pictures`, for each source.
        seed: of the folds and resamples.
        with_greys: also use what gain and dynamic range decide.
    """
    names = [each.name for each in PICTURE_STATISTICS if with_greys or not each.is_grey]
    rows, real, group = [], [], []
    for source, measured in zip(sources, pictures, strict=True):
        for picture in measured:
            rows.append([picture[name] for name in names])
            real.append(source.is_real)
            group.append(source.group)
    table = np.array(rows, dtype=np.float64)
    positive, groups = np.array(real, dtype=bool), np.array(group)
    if min(len(np.unique(groups[positive])), len(np.unique(groups[~positive]))) < 2:
        return None
    table = np.where(np.isfinite(table), table, np.nanmedian(table, axis=0))
    fold = split_groups(groups, positive, _FOLDS, seed)
    score = np.zeros(len(table))
    for held in np.unique(fold):
        train = fold != held
        weights, offset = _fit(table[train], positive[train], groups[train])
        score[~train] = table[~train] @ weights - offset
    weights, _ = _fit(table, positive, groups)
    by_size = sorted(
        zip(names, weights * table.std(axis=0), strict=True), key=lambda pair: -abs(float(pair[1]))
    )
    return LinearJudge(
        auroc=estimate_auroc(score, positive, groups, np.random.default_rng(seed)),
        weights=tuple((name, float(weight)) for name, weight in by_size),
        folds=len(np.unique(fold)),
    )


def _fit(
    table: NDArray[np.float64], positive: NDArray[np.bool_], group: NDArray[np.str_]
) -> tuple[NDArray[np.float64], float]:
    """Return Fisher's weights (k,) and offset; a score above 0 says real. Columns are standardised inside."""
    centre, spread = table.mean(axis=0), np.maximum(table.std(axis=0), 1e-9)
    scaled = (table - centre) / spread
    _, index, counts = np.unique(group, return_inverse=True, return_counts=True)
    share = 1 / counts[index]
    means = [np.average(scaled[side], axis=0, weights=share[side]) for side in (positive, ~positive)]
    residuals = scaled - np.where(positive[:, None], means[0], means[1])
    covariance = (residuals * share[:, None]).T @ residuals / share.sum()
    size = len(centre)
    covariance = (1 - SHRINKAGE) * covariance + SHRINKAGE * np.trace(covariance) / size * np.eye(size)
    weights = np.linalg.solve(covariance, means[0] - means[1])
    scale = max(float(np.sqrt(weights @ covariance @ weights)), 1e-9)
    weights = weights / scale
    offset = float(weights @ (means[0] + means[1]) / 2)
    plain = weights / spread
    return plain, offset + float(plain @ centre)
