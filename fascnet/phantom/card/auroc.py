"""Area under the ROC curve with an interval over resampled subjects."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 1000


@dataclass(frozen=True, slots=True)
class Auroc:
    """An area under the ROC curve.

    Attributes:
        value: 0.5 means that real and phantom cannot be told apart; NaN when one side is missing.
        low: lower end of the 95 % interval over resampled subjects; NaN with fewer than two on either side.
        high: upper end.
    """

    value: float
    low: float
    high: float


def compute_auroc(
    score: NDArray[np.float64], positive: NDArray[np.bool_], weight: NDArray[np.float64]
) -> float:
    """Return the weighted area under the ROC curve (Mann-Whitney; ties count half).

    Args:
        score: (n,).
        positive: (n,).
        weight: (n,), >= 0.
    """
    order = np.argsort(score, kind="stable")
    starts = np.flatnonzero(np.concatenate([[True], np.diff(score[order]) > 0]))
    above = np.add.reduceat((weight * positive)[order], starts)
    below = np.add.reduceat((weight * ~positive)[order], starts)
    total = above.sum() * below.sum()
    if total <= 0:
        return float("nan")
    return float((above * (np.cumsum(below) - 0.5 * below)).sum() / total)


def estimate_auroc(
    score: NDArray[np.float64], positive: NDArray[np.bool_], group: NDArray[np.str_], rng: np.random.Generator
) -> Auroc:
    """Estimate the area; every group counts the same, and groups of either side are resampled.

    Args:
        score: (n,), one a sample.
        positive: (n,), whether the sample is real.
        group: (n,), the subject of each sample.
        rng: source of the resamples.
    """
    names, index, counts = np.unique(group, return_inverse=True, return_counts=True)
    side = np.array([bool(positive[index == k][0]) for k in range(len(names))])
    base = 1 / counts[index]
    value = compute_auroc(score, positive, base)
    n_real, n_phantom = int(side.sum()), int((~side).sum())
    if min(n_real, n_phantom) < 2:
        return Auroc(value, float("nan"), float("nan"))
    values = []
    for _ in range(RESAMPLES):
        times = np.zeros(len(names))
        times[side] = rng.multinomial(n_real, np.full(n_real, 1 / n_real))
        times[~side] = rng.multinomial(n_phantom, np.full(n_phantom, 1 / n_phantom))
        values.append(compute_auroc(score, positive, base * times[index]))
    low, high = np.nanpercentile(values, [2.5, 97.5])
    return Auroc(value, float(low), float(high))


def split_groups(
    group: NDArray[np.str_], positive: NDArray[np.bool_], folds: int, seed: int
) -> NDArray[np.int64]:
    """Return the fold (n,) of each sample: whole groups, real and phantom groups dealt out separately.

    Args:
        group: (n,) subject of each sample.
        positive: (n,) whether it is real.
        folds: wanted; fewer when a side has fewer groups.
        seed: of the dealing.
    """
    rng = np.random.default_rng(seed)
    sides = [np.unique(group[positive]), np.unique(group[~positive])]
    used = max(min(folds, *(len(side) for side in sides)), 1)
    fold = np.zeros(len(group), dtype=np.int64)
    for side in sides:
        for place, name in enumerate(rng.permutation(side)):
            fold[group == name] = place % used
    return fold
