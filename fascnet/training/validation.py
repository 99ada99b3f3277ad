"""Figures on whole validation clips, by the code that predicts and benchmarks; heatmaps are not kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch

from fascnet.data.labelling.targets import rasterise_truth
from fascnet.data.training_input.working_clip import WorkingClip
from fascnet.evaluation.figures.clips import build_auroc
from fascnet.evaluation.figures.events import f1, false_alarms_per_min, precision, recall
from fascnet.evaluation.figures.pixels import PixelHistogram
from fascnet.evaluation.matching.match import Matching, MatchingRule, match_events
from fascnet.inference.events import EventFinder
from fascnet.inference.scores import ClipPool
from fascnet.inference.streaming import stream_probabilities
from fascnet.models.preprocessing import Tick
from fascnet.models.unet import FasciculationUNet
from fascnet.types import Event, EventDefinition, Labels

MATCHING = MatchingRule("overlap_6mm", mode="overlap", max_distance_mm=6.0)
"""Any overlap in time, and the found centre within 6 mm of the labelled region."""

CHUNK_TICKS = 16


@dataclass(slots=True)
class Review:
    """What was found in the clips reviewed so far.

    Attributes:
        definitions: candidate event definitions; counts are kept for each.
        pixels: cells by probability, true and other.
        counts: (definitions, 4) hits, false alarms, missed events, examined minutes.
        clip_logits: pooled logit of each clip.
        clip_truths: whether it holds a labelled fasciculation.
    """

    definitions: Sequence[EventDefinition]
    pixels: PixelHistogram = field(default_factory=PixelHistogram)
    counts: np.ndarray = field(init=False)
    clip_logits: list[float] = field(default_factory=list)
    clip_truths: list[bool] = field(default_factory=list)
    _found: list[tuple[Labels, float | None, list[list[Event]]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.counts = np.zeros((len(self.definitions), 4))

    def add(self, clip: WorkingClip, network: FasciculationUNet, device: torch.device) -> None:
        """Run the network over one whole clip and compare with its labels."""
        grid, labels = clip.grid, clip.labels
        spacing = grid.mm_per_px if grid.mm_per_px is not None else grid.assumed_mm_per_px
        finders = [EventFinder(d, grid.rate_hz, grid.cells, grid.box, spacing) for d in self.definitions]
        found: list[list[Event]] = [[] for _ in finders]
        pool = ClipPool()
        start = 0
        for chunk in stream_probabilities(network, _read_ticks(clip), CHUNK_TICKS, device):
            times_s = np.arange(start, start + len(chunk)) / grid.rate_hz
            truth, valid = rasterise_truth(labels, times_s, grid.box, grid.cells)
            self.pixels.add(chunk, truth, valid)
            start += len(chunk)
            for heatmap in chunk:
                pool.push(heatmap)
                for index, finder in enumerate(finders):
                    found[index] += finder.push(heatmap)
        events = [found[index] + finder.finish() for index, finder in enumerate(finders)]
        self._found.append((labels, spacing, events))
        for index, of_definition in enumerate(events):
            self.counts[index] += _count(labels, of_definition, spacing)
        reference = labels.fasciculations()
        logit = pool.finish()
        if logit is not None:
            self.clip_logits.append(logit)
            self.clip_truths.append(bool(reference))

    def measure_onset_lags_s(self, index: int) -> list[float]:
        """Return how much later than labelled each found event begins, with one of the definitions."""
        lags: list[float] = []
        for labels, spacing, events in self._found:
            reference, found = labels.fasciculations(), events[index]
            matching = _match(labels, found, spacing)
            lags += [found[m.found].onset_s - reference[m.reference].onset_s for m in matching.matches]
        return lags

    def pad_onsets(self, index: int, pad_onset_s: float) -> None:
        """Move the onsets found with one of the definitions earlier, and count anew."""
        self.counts[index] = 0.0
        for labels, spacing, events in self._found:
            events[index] = [replace(e, onset_s=max(0.0, e.onset_s - pad_onset_s)) for e in events[index]]
            self.counts[index] += _count(labels, events[index], spacing)

    def compute_auroc(self) -> float:
        """Return the clips' AUROC; NaN with one class only."""
        if not self.clip_logits:
            return float("nan")
        auroc = build_auroc(np.asarray(self.clip_logits), np.asarray(self.clip_truths))
        return float(auroc(np.ones((1, len(self.clip_logits))))[0])

    def summarise(self, index: int = 0) -> dict[str, float]:
        """Return the figures with one of the definitions; NaN where not defined."""
        sums = self.counts[index]
        precision_of_pixels = self.pixels.average_precision()
        return {
            "pixel_ap": float("nan") if precision_of_pixels is None else precision_of_pixels,
            "clip_auroc": self.compute_auroc(),
            "event_f1": float(f1(sums)),
            "event_precision": float(precision(sums)),
            "event_recall": float(recall(sums)),
            "false_alarms_per_min": float(false_alarms_per_min(sums)),
        }


def _match(labels: Labels, found: Sequence[Event], spacing: float | None) -> Matching:
    return match_events(labels.fasciculations(), found, MATCHING, examined=labels.examined, mm_per_px=spacing)


def _count(labels: Labels, found: Sequence[Event], spacing: float | None) -> tuple[float, ...]:
    """Return hits, false alarms, missed events and examined minutes of one clip."""
    matching = _match(labels, found, spacing)
    minutes = sum(end - begin for begin, end in labels.examined) / 60
    return len(matching.matches), len(matching.false), len(matching.missed), minutes


def _read_ticks(clip: WorkingClip) -> Iterator[Tick]:
    for image, dt_s in zip(clip.frames, clip.dt_s, strict=True):
        yield Tick(np.asarray(image), float(dt_s))
