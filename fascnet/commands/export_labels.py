"""`fascnet export-labels`: writes labels or predictions for another tool."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fascnet.errors import SettingError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fascnet.data.label_forms.export_clip import ExportClip
    from fascnet.types import ClipSource, Event, Labels

PREDICTED_BY = "model"
"""The rater in whose place a model's events stand."""


def run(config: dict[str, Any]) -> int:
    """Export and say what was written.

    Args:
        config: `configs/export_labels.yaml`, resolved.

    Returns:
        0.

    Raises:
        FascnetError: a wrong setting, file or recording.
    """
    from fascnet.data.label_forms.export_clip import ExportClip  # noqa: PLC0415 - `--help` must be instant
    from fascnet.data.label_forms.exporting import EXPORT_FORMS, export_clips  # noqa: PLC0415
    from fascnet.data.label_forms.frame_clock import read_frame_clock  # noqa: PLC0415
    from fascnet.data.recording.find_clips import find_clips  # noqa: PLC0415
    from fascnet.inference.tables import SCORES_FILE  # noqa: PLC0415

    form, folder, output = str(config["form"]), Path(config["input"]), Path(config["output"])
    threshold, least = config["outline_threshold"], config["min_score"]
    rater = None if config["rater"] is None else str(config["rater"])
    if form not in EXPORT_FORMS:
        raise SettingError(f"form={form} must be one of {', '.join(EXPORT_FORMS)}")
    for key, value in (("outline_threshold", threshold), ("min_score", least)):
        if value is None and key == "outline_threshold":
            continue
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
            raise SettingError(f"{key}={value} must be a number from 0 to 1")
    if not folder.is_dir():
        raise SettingError(f"input={folder}: there is no such folder; name label files or predictions")
    sources = {clip.clip_id: clip for clip in find_clips(config["manifest"])}
    predicted = (folder / SCORES_FILE).is_file()
    # A table has no outlines: it keeps the model's own place.
    outlined = None if form == "csv" else threshold
    labels = _load_predictions(folder, outlined, float(least)) if predicted else _load_ratings(folder, rater)
    _check_known(labels, sources, folder)
    clocks = {one.clip_id: read_frame_clock(sources[one.clip_id]) for one in labels}
    clips: list[ExportClip] = [
        ExportClip(sources[one.clip_id], clocks[one.clip_id], one, predicted) for one in labels
    ]
    written = export_clips(clips, form, output, str(config["url_prefix"]))
    events = sum(len(one.events) for one in labels)
    what = "predicted" if predicted else "labelled"
    print(f"{output}: {len(clips)} clips with {events} {what} events in {len(written)} files for {form}")
    return 0


def _load_ratings(folder: Path, rater: str | None) -> list[Labels]:
    from fascnet.data.labelling.labels import load_labels  # noqa: PLC0415

    found = load_labels(folder)
    raters = sorted({one for of_clip in found.values() for one in of_clip})
    if not raters:
        raise SettingError(f"input={folder}: holds neither label files nor predictions; check the path")
    if rater is not None and rater not in raters:
        raise SettingError(f"rater={rater}: {folder} holds labels of {', '.join(raters)}")
    return [
        labels
        for of_clip in found.values()
        for one, labels in of_clip.items()
        if rater is None or one == rater
    ]


def _load_predictions(folder: Path, threshold: float | None, least: float) -> list[Labels]:
    """Read what `predict` wrote; each event gets the outline of its heatmap."""
    from fascnet.evaluation.sources.source import read_predictions  # noqa: PLC0415
    from fascnet.types import Labels  # noqa: PLC0415

    found = []
    for clip_id, prediction in read_predictions(folder).items():
        if prediction.status == "failed":
            continue
        kept = [event for event in prediction.events if event.score is None or event.score >= least]
        outlined = _outline(folder / clip_id, kept, threshold)
        seen_s = prediction.scored_s if math.isfinite(prediction.scored_s) else prediction.duration_s
        # The model looked from 0 to here; seconds that it could not score are left for the rater to look at.
        seen_s += prediction.not_scored_s
        examined = ((0.0, seen_s),) if seen_s > 0 else ()
        found.append(Labels(clip_id, PREDICTED_BY, examined, tuple(outlined)))
    return found


def _outline(folder: Path, events: list[Event], threshold: float | None) -> list[Event]:
    from fascnet.data.label_forms.heatmap_outline import outline_event  # noqa: PLC0415
    from fascnet.evaluation.sources.source import read_heatmap  # noqa: PLC0415

    path = folder / "heatmap.npz"
    if threshold is None or not events or not path.is_file():
        return events
    heatmap = read_heatmap(path)
    return [
        replace(event, region=outline_event(event, heatmap.values, heatmap.fps, heatmap.box, threshold))
        for event in events
    ]


def _check_known(labels: Sequence[Labels], sources: dict[str, ClipSource], folder: Path) -> None:
    unknown = sorted({one.clip_id for one in labels} - set(sources))
    if unknown:
        raise SettingError(
            f"manifest: does not list clip '{unknown[0]}' of {folder} ({len(unknown)} such clips); name the "
            "manifest that was used"
        )
