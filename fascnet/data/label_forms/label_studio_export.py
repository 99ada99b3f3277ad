"""Writes labels and predictions as tasks of Label Studio, with the labelling interface that shows them.

Label Studio draws rectangles on video: an outline, point or mask becomes the box around it, and an event
without a place a label on the timeline.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

from fascnet.data.label_forms.export_clip import ExportClip
from fascnet.data.label_forms.label_words import CONFOUNDERS
from fascnet.data.label_forms.shapes import find_corners
from fascnet.data.labelling.label_format import CERTAINTIES
from fascnet.data.labelling.regions import POINT_RADIUS_PX
from fascnet.data.whole_file import write_whole
from fascnet.types import FASCICULATION, Event, Point

TASKS_FILE = "label_studio.json"
INTERFACE_FILE = "label_studio_interface.xml"


def export_label_studio(clips: Sequence[ExportClip], output: Path, url_prefix: str) -> list[Path]:
    """Write `label_studio.json`, a task a clip, and `label_studio_interface.xml`.

    A model's events are predictions, a rater's are annotations.

    Args:
        clips: what to write; labels of several raters of one clip become annotations of one task.
        output: the folder; made when missing.
        url_prefix: what stands before the recording's file name in the task's address of the video.

    Returns:
        The files.

    Raises:
        LabelError: an event lies outside its recording, or the recording is not there.
        OutputError: a file cannot be written.
    """
    tasks: dict[str, dict[str, Any]] = {}
    for clip in clips:
        task = tasks.setdefault(clip.labels.clip_id, _start_task(clip, url_prefix))
        events = [_build_event(clip, event, n) for n, event in enumerate(clip.labels.events, start=1)]
        result = [part for parts in events for part in parts]
        if clip.predicted:
            scores = [event.score for event in clip.labels.events if event.score is not None]
            best = {"score": max(scores)} if scores else {}
            task["predictions"].append({"model_version": clip.labels.rater, "result": result, **best})
        else:
            task["annotations"].append({"result": result, "was_cancelled": False})
    words = {event.label for clip in clips for event in clip.labels.events}
    texts = {
        output / TASKS_FILE: json.dumps(list(tasks.values()), indent=1, allow_nan=False) + "\n",
        output / INTERFACE_FILE: _format_interface(words),
    }
    for path, text in texts.items():
        with write_whole(path) as part:
            part.write_text(text, encoding="utf-8")
    return list(texts)


def _start_task(clip: ExportClip, url_prefix: str) -> dict[str, Any]:
    video = f"{url_prefix}{clip.source.path.name}"
    rate_hz = clip.clock.n_frames / clip.clock.end_s
    data = {"video": video, "clip_id": clip.labels.clip_id, "fps": round(rate_hz, 4)}
    return {"data": data, "annotations": [], "predictions": []}


def _build_event(clip: ExportClip, event: Event, number: int) -> list[dict[str, Any]]:
    first, stop = clip.frames_of(event)
    region_id = f"event{number}"
    whole: dict[str, Any] = {"framesCount": clip.clock.n_frames, "duration": round(clip.clock.end_s, 6)}
    box = _find_percent(clip, event)
    value: dict[str, Any]
    if box is None:
        kind, name = "timelinelabels", "timeline"
        value = {**whole, "ranges": [{"start": first + 1, "end": stop}], "timelinelabels": [event.label]}
    else:
        kind, name = "videorectangle", "box"
        # Frames count from 1; the last is shown and ends the lifespan.
        frames = [(first, stop - 1 > first)] + ([(stop - 1, False)] if stop - 1 > first else [])
        keys = [
            {
                "frame": frame + 1,
                "time": round(clip.clock.time_of(frame), 6),
                "enabled": enabled,
                "rotation": 0,
                **box,
            }
            for frame, enabled in frames
        ]
        value = {**whole, "sequence": keys, "labels": [event.label]}
    parts = [_build_part(region_id, name, kind, value)]
    if event.certainty is not None:
        parts.append(_build_part(region_id, "certainty", "choices", {"choices": [event.certainty]}))
    return parts


def _build_part(region_id: str, from_name: str, kind: str, value: dict[str, Any]) -> dict[str, Any]:
    return {"id": region_id, "from_name": from_name, "to_name": "video", "type": kind, "value": value}


def _find_percent(clip: ExportClip, event: Event) -> dict[str, float] | None:
    shape = clip.shape_of(event)
    if shape is None:
        return None
    x0, y0, x1, y1 = find_corners(shape)
    if isinstance(shape, Point):
        x0, y0, x1, y1 = (v + d for v, d in zip((x0, y0, x1, y1), _AROUND_POINT, strict=True))
    width, height = clip.size
    # Label Studio moves what reaches out of the image back into it.
    x0, x1 = (min(max(x, -0.5), width - 0.5) for x in (x0, x1))
    y0, y1 = (min(max(y, -0.5), height - 0.5) for y in (y0, y1))
    return {
        "x": (x0 + 0.5) / width * 100,
        "y": (y0 + 0.5) / height * 100,
        "width": (x1 - x0) / width * 100,
        "height": (y1 - y0) / height * 100,
    }


_AROUND_POINT = (-POINT_RADIUS_PX, -POINT_RADIUS_PX, POINT_RADIUS_PX, POINT_RADIUS_PX)


def _format_interface(words: set[str]) -> str:
    names = [FASCICULATION, *sorted((words | set(CONFOUNDERS)) - {FASCICULATION})]
    labels = "\n".join(f"    <Label value={quoteattr(name)}/>" for name in names)
    choices = "\n".join(f"    <Choice value={quoteattr(name)}/>" for name in CERTAINTIES)
    return f"""<View>
  <!-- frameRate must be the recording's own; Label Studio counts 24 frames a second otherwise. -->
  <Video name="video" value="$video" frameRate="$fps"/>
  <VideoRectangle name="box" toName="video"/>
  <Labels name="labels" toName="video">
{labels}
  </Labels>
  <TimelineLabels name="timeline" toName="video">
{labels}
  </TimelineLabels>
  <Choices name="certainty" toName="video" perRegion="true">
{choices}
  </Choices>
</View>
"""
