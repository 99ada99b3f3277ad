"""Several comparisons at once: p values adjusted for how many there were."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fascnet.evaluation.uncertainty.differences import Difference

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class AdjustedP:
    """One comparison of a family.

    Attributes:
        p: as it was.
        holm: adjusted so that the chance of any false finding in the family is bounded.
        benjamini_hochberg: adjusted so that the expected share of false findings among findings is bounded.
        family: how many comparisons were adjusted for.
    """

    p: float
    holm: float
    benjamini_hochberg: float
    family: int

    def to_json(self) -> dict[str, object]:
        """Return the form of `metrics.json`."""
        return {
            "p": self.p,
            "p_holm": self.holm,
            "p_benjamini_hochberg": self.benjamini_hochberg,
            "family": self.family,
        }


def adjust_holm(p: FloatArray) -> FloatArray:
    """Adjust p values (m,) by Holm's step-down rule; holds however the comparisons depend on each other.

    The i-th smallest is multiplied by m - i + 1, never falls below its predecessor, never exceeds 1 (Holm
    1979, Scand J Statist 6:65-70).

    Raises:
        ValueError: a p is not between 0 and 1.
    """
    order = _sort(p)
    m = len(p)
    raised = np.minimum(np.maximum.accumulate(p[order] * np.arange(m, 0, -1)), 1.0)
    return _unsort(raised, order)


def adjust_benjamini_hochberg(p: FloatArray) -> FloatArray:
    """Adjust p values (m,), independent or positively dependent, by Benjamini & Hochberg's step-up rule.

    The i-th smallest is multiplied by m / i and never exceeds its successor (Benjamini & Hochberg 1995,
    J R Statist Soc B 57:289-300).

    Raises:
        ValueError: a p is not between 0 and 1.
    """
    order = _sort(p)
    m = len(p)
    raised = p[order] * m / np.arange(1, m + 1)
    return _unsort(np.minimum(np.minimum.accumulate(raised[::-1])[::-1], 1.0), order)


def adjust_differences(differences: Mapping[str, Difference]) -> dict[str, AdjustedP]:
    """Adjust a family of comparisons, set beforehand; those without p are no members of it."""
    known = {name: difference.p for name, difference in differences.items() if difference.p is not None}
    p = np.array(list(known.values()), dtype=np.float64)
    return {
        name: AdjustedP(float(raw), float(holm), float(rate), len(p))
        for name, raw, holm, rate in zip(known, p, adjust_holm(p), adjust_benjamini_hochberg(p), strict=True)
    }


def _sort(p: FloatArray) -> NDArray[np.intp]:
    if not ((p >= 0) & (p <= 1)).all():
        raise ValueError("p: a value is not between 0 and 1")
    return np.argsort(p, kind="stable")


def _unsort(ordered: FloatArray, order: NDArray[np.intp]) -> FloatArray:
    out = np.empty(len(order), dtype=np.float64)
    out[order] = ordered
    return out
