"""Who says what about which clip: a model's or baseline's files, or a rater's labels, brought to one form.

The benchmark never sees a model. Anything that can write `scores.csv` and `events.csv`, or label files, can
be judged.
"""

from __future__ import annotations

import math
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from fascnet.data.labelling.seconds import leave_out
from fascnet.errors import OutputError, SettingError
from fascnet.inference.tables import EVENTS_FILE, SCORES_FILE, read_tables
from fascnet.types import Event, Interval, Labels, PixelBox, Prediction


@dataclass(frozen=True, slots=True)
class ClipFacts:
    """What is known about a clip apart from its events.

    Attributes:
        subject_id: whose muscle it is.
        muscle: its name, or empty.
        side: `L`, `R` or empty.
        fps: frame rate of the recording.
        mm_per_px: spacing of stored pixels downwards; across it is `pixel_aspect` times that.
        pixel_aspect: width of a stored pixel over its height; None where nobody says it.
    """

    subject_id: str
    muscle: str = ""
    side: str = ""
    fps: float | None = None
    mm_per_px: float | None = None
    pixel_aspect: float | None = None

    @property
    def aspect(self) -> float:
        """Width of a stored pixel over its height; square where nobody says it."""
        return 1.0 if self.pixel_aspect is None else self.pixel_aspect


NOTHING_KNOWN = ClipFacts("")
"""Of a clip that nobody says anything about."""

NO_FACTS: Mapping[str, ClipFacts] = MappingProxyType({})
"""Of no clip anything."""


@dataclass(frozen=True, slots=True)
class ClipFindings:
    """What one source says about one clip.

    Attributes:
        clip_id: the clip.
        examined: seconds that the source looked at.
        events: fasciculations it found there, in order of onset.
        score: probability that the clip holds a fasciculation; None when the source gives none (raters).
        heatmap: file of its heatmap, opened only when pixels are scored; None when it has none.
        status: `ok` or `partial`.
        called: whether the source itself calls the clip positive; None where it does not say.
    """

    clip_id: str
    examined: tuple[Interval, ...]
    events: tuple[Event, ...]
    score: float | None = None
    heatmap: Path | None = None
    status: str = "ok"
    called: bool | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """A model, a baseline or a rater.

    Attributes:
        name: its name in every table.
        kind: `prediction` or `rater`.
        clips: its findings by clip_id; a clip that is not here was not judged, which is never the same as
            negative.
        failed: clips it tried and could not read, with the reason.
        facts: what it knows about clips (empty for raters).
        notes: what a reader must know of how its files were read.
    """

    name: str
    kind: str
    clips: Mapping[str, ClipFindings]
    failed: Mapping[str, str]
    facts: Mapping[str, ClipFacts]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Heatmap:
    """A heatmap file in memory: `values` uint8 (T, h, w), 255 = probability 1, over `box` at `fps`."""

    values: NDArray[np.uint8]
    fps: float
    box: PixelBox


def read_predictions(folder: Path) -> dict[str, Prediction]:
    """Read what `predict` wrote, by clip_id; heatmaps stay on disk (see `read_heatmap`).

    Raises:
        SettingError: the folder lacks a table; a missing `events.csv` must not read as "no events".
        OutputError: a table is damaged.
    """
    for name in (SCORES_FILE, EVENTS_FILE):
        if not (folder / name).is_file():
            raise SettingError(
                f"predictions: {folder} holds no {name}; give a folder that `fascnet predict` wrote"
            )
    predictions = read_tables(folder)
    for clip_id, prediction in predictions.items():
        if prediction.score is not None and not 0 <= prediction.score <= 1:
            raise OutputError(
                f"{folder / SCORES_FILE}: clip '{clip_id}' has score {prediction.score:g}, not 0-1"
            )
        if any(event.offset_s <= event.onset_s for event in prediction.events):
            raise OutputError(
                f"{folder / EVENTS_FILE}: clip '{clip_id}' has an event that ends before it begins"
            )
    return predictions


def read_heatmap(path: Path) -> Heatmap:
    """Read a `heatmap.npz`; nothing in it is executed.

    Raises:
        OutputError: the file is missing or damaged.
    """
    try:
        with np.load(path, allow_pickle=False) as data:
            values, fps, box = data["heatmap"], float(data["fps"]), np.asarray(data["box"]).ravel()
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, TypeError) as error:
        raise OutputError(f"{path}: missing or damaged; run predict again with overwrite=true") from error
    if values.dtype != np.uint8 or values.ndim != 3 or len(box) != 4 or not fps > 0:
        raise OutputError(
            f"{path}: is not a heatmap of predict (uint8 T, h, w with fps and box); run predict again"
        )
    x0, y0, x1, y1 = (int(value) for value in box)
    return Heatmap(values, fps, (x0, y0, x1, y1))


def build_source(name: str, folder: Path, *, leave_out_not_scored: bool = False) -> Source:
    """Bring a folder of predictions to the form of the benchmark.

    Args:
        name: its name in every table.
        folder: what `predict` wrote.
        leave_out_not_scored: seconds that were not scored count as not examined. Otherwise they count as
            examined without an event, so that a twitch in them is missed.
    """
    clips: dict[str, ClipFindings] = {}
    failed: dict[str, str] = {}
    facts: dict[str, ClipFacts] = {}
    for clip_id, prediction in read_predictions(folder).items():
        subject_id = prediction.subject_id if prediction.subject_id else clip_id
        facts[clip_id] = ClipFacts(
            subject_id,
            prediction.muscle,
            prediction.side,
            prediction.fps,
            prediction.mm_per_px,
            prediction.pixel_aspect,
        )
        if prediction.status == "failed":
            failed[clip_id] = prediction.reason if prediction.reason else "failed"
            continue
        # Rounding of the announced length must not cut the last event of a whole clip.
        seen_s = prediction.scored_s + prediction.not_scored_s
        end_s = seen_s if prediction.status == "partial" else math.inf
        gaps = [(gap.start_s, gap.end_s) for gap in prediction.not_scored] if leave_out_not_scored else []
        heatmap = folder / clip_id / "heatmap.npz"
        clips[clip_id] = ClipFindings(
            clip_id,
            leave_out((0.0, end_s), gaps),
            tuple(sorted(prediction.fasciculations(), key=lambda event: event.onset_s)),
            prediction.score,
            heatmap if heatmap.is_file() else None,
            prediction.status,
            prediction.positive,
        )
    return Source(name, "prediction", clips, failed, facts)


def build_rater(rater: str, labels: Mapping[str, Mapping[str, Labels]]) -> Source:
    """Bring one rater's labels (clip_id -> rater -> labels) to the form of the benchmark."""
    clips = {
        clip_id: ClipFindings(clip_id, by_rater[rater].examined, by_rater[rater].fasciculations())
        for clip_id, by_rater in labels.items()
        if rater in by_rater
    }
    return Source(rater, "rater", clips, {}, {})
