"""STAPLE: the hidden truth behind several raters, and how good each of them is, found together.

Warfield, Zou & Wells 2004, IEEE Trans Med Imaging 23:903, with the prevalence estimated too, which makes it
the latent class model of Dawid & Skene 1979, J R Stat Soc C 28:20, for two classes. Raters are taken to err
independently given the truth: an artefact that deceives all of them is counted as a fasciculation.

What was voted on enters as counts of vote patterns (3 ** raters of them), which add up over clips: all
resamples of the bootstrap go through the same few matrix products.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from fascnet.errors import SettingError
from fascnet.evaluation.uncertainty.bootstrap import Figure, FloatArray, divide, estimate_from_sums

MIN_RATERS = 3
"""Two raters leave three free counts for five unknowns: not identified."""

MAX_RATERS = 8
"""3 ** 8 = 6,561 patterns; more would not fit into memory with thousands of resamples."""

_ROUNDS = 300
_TOLERANCE = 1e-7
_EDGE = 1e-9
"""Probabilities stay this far from 0 and 1, where the logarithm ends."""


@dataclass(frozen=True, slots=True, eq=False)
class StapleFit:
    """What the votes say about truth and raters.

    Attributes:
        sensitivity: probability of a yes where there is a fasciculation (..., raters).
        specificity: probability of a no where there is none (..., raters).
        prevalence: share of slots with a fasciculation (...,).
        posterior: probability of a fasciculation given each vote pattern (..., patterns).
    """

    sensitivity: FloatArray
    specificity: FloatArray
    prevalence: FloatArray
    posterior: FloatArray


def list_patterns(n_raters: int) -> NDArray[np.int64]:
    """List all vote patterns of -1 (silent), 0, 1: (3 ** n_raters, n_raters).

    Raises:
        SettingError: too few or too many raters.
    """
    if not MIN_RATERS <= n_raters <= MAX_RATERS:
        raise SettingError(f"STAPLE needs {MIN_RATERS} to {MAX_RATERS} raters, not {n_raters}; use majority")
    return np.array(list(product((-1, 0, 1), repeat=n_raters)), dtype=np.int64)


def number_patterns(votes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the row of `list_patterns` of each row of votes (n, raters): (n,)."""
    return np.asarray((votes + 1) @ 3 ** np.arange(votes.shape[1])[::-1], dtype=np.int64)


def fit_staple(counts: FloatArray, patterns: NDArray[np.int64]) -> StapleFit:
    """Fit by expectation-maximisation.

    Args:
        counts: how often each pattern of votes was seen (..., P).
        patterns: the votes (P, R): 1 yes, 0 no, -1 silent.

    Returns:
        The fit; NaN where nothing was voted on, or nobody ever said yes.
    """
    yes, no = (patterns == 1).astype(np.float64), (patterns == 0).astype(np.float64)
    shape = counts.shape[:-1]
    sensitivity = np.full((*shape, patterns.shape[1]), 0.9)
    specificity = np.full((*shape, patterns.shape[1]), 0.99)
    # A pattern without any vote says nothing; it must not pull the prevalence.
    counts = counts * np.any(patterns >= 0, axis=1)
    n = counts.sum(axis=-1)
    voiced = yes.sum(axis=1) / np.maximum((yes + no).sum(axis=1), 1)
    prevalence = _keep_inside(divide(counts @ voiced, n))
    for _ in range(_ROUNDS):
        posterior = _weigh_patterns(sensitivity, specificity, prevalence, yes, no)
        true, untrue = counts * posterior, counts * (1 - posterior)
        new_sensitivity = _keep_inside(divide(true @ yes, true @ (yes + no)))
        new_specificity = _keep_inside(divide(untrue @ no, untrue @ (yes + no)))
        change = max(
            _largest(new_sensitivity - sensitivity),
            _largest(new_specificity - specificity),
        )
        sensitivity, specificity = new_sensitivity, new_specificity
        prevalence = _keep_inside(divide(true.sum(axis=-1), n))
        if change < _TOLERANCE:
            break
    posterior = _weigh_patterns(sensitivity, specificity, prevalence, yes, no)
    blank = (counts @ yes).sum(axis=-1) == 0
    return StapleFit(
        np.where(blank[..., None], np.nan, sensitivity),
        np.where(blank[..., None], np.nan, specificity),
        np.where(blank, np.nan, prevalence),
        np.where(blank[..., None], 0.0, posterior),
    )


def estimate_raters(
    counts: FloatArray, patterns: NDArray[np.int64], minutes: FloatArray, weights: FloatArray
) -> list[dict[str, Figure]]:
    """Estimate how good each rater is without any truth: `sensitivity` and `false_alarms_per_min`.

    Args:
        counts: how often each pattern was seen, per subject (S, P).
        patterns: the votes (P, R).
        minutes: what each rater examined, per subject (S, R).
        weights: from `draw_weights` (B, S).

    Returns:
        Figures of each rater, in order.
    """
    n_patterns, n_raters = patterns.shape
    known: dict[bytes, FloatArray] = {}

    def compute(sums: FloatArray) -> FloatArray:
        # Each rater's figures come from one fit; `estimate_from_sums` asks for one figure at a time.
        key = sums.tobytes()
        if key not in known:
            fit = fit_staple(sums[..., :n_patterns], patterns)
            false = (sums[..., :n_patterns] * (1 - fit.posterior)) @ (patterns == 1)
            rates = np.where(np.isnan(fit.sensitivity), np.nan, divide(false, sums[..., n_patterns:]))
            known[key] = np.stack([fit.sensitivity, rates], axis=-1)
        return known[key]

    sums = np.concatenate([counts, minutes], axis=1)
    n = round(float(counts.sum()))

    def estimate(rater: int, column: int) -> Figure:
        return estimate_from_sums(
            sums,
            lambda total: compute(total)[..., rater, column],
            weights,
            n=n,
            unit="slots voted on",
            undefined="no rater saw any event",
        )

    names = ("sensitivity", "false_alarms_per_min")
    return [{name: estimate(r, column) for column, name in enumerate(names)} for r in range(n_raters)]


def _weigh_patterns(
    sensitivity: FloatArray, specificity: FloatArray, prevalence: FloatArray, yes: FloatArray, no: FloatArray
) -> FloatArray:
    """Posterior of a fasciculation given each pattern, by Bayes' rule on log odds: (..., P)."""
    odds = np.log(sensitivity / (1 - specificity)) @ yes.T + np.log((1 - sensitivity) / specificity) @ no.T
    odds += np.log(prevalence / (1 - prevalence))[..., None]
    return np.asarray(1 / (1 + np.exp(-np.clip(odds, -700, 700))), dtype=np.float64)


def _keep_inside(share: FloatArray) -> FloatArray:
    """Keep probabilities off 0 and 1; one that nothing speaks about (a silent rater) is a coin's."""
    return np.clip(np.where(np.isnan(share), 0.5, share), _EDGE, 1 - _EDGE)


def _largest(change: FloatArray) -> float:
    return float(np.abs(change).max(initial=0.0))
