"""Chooses, on validation clips alone, the numbers of an event and the calibration of cells and clips."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from fascnet.data.training_input.working_clip import WorkingClip
from fascnet.evaluation.figures.events import f1
from fascnet.evaluation.figures.pixels import PixelHistogram
from fascnet.inference.event_scores import has_weights
from fascnet.inference.second_look import SecondLook
from fascnet.models.unet import FasciculationUNet
from fascnet.training.calibration import fit_calibration, fit_cell_calibration, fold_into_head
from fascnet.training.definition_variations import vary_definition
from fascnet.training.event_scoring import LEAST_OF_A_KIND, LEAST_SUBJECTS, choose_scored_definition
from fascnet.training.heatmap_spool import HeatmapSpool
from fascnet.training.looks import choose_second_look
from fascnet.training.start import Start
from fascnet.training.validation import (
    Review,
    count_cells,
    count_events,
    find_events,
    match_clip,
    stream_clip,
)
from fascnet.types import ClipCalibration, EventDefinition

logger = logging.getLogger(__name__)

SEARCH: tuple[dict[str, tuple[float, ...]], ...] = (
    {
        "onset_threshold": (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95),
        "offset_share": (0.4, 0.6, 0.8, 1.0),
    },
    {"min_on_s": (0.067, 0.1, 0.134, 0.167, 0.2), "min_off_s": (0.034, 0.1)},
    {"join_cells": (0, 2, 4), "min_cells": (1, 4, 8, 16, 32)},
)
"""What is tried together, group after group: the best of one group is kept while the next is tried.
`offset_share` is the offset threshold over the onset threshold."""

SPECIFICITY = 0.985
"""Of clips without fasciculations, the share to be called negative: what eleven human raters reached on 25
videos (Vlazak & Kraemer-Best 2014)."""


@dataclass(frozen=True, slots=True)
class Tuning:
    """What validation clips decide.

    Attributes:
        definition: what makes a heatmap an event.
        calibration: of clip scores.
        operating_point: as in `ModelSpec`.
        figures: on the same clips.
        second_look: for clips that are looked at twice, else None.
    """

    definition: EventDefinition
    calibration: ClipCalibration
    operating_point: dict[str, float | int | None]
    figures: dict[str, float]
    second_look: SecondLook | None = None


def tune_looks(
    network: FasciculationUNet,
    clips: Sequence[WorkingClip],
    device: torch.device,
    earlier: Start | None,
    *,
    second_look: bool,
    trained: bool,
    n_modes: int | None = None,
    again: FasciculationUNet | None = None,
) -> Tuning:
    """Choose the numbers of a network whose clips are looked at once or twice.

    Args:
        network: in evaluation mode, on `device`; its head is rescaled in place.
        clips: validation clips.
        device: where the network is.
        earlier: the model that this one was started from, or None; one that looks twice goes on doing so.
        second_look: whether to look twice.
        trained: whether the weights changed since `earlier`. Where not, its first look stays as it was.
        n_modes: fields that the second look takes away; None: as `choose_second_look`.
        again: judges in the second look; None: `network` does.
    """
    if not second_look and (earlier is None or earlier.second_look is None):
        return tune_on_validation(network, clips, device, earlier)
    kept = None if earlier is None else earlier.second_look
    if earlier is not None and not trained and (kept is not None or has_weights(earlier.definition)):
        second = choose_second_look(earlier.definition, kept, n_modes)
    else:
        definition = tune_on_validation(network, clips, device, earlier).definition
        as_before = n_modes if n_modes is not None or kept is None else kept.n_modes
        second = choose_second_look(definition, None, as_before)
    return tune_on_validation(network, clips, device, earlier, second, again)


def tune_on_validation(
    network: FasciculationUNet,
    clips: Sequence[WorkingClip],
    device: torch.device,
    earlier: Start | None = None,
    second: SecondLook | None = None,
    again: FasciculationUNet | None = None,
) -> Tuning:
    """Calibrate the cells, then choose event definition, calibration of clips and operating point.

    Where a model with fitted event scores was started from and the clips are too few to fit them anew,
    nothing is chosen: the few would only spoil what many have decided.

    Args:
        network: in evaluation mode, on `device`; its head is rescaled in place, so that of the cells at
            probability p a share of p twitches.
        clips: validation clips.
        device: where the network is.
        earlier: the model that this one was started from, or None.
        second: what the first of two looks takes for an event, None for one look; with two, the mean of both
            is calibrated and the head stays as it is.
        again: judges in the second look; None: `network` does.

    Returns:
        The definition with the largest F1 (of equals, the strictest), with event scores where there is enough
        to fit them, its onsets and peaks moved by their median lag behind the labels; the rest; and the
        validation figures with them.
    """
    with HeatmapSpool() as spool:
        # As the mean of both looks is: it is calibrated anew.
        raw = None if second is None else replace(second, calibration=ClipCalibration())
        cells = _fill_spool(spool, network, clips, device, raw, again)
        calibration_of_cells = fit_cell_calibration(cells)
        spool.calibrate(calibration_of_cells)
        left_out: dict[str, float] = {}
        scored = choose_scored_definition(spool, clips)
        if scored is None and earlier is not None and has_weights(earlier.definition):
            spool.calibrate(ClipCalibration() if second is None else second.calibration)
            return _keep_earlier(spool, clips, earlier, second)
        if second is None:
            fold_into_head(network, calibration_of_cells)
        else:
            second = replace(second, calibration=calibration_of_cells)
        if scored is not None:
            definition, left_out["event_f1_left_out"] = scored
        else:
            definition = choose_definition(spool, clips)
        # A heatmap rises above its threshold, and is largest, some ticks after the movement.
        onset_lags_s, peak_lags_s = measure_lags_s(spool, clips, definition)
        definition = replace(
            definition, pad_onset_s=_choose_pad_s(onset_lags_s), pad_peak_s=_choose_pad_s(peak_lags_s)
        )
        review = _review(spool, clips, definition)
    calibration = fit_calibration(review.clip_logits, review.clip_truths, review.clip_surest)
    scores = review.score_clips(calibration)
    point = choose_operating_point(scores, np.array(review.clip_truths, bool))
    return Tuning(definition, calibration, point, {**review.summarise(calibration), **left_out}, second)


def _keep_earlier(
    spool: HeatmapSpool, clips: Sequence[WorkingClip], earlier: Start, second: SecondLook | None
) -> Tuning:
    """Keep what was chosen for the model that this one came from; say so, and judge it on the clips."""
    logger.warning(
        "%d validation clips of %d subjects are too few to choose thresholds and calibration on: those of "
        "the model of init are kept; put more subjects with fasciculations into split 'val' (%d found and "
        "%d false candidates of %d subjects are needed)",
        len(clips),
        len({clip.source.subject_id for clip in clips}),
        LEAST_OF_A_KIND,
        LEAST_OF_A_KIND,
        LEAST_SUBJECTS,
    )
    figures = _review(spool, clips, earlier.definition).summarise(earlier.calibration)
    return Tuning(earlier.definition, earlier.calibration, dict(earlier.operating_point), figures, second)


def _review(spool: HeatmapSpool, clips: Sequence[WorkingClip], definition: EventDefinition) -> Review:
    review = Review(definition)
    for index, clip in enumerate(clips):
        found, _ = find_events(spool, index, clip, definition)
        review.add(clip, spool.read_chunks(index), found)
    return review


def _fill_spool(
    spool: HeatmapSpool,
    network: FasciculationUNet,
    clips: Sequence[WorkingClip],
    device: torch.device,
    second: SecondLook | None,
    again: FasciculationUNet | None,
) -> PixelHistogram:
    """Run the network over the clips, once; return their cells by probability."""
    cells = PixelHistogram()
    for clip in clips:
        spool.begin(clip.grid.cells)
        for chunk in count_cells(clip, stream_clip(clip, network, device, second, again), cells):
            spool.append(chunk)
    return cells


def choose_definition(spool: HeatmapSpool, clips: Sequence[WorkingClip]) -> EventDefinition:
    """Choose the event definition with the largest F1, group after group of `SEARCH`, without event scores.

    Args:
        spool: the clips' heatmaps.
        clips: validation clips, in the same order.
    """
    chosen = EventDefinition(0.5, 0.3, min_on_s=0.1, min_off_s=0.034)
    for group in SEARCH:
        candidates = list(vary_definition(chosen, group))
        scores = [float(np.nan_to_num(f1(_count_all(spool, clips, d)), nan=-1.0)) for d in candidates]
        # Values rise towards the stricter: of equals, the last.
        chosen = candidates[max(range(len(candidates)), key=lambda i: (scores[i], i))]
    return chosen


def measure_lags_s(
    spool: HeatmapSpool, clips: Sequence[WorkingClip], definition: EventDefinition
) -> tuple[list[float], list[float]]:
    """Return how much later than labelled the found events begin, and peak where a peak is labelled."""
    onsets_s: list[float] = []
    peaks_s: list[float] = []
    for index, clip in enumerate(clips):
        found, reference = find_events(spool, index, clip, definition)[0], clip.labels.fasciculations()
        for match in match_clip(clip, found).matches:
            mine, labelled = found[match.found], reference[match.reference]
            onsets_s.append(mine.onset_s - labelled.onset_s)
            if mine.peak_s is not None and labelled.peak_s is not None:
                peaks_s.append(mine.peak_s - labelled.peak_s)
    return onsets_s, peaks_s


def _choose_pad_s(lags_s: Sequence[float]) -> float:
    return max(0.0, round(float(np.median(lags_s)), 3)) if lags_s else 0.0


def _count_all(
    spool: HeatmapSpool, clips: Sequence[WorkingClip], definition: EventDefinition
) -> NDArray[np.float64]:
    counts = [count_events(clip, find_events(spool, i, clip, definition)[0]) for i, clip in enumerate(clips)]
    return np.asarray(np.sum(counts, axis=0), np.float64)


def choose_operating_point(
    scores: NDArray[np.float64], truths: NDArray[np.bool_], specificity: float = SPECIFICITY
) -> dict[str, float | int | None]:
    """Choose the lowest score from which a clip is called positive at a given specificity.

    Args:
        scores: (n,) calibrated scores.
        truths: (n,) whether the clip holds a fasciculation.
        specificity: share of the clips without one that must stay negative, 0-1.

    Returns:
        `clip_threshold` (half way between the scores around it), the specificity asked for and reached, the
        sensitivity with it, and how many clips of either kind decided; empty without negative clips.
    """
    negatives, positives = np.sort(scores[~truths]), scores[truths]
    if not len(negatives):
        return {}
    # So many negatives, from the lowest, must lie below the threshold.
    n_below = math.ceil(specificity * len(negatives) - 1e-9)
    highest = float(negatives[n_below - 1]) if n_below else 0.0
    above = scores[scores > highest]
    threshold = (highest + float(above.min())) / 2 if len(above) else min(1.0, highest + 1e-6)
    return {
        "clip_threshold": threshold,
        "specificity_asked": specificity,
        "specificity": float((negatives < threshold).mean()),
        "sensitivity": float((positives >= threshold).mean()) if len(positives) else None,
        "n_negative": len(negatives),
        "n_positive": len(positives),
    }
