"""Reads Label Studio's JSON export: rectangles on video with key frames, and labels on the timeline.

Format: labelstud.io/guide/task_format and the tags VideoRectangle and TimelineLabels. Frames count from 1,
places are percent of the image, a key frame with `enabled: false` is shown itself and ends the lifespan.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from fascnet.data.label_forms.file_limits import MAX_FRAME, read_json
from fascnet.data.label_forms.label_words import read_certainty
from fascnet.data.label_forms.rater_events import (
    FormContents,
    FormEvent,
    FormRegion,
    FrameSpan,
    PercentBox,
    RaterEvents,
)
from fascnet.data.label_forms.shapes import join_regions
from fascnet.errors import LabelError

_VIDEO_SUFFIXES = (".mp4", ".webm", ".ogg", ".mov", ".avi", ".mkv", ".mpg", ".mpeg", ".m4v", ".gif", ".wmv")


def is_label_studio(tree: object) -> bool:
    """Whether a JSON tree is an export of Label Studio: tasks with `data` and annotations."""
    tasks = tree if isinstance(tree, list) else [tree]
    return bool(tasks) and all(
        isinstance(task, dict)
        and isinstance(task.get("data"), dict)
        and {"annotations", "predictions"} & set(task)
        for task in tasks
    )


def read_label_studio(path: Path) -> FormContents:
    """Read the annotations of all tasks; `predictions` are a model's and are never taken for a rater's.

    A finished annotation without any region says that no twitch was seen; a task without annotation, or with
    a cancelled one, says nothing. Raters are named `annotator_<id>`: no name and no address is taken over.

    Raises:
        LabelError: not such an export, or a value that cannot be.
    """
    tree = read_json(path)
    if not is_label_studio(tree):
        raise LabelError(f"{path}: is JSON but not of Label Studio; export the project as 'JSON'")
    ratings: list[RaterEvents] = []
    notes: list[str] = []
    for number, task in enumerate(tree if isinstance(tree, list) else [tree], start=1):
        where = f"{path} task {task.get('id', number)}"
        done = [
            one
            for one in _take_list(task.get("annotations", []), where)
            if isinstance(one, dict) and not one.get("was_cancelled")
        ]
        if not done:
            notes.append(f"{where}: has no finished annotation and was left out")
        for annotation in done:
            ratings.append(_read_annotation(annotation, task["data"], where))
    return FormContents(tuple(ratings), notes=tuple(notes))


def _read_annotation(annotation: Mapping[str, Any], data: Mapping[str, Any], where: str) -> RaterEvents:
    events: list[FormEvent] = []
    n_frames: int | None = None
    results = [one for one in _take_list(annotation.get("result", []), where) if isinstance(one, dict)]
    words = _collect_words(results, where)
    for result in results:
        kind, value = result.get("type"), result.get("value")
        if kind not in {"videorectangle", "timelinelabels"} or not isinstance(value, dict):
            continue
        at = f"{where} region {str(result.get('id', '?'))[:20]}"
        label, certainty = words.get(str(result.get("id")), (None, None))
        if label is None:
            raise LabelError(f"{at}: has no label; give it one in Label Studio and export again")
        n_frames = _read_count(value, at) if n_frames is None else n_frames
        spans = _read_sequence(value, at) if kind == "videorectangle" else _read_ranges(value, at)
        events += [FormEvent(span, at, region, label, certainty) for span, region in spans]
    by = annotation.get("completed_by")
    by = by.get("id") if isinstance(by, dict) else by
    rater = None if by is None else "annotator_" + "".join(c if c.isalnum() else "_" for c in str(by))[:40]
    return RaterEvents(_list_names(data), where, tuple(events), rater=rater, n_frames=n_frames)


def _collect_words(results: list[dict[str, Any]], where: str) -> dict[str, tuple[str | None, str | None]]:
    """Collect label and certainty by region: parts of one region are results of one id."""
    words: dict[str, tuple[str | None, str | None]] = {}
    for result in results:
        value = result.get("value")
        if not isinstance(value, dict):
            continue
        key = str(result.get("id"))
        label, certainty = words.get(key, (None, None))
        for name in ("labels", "timelinelabels", "videorectanglelabels"):
            listed = value.get(name)
            if isinstance(listed, list) and listed and label is None:
                label = str(listed[0])
        choices = value.get("choices")
        if result.get("from_name") == "certainty" and isinstance(choices, list) and choices:
            certainty = read_certainty(str(choices[0]), f"{where} region {key[:20]}")
        words[key] = (label, certainty)
    return words


def _read_sequence(value: Mapping[str, Any], where: str) -> Iterator[tuple[FrameSpan, FormRegion]]:
    keys = []
    for key in _take_list(value.get("sequence", []), where):
        if not isinstance(key, dict):
            raise LabelError(f"{where}: a key frame is no object; export it again")
        box = PercentBox(
            _take_number(key, "x", where, -100, 200),
            _take_number(key, "y", where, -100, 200),
            _take_number(key, "width", where, 0, 200),
            _take_number(key, "height", where, 0, 200),
            _take_number({"rotation": 0, **key}, "rotation", where, -360, 360),
        )
        if box.width <= 0 or box.height <= 0:
            raise LabelError(f"{where}: a rectangle has no area; draw it again or remove it")
        keys.append((_take_frame(key, "frame", where), box, key.get("enabled", True) is not False))
    keys.sort(key=lambda key: key[0])
    boxes: list[PercentBox] = []
    start: int | None = None
    for index, (frame, box, enabled) in enumerate(keys):
        start = frame if start is None else start
        boxes.append(box)
        last = index == len(keys) - 1
        if not enabled or last:
            # A lifespan that nothing ends goes on to the end of the video.
            count = _read_count(value, where) if enabled else None
            stop = frame + 1 if count is None else max(frame, count) + 1
            # Frames from 1 become frames from 0.
            yield FrameSpan(start - 1, stop - 1), join_regions(boxes, where)
            boxes, start = [], None


def _read_ranges(value: Mapping[str, Any], where: str) -> Iterator[tuple[FrameSpan, None]]:
    for part in _take_list(value.get("ranges", []), where):
        if not isinstance(part, dict):
            raise LabelError(f"{where}: a range is no object; export it again")
        start, last = _take_frame(part, "start", where), _take_frame(part, "end", where)
        if last < start:
            raise LabelError(f"{where}: ends at frame {last}, before it begins at {start}; mend it")
        yield FrameSpan(start - 1, last), None


def _read_count(value: Mapping[str, Any], where: str) -> int | None:
    if value.get("framesCount") is None:
        return None
    return round(_take_number(value, "framesCount", where, 1, MAX_FRAME))


def _list_names(data: Mapping[str, Any]) -> tuple[str, ...]:
    """List what may name the recording: `clip_id` if the task carries it, then the video's address."""
    texts = {str(key): value for key, value in data.items() if isinstance(value, str) and value.strip()}
    first = [texts[key] for key in ("clip_id", "video") if key in texts]
    others = [text for text in texts.values() if text.lower().split("?")[0].endswith(_VIDEO_SUFFIXES)]
    names = list(dict.fromkeys([*first, *others]))
    return tuple(names if names else texts.values())


def _take_list(tree: object, where: str) -> list[Any]:
    if not isinstance(tree, list):
        raise LabelError(f"{where}: holds no list where Label Studio writes one; export it again")
    return tree


def _take_number(tree: Mapping[str, Any], name: str, where: str, low: float, high: float) -> float:
    value = tree.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise LabelError(f"{where}: {name} is not a number; export it again")
    if not low <= value <= high:
        raise LabelError(f"{where}: {name} is {value:g}, outside {low:g} to {high:g}; export it again")
    return float(value)


def _take_frame(tree: Mapping[str, Any], name: str, where: str) -> int:
    return round(_take_number(tree, name, where, 1, MAX_FRAME))
