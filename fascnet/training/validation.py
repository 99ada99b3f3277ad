"""Figures on whole validation clips, by the code that predicts and benchmarks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain

import numpy as np
import torch
from numpy.typing import NDArray

from fascnet.data.labelling.targets import TWITCH, UNKNOWN, find_examined, paint_stencils
from fascnet.data.training_input.working_clip import WorkingClip
from fascnet.evaluation.figures.clips import build_auroc
from fascnet.evaluation.figures.events import f1, false_alarms_per_min, precision, recall
from fascnet.evaluation.figures.pixels import PixelHistogram
from fascnet.evaluation.matching.match import Matching, MatchingRule, match_events
from fascnet.inference.events import EventFinder
from fascnet.inference.heatmap_store import quantise
from fascnet.inference.place_evidence import score_places
from fascnet.inference.scores import ClipPool, calibrate, find_surest
from fascnet.inference.second_look import SecondLook, look_twice
from fascnet.inference.streaming import stream_probabilities
from fascnet.models.preprocessing import Tick
from fascnet.models.unet import FasciculationUNet
from fascnet.training.heatmap_spool import HeatmapSpool
from fascnet.types import ClipCalibration, Event, EventDefinition

MATCHING = MatchingRule("overlap_6mm", mode="overlap", max_distance_mm=6.0)
"""Any overlap in time, and the found centre within 6 mm of the labelled region."""

CHUNK_TICKS = 16


def stream_clip(
    clip: WorkingClip,
    network: FasciculationUNet,
    device: torch.device,
    second: SecondLook | None = None,
    again: FasciculationUNet | None = None,
) -> Iterator[NDArray[np.float32]]:
    """Run the network over one whole clip; yield its heatmaps (t, h, w) of probabilities 0-1, in order.

    Args:
        clip: a validation clip.
        network: in evaluation mode, on `device`.
        device: where the network is.
        second: to look twice; None for one look.
        again: judges in the second look; None: `network` does.
    """
    ticks = _read_ticks(clip)
    chunks = (
        stream_probabilities(network, ticks, CHUNK_TICKS, device)
        if second is None
        else look_twice(network, ticks, device, second, clip.grid, again=again)
    )
    return map(clip.grid.silence, chunks)


def count_cells(
    clip: WorkingClip, chunks: Iterable[NDArray[np.float32]], cells: PixelHistogram
) -> Iterator[NDArray[np.float32]]:
    """Yield the heatmaps of one whole clip, in chunks (t, h, w), as each is added to a histogram of cells.

    As in training, points and boxes leave what they do not say unknown: cells around a click that twitch must
    not make the others less probable.
    """
    grid = clip.grid
    stencils = clip.cut_stencils(grid.cells)
    rows, columns = (slice(0, n) for n in grid.cells)
    start = 0
    for chunk in chunks:
        times_s = clip.times_s[start : start + len(chunk)]
        codes = paint_stencils(stencils, clip.labels.examined, times_s, rows, columns)
        cells.add(chunk, codes == TWITCH, codes != UNKNOWN)
        start += len(chunk)
        yield chunk


@dataclass(slots=True)
class Review:
    """What was found in the clips reviewed so far.

    Attributes:
        definition: what makes a heatmap an event.
        pixels: cells by probability, true and other.
        counts: (4,) hits, false alarms, missed events, examined minutes.
        clip_logits: pooled logit of each clip's examined seconds.
        clip_surest: score of its surest event there, 0 without one.
        clip_truths: whether they hold a labelled fasciculation.
    """

    definition: EventDefinition
    pixels: PixelHistogram = field(default_factory=PixelHistogram)
    counts: NDArray[np.float64] = field(default_factory=lambda: np.zeros(4))
    clip_logits: list[float] = field(default_factory=list)
    clip_surest: list[float] = field(default_factory=list)
    clip_truths: list[bool] = field(default_factory=list)

    def add(
        self,
        clip: WorkingClip,
        chunks: Iterable[NDArray[np.float32]],
        found: Sequence[Event] | None = None,
    ) -> None:
        """Compare the heatmaps of one whole clip with its labels.

        Args:
            clip: a validation clip.
            chunks: its heatmaps (t, h, w), in order.
            found: its events, where the definition looks at places: those need the heatmaps twice.
        """
        finder = start_finder(clip, self.definition) if found is None else None
        ended: list[Event] = []
        pool = ClipPool()
        heatmaps = chain.from_iterable(count_cells(clip, chunks, self.pixels))
        examined = find_examined(clip.labels.examined, clip.times_s)
        for heatmap, is_examined in zip(heatmaps, examined, strict=True):
            if is_examined:
                pool.push(heatmap)
            else:
                pool.interrupt()
            if finder is not None:
                ended += finder.push(heatmap)
        if finder is not None:
            ended += finder.finish()
        events = ended if found is None else found
        matching = match_clip(clip, events)
        self.counts += _count(clip, matching)
        logit = pool.finish()
        if logit is not None:
            # What was found where nobody looked speaks for nothing.
            judged = [*(match.found for match in matching.matches), *matching.false]
            self.clip_logits.append(logit)
            self.clip_surest.append(find_surest(events[k] for k in judged))
            self.clip_truths.append(bool(matching.matches or matching.missed))

    def score_clips(self, calibration: ClipCalibration) -> NDArray[np.float64]:
        """Return the score (n,) of each clip."""
        pairs = zip(self.clip_logits, self.clip_surest, strict=True)
        return np.array([calibrate(logit, calibration, surest) for logit, surest in pairs])

    def summarise(self, calibration: ClipCalibration | None = None) -> dict[str, float]:
        """Return the figures; NaN where not defined.

        Args:
            calibration: of clip scores; before one is chosen, clips are told by their pooled logits.
        """
        precision_of_pixels = self.pixels.average_precision()
        scores = self.score_clips(ClipCalibration() if calibration is None else calibration)
        return {
            "pixel_ap": float("nan") if precision_of_pixels is None else precision_of_pixels,
            "clip_auroc": _compute_auroc(scores, np.asarray(self.clip_truths, bool)),
            **summarise_events(self.counts),
        }


def _compute_auroc(scores: NDArray[np.float64], truths: NDArray[np.bool_]) -> float:
    """Return the clips' AUROC; NaN with one class only."""
    return float(build_auroc(scores, truths)(np.ones((1, len(scores))))[0]) if len(scores) else float("nan")


def summarise_events(counts: NDArray[np.float64]) -> dict[str, float]:
    """Return the events' figures from (4,) hits, false alarms, missed events, examined minutes."""
    return {
        "event_f1": float(f1(counts)),
        "event_precision": float(precision(counts)),
        "event_recall": float(recall(counts)),
        "false_alarms_per_min": float(false_alarms_per_min(counts)),
    }


def start_finder(clip: WorkingClip, definition: EventDefinition) -> EventFinder:
    """Start to look for events in a working clip's heatmaps."""
    return EventFinder.on_grid(definition, clip.grid)


def find_events(
    spool: HeatmapSpool, index: int, clip: WorkingClip, definition: EventDefinition
) -> tuple[list[Event], EventFinder]:
    """Find the events of a clip whose heatmaps were kept; the finder knows what speaks for each."""
    finder = start_finder(clip, definition)
    found = [event for heatmap in spool.read(index) for event in finder.push(heatmap)]
    found += finder.finish()
    kept, _ = score_places(found, finder, map(quantise, spool.read_chunks(index)))
    return kept, finder


def match_clip(clip: WorkingClip, found: Sequence[Event]) -> Matching:
    """Match found events with a clip's labels."""
    labels = clip.labels
    return match_events(
        labels.fasciculations(),
        found,
        MATCHING,
        examined=labels.examined,
        mm_per_px=clip.grid.chosen_mm_per_px,
        pixel_aspect=clip.grid.pixel_aspect,
    )


def count_events(clip: WorkingClip, found: Sequence[Event]) -> NDArray[np.float64]:
    """Return (4,) hits, false alarms, missed events and examined minutes of one clip."""
    return _count(clip, match_clip(clip, found))


def _count(clip: WorkingClip, matching: Matching) -> NDArray[np.float64]:
    minutes = sum(end - begin for begin, end in clip.labels.examined) / 60
    return np.array([len(matching.matches), len(matching.false), len(matching.missed), minutes])


def _read_ticks(clip: WorkingClip) -> Iterator[Tick]:
    for image, dt_s in zip(clip.frames, clip.dt_s, strict=True):
        yield Tick(np.asarray(image), float(dt_s))
