"""Chooses, on validation clips alone, the six numbers of an event and the calibration of clip scores."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import product

import numpy as np
import torch
from scipy.optimize import minimize

from fascnet.data.training_input.working_clip import WorkingClip
from fascnet.evaluation.figures.events import f1
from fascnet.models.unet import FasciculationUNet
from fascnet.training.validation import Review
from fascnet.types import ClipCalibration, EventDefinition

ONSET_THRESHOLDS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
OFFSET_SHARES = (0.4, 0.7)
MIN_ON_S = (0.067, 0.1, 0.134)

PRIOR_WEIGHT = 0.05
"""Pull of the calibration towards the identity: a dozen separable clips must not make scores of 0 and 1."""


def tune_on_validation(
    network: FasciculationUNet, clips: Sequence[WorkingClip], device: torch.device
) -> tuple[EventDefinition, ClipCalibration, dict[str, float]]:
    """Choose event definition and calibration.

    Args:
        network: in evaluation mode, on `device`.
        clips: validation clips.
        device: where the network is.

    Returns:
        The definition with the largest F1 (of equals, the one with the highest thresholds), the calibration,
        and the validation figures with them.
    """
    candidates = [
        EventDefinition(onset, round(onset * share, 3), min_on_s, min_off_s=0.1)
        for onset, share, min_on_s in product(ONSET_THRESHOLDS, OFFSET_SHARES, MIN_ON_S)
    ]
    review = Review(candidates)
    for clip in clips:
        review.add(clip, network, device)
    scores = np.nan_to_num(f1(review.counts), nan=-1.0)
    best = max(
        range(len(candidates)),
        key=lambda i: (scores[i], candidates[i].onset_threshold, candidates[i].min_on_s),
    )
    calibration = fit_calibration(review.clip_logits, review.clip_truths)
    return candidates[best], calibration, review.summarise(best)


def fit_calibration(logits: Sequence[float], truths: Sequence[bool]) -> ClipCalibration:
    """Fit Platt scaling (Platt 1999, with his smoothed targets) to validation clips.

    With one class only there is nothing to fit: the identity.
    """
    positives = sum(truths)
    negatives = len(truths) - positives
    if positives == 0 or negatives == 0:
        return ClipCalibration()
    z = np.asarray(logits)
    target = np.where(np.asarray(truths), (positives + 1) / (positives + 2), 1 / (negatives + 2))

    def measure_cost(parameters: np.ndarray) -> float:
        slope, intercept = math.exp(parameters[0]), parameters[1]
        logit = slope * z + intercept
        cross_entropy = np.logaddexp(0.0, logit) - target * logit
        return float(cross_entropy.sum() + PRIOR_WEIGHT * np.square(parameters).sum())

    fitted = minimize(measure_cost, np.zeros(2), method="Nelder-Mead", options={"xatol": 1e-6, "fatol": 1e-8})
    return ClipCalibration(float(math.exp(fitted.x[0])), float(fitted.x[1]))
