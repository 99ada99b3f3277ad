"""Makes probabilities of what is said of cells and of clips, by Platt scaling (Platt 1999)."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize

from fascnet.evaluation.figures.pixels import PixelHistogram
from fascnet.models.unet import FasciculationUNet
from fascnet.types import ClipCalibration

PRIOR_WEIGHT = 0.05
"""Pull of the calibration towards the identity: a dozen separable clips must not make scores of 0 and 1."""


def fold_into_head(network: FasciculationUNet, calibration: ClipCalibration) -> None:
    """Make the network give out slope · logit + intercept of what it gave out before."""
    with torch.no_grad():
        network.head.get_parameter("weight").mul_(calibration.slope)
        network.head.get_parameter("bias").mul_(calibration.slope).add_(calibration.intercept)


def fit_cell_calibration(cells: PixelHistogram) -> ClipCalibration:
    """Fit Platt scaling to cells counted by probability; the middle of a bin stands for all in it.

    Dice and focal losses make a network surer, or less sure, than it is right. Thresholds then crowd at one
    end of the range, where a heatmap kept as bytes cannot tell them apart. The identity when no cell twitches
    or none rests.
    """
    middles = (np.arange(cells.bins) + 0.5) / cells.bins
    return _fit(np.log(middles / (1.0 - middles)), cells.positive, cells.negative)


def fit_calibration(
    logits: Sequence[float], truths: Sequence[bool], surest: Sequence[float] | None = None
) -> ClipCalibration:
    """Fit Platt scaling, with his smoothed targets, to validation clips.

    With one class only there is nothing to fit: the identity.

    Args:
        logits: (n,) pooled logits.
        truths: (n,) whether the clip holds a fasciculation.
        surest: (n,) score of the clip's surest event, 0 without one; None leaves it out.
    """
    is_true = np.asarray(truths, bool)
    return _fit(
        np.asarray(logits, np.float64),
        is_true,
        ~is_true,
        None if surest is None else np.asarray(surest, np.float64),
    )


def _fit(
    z: NDArray[np.float64],
    positive: NDArray[np.generic],
    negative: NDArray[np.generic],
    surest: NDArray[np.float64] | None = None,
) -> ClipCalibration:
    """Fit to `positive` true and `negative` other cases at logits `z` and `surest` events, each (n,)."""
    n_true, n_other = positive.astype(np.float64), negative.astype(np.float64)
    positives, negatives = float(n_true.sum()), float(n_other.sum())
    if positives == 0 or negatives == 0:
        return ClipCalibration()
    # Expected numbers of true cases when each target is smoothed.
    expected = n_true * (positives + 1) / (positives + 2) + n_other / (negatives + 2)
    count = n_true + n_other

    def measure_cost(parameters: NDArray[np.float64]) -> float:
        logit = math.exp(parameters[0]) * z + parameters[1]
        if surest is not None:
            logit = logit + parameters[2] * surest
        cross_entropy = count * np.logaddexp(0.0, logit) - expected * logit
        return float(cross_entropy.sum() + PRIOR_WEIGHT * np.square(parameters).sum())

    # A surer event never makes a clip less likely.
    bounds = [(None, None), (None, None), (0.0, None)][: 2 if surest is None else 3]
    fitted = minimize(
        measure_cost,
        np.zeros(len(bounds)),
        method="Nelder-Mead",
        bounds=bounds,
        options={"xatol": 1e-6, "fatol": 1e-8, "maxiter": 2000},
    )
    return ClipCalibration(float(math.exp(fitted.x[0])), *map(float, fitted.x[1:]))
