"""Chooses a classical detector's settings on labelled clips, by the F1 of its events.

A published detector with its published settings says how it travels; tuned on the same training split as the
network it says what its idea is worth. Both belong into a comparison.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fascnet.baselines.detector import ClassicalDetector
from fascnet.data.recording.recordings import open_clip
from fascnet.evaluation.figures.clips import build_auroc
from fascnet.evaluation.figures.events import f1, false_alarms_per_min, precision, recall
from fascnet.evaluation.matching.match import match_events
from fascnet.evaluation.matching.matching_rule import build_rule
from fascnet.inference.events import EventFinder
from fascnet.inference.scores import ClipPool
from fascnet.models.preprocessing import WorkingGrid
from fascnet.spacing import choose_spacing
from fascnet.types import ClipSource, Event, Labels

MATCHING = build_rule("overlap_6mm")
"""Any overlap in time, and the found centre within 6 mm of the labelled region: that of the network's own
validation."""

EVENT_ONLY = frozenset({"offset_share", "min_on_s", "min_off_s"})
"""Settings that leave the heatmaps as they are."""

Detector = ClassicalDetector[Any]

GRIDS: Mapping[str, Mapping[str, Sequence[object]]] = {
    "farneback": {
        "sigma_frames": (1.0, 2.0),
        "k_mad": (16.0, 8.0, 12.0, 24.0),
        "offset_share": (0.5, 1.0),
    },
    "difference": {
        "lag": (1, 2),
        "k_mad": (8.0, 12.0, 16.0, 24.0),
        "offset_share": (1.0, 0.5),
    },
    "bandpass": {
        "sigma_frames": (2.0, 1.0),
        "k_mad": (8.0, 12.0, 16.0, 24.0),
        "offset_share": (1.0, 0.5),
    },
    "klt": {
        "neighbourhood_px": (12.0, 6.0),
        "sigma_frames": (1.0, 2.0),
        "k_mad": (8.0, 16.0, 32.0),
        "offset_share": (1.0, 0.5),
    },
    "kobe": {
        "grid_px": (16,),
        "subtract_median": (False, True),
        "k_mad": (8.0, 4.0, 16.0, 32.0),
        "offset_share": (1.0, 0.5),
    },
    "curl": {
        "iterations": (3,),
        "largest_square_px": (100, 30),
        "k_mad": (32.0, 64.0, 128.0, 256.0),
        "offset_share": (1.0, 0.5),
        "pitch_mm": (0.15,),
        "rate_hz": (30.0,),
    },
    "gmm": {
        "learning_rate": (0.05, 0.01),
        "pass_learning_rate": (True,),
        "bright_blobs": (True,),
        "burn_in_frames": (60,),
        "min_blobs": (4, 2, 1, 0),
    },
    "tongue": {
        "min_magnitude_px": (2.0, 0.5, 0.25, 0.12),
    },
}
"""Values tried for each detector, all combinations. Of equals the first wins: what is published stands
first."""


@dataclass(slots=True)
class Trial:
    """One set of settings and what came of it.

    Attributes:
        detector: with these settings.
        changed: the settings that are tuned.
        sums: (4,) hits, false alarms, missed events, examined minutes.
        logits: pooled logit of each clip.
        truths: whether the clip holds a labelled fasciculation.
    """

    detector: Detector
    changed: dict[str, object]
    sums: np.ndarray = field(default_factory=lambda: np.zeros(4))
    logits: list[float] = field(default_factory=list)
    truths: list[bool] = field(default_factory=list)

    def figures(self) -> dict[str, float]:
        """Return F1, precision, recall, false alarms per minute and the clips' AUROC; NaN where undefined."""
        auroc = float("nan")
        if self.logits:
            curve = build_auroc(np.asarray(self.logits), np.asarray(self.truths))
            auroc = float(curve(np.ones((1, len(self.logits))))[0])
        return {
            "f1": float(f1(self.sums)),
            "precision": float(precision(self.sums)),
            "recall": float(recall(self.sums)),
            "false_alarms_per_min": float(false_alarms_per_min(self.sums)),
            "clip_auroc": auroc,
        }


def list_trials(start: Detector, grid: Mapping[str, Sequence[object]]) -> list[Trial]:
    """List the trials of a grid: every combination of its values, other settings as in `start`.

    Raises:
        SettingError: a value is outside the detector's range.
        TypeError: a key is no setting of the detector.
    """
    combinations = itertools.product(*grid.values())
    changes = [dict(zip(grid, values, strict=True)) for values in combinations]
    return [Trial(dataclasses.replace(start, **change), change) for change in changes]  # type: ignore[type-var]


def run_trials(trials: Sequence[Trial], clips: Iterable[ClipSource], labels: Mapping[str, Labels]) -> None:
    """Judge all trials on labelled clips; each clip is measured once for each way of measuring.

    The measurements of one clip are held in memory: clips of some tens of seconds, not recordings of hours.

    Args:
        trials: their sums and logits grow.
        clips: recordings; those without labels are skipped.
        labels: the reference's labels by clip_id.

    Raises:
        RecordingError: a recording cannot be read.
    """
    for clip in clips:
        if clip.clip_id in labels:
            for group in _group(trials, lambda trial: trial.detector.MEASURED_WITH):
                _judge_clip(group, clip, labels[clip.clip_id])


def choose_best(trials: Sequence[Trial]) -> Trial:
    """Return the trial with the highest event F1; the earlier one of equals, and NaN is the lowest."""
    return max(trials, key=lambda trial: np.nan_to_num(trial.figures()["f1"], nan=-1.0))


def _group(trials: Sequence[Trial], keys: Any) -> Iterator[list[Trial]]:
    """Put trials together that agree in some settings."""
    groups: dict[tuple[object, ...], list[Trial]] = {}
    for trial in trials:
        settings = trial.detector.settings()
        own = (type(trial.detector), *(settings[key] for key in sorted(keys(trial) & settings.keys())))
        groups.setdefault(own, []).append(trial)
    yield from groups.values()


def _judge_clip(trials: Sequence[Trial], clip: ClipSource, labels: Labels) -> None:
    first = trials[0].detector
    recording = open_clip(clip)
    grid = first.plan(recording.info)
    measurements = list(first.measure(recording, grid))
    for same in _group(trials, lambda trial: trial.detector.settings().keys() - EVENT_ONLY):
        _judge_measurements(same, measurements, grid, labels, first.assumed_mm_per_px)


def _judge_measurements(
    trials: Sequence[Trial],
    measurements: Sequence[Any],
    grid: WorkingGrid,
    labels: Labels,
    assumed_mm_per_px: float,
) -> None:
    detector = trials[0].detector
    spacing = choose_spacing(grid.mm_per_px, assumed_mm_per_px)
    shape = detector.shape(grid)
    finders = [
        EventFinder(
            trial.detector.event_definition, grid.rate_hz, shape, grid.box, spacing, grid.pixel_aspect
        )
        for trial in trials
    ]
    found: list[list[Event]] = [[] for _ in trials]
    pool = ClipPool()
    for chunk in detector.score(measurements, grid):
        for heatmap in chunk:
            pool.push(heatmap)
            for index, finder in enumerate(finders):
                found[index] += finder.push(heatmap)
    reference = labels.fasciculations()
    minutes = sum(end - begin for begin, end in labels.examined) / 60
    logit = pool.finish()
    for index, trial in enumerate(trials):
        events = found[index] + finders[index].finish(len(measurements) / grid.rate_hz)
        matching = match_events(
            reference,
            events,
            MATCHING,
            examined=labels.examined,
            mm_per_px=spacing,
            pixel_aspect=grid.pixel_aspect,
        )
        trial.sums += len(matching.matches), len(matching.false), len(matching.missed), minutes
        if logit is not None:
            # Rounded, so that the mean of equal cells is a tie however many cells a clip has.
            trial.logits.append(round(logit, 6))
            trial.truths.append(bool(reference))
