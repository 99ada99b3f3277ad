"""Writes labels and predictions as CVAT's "for video" XML 1.1, to be uploaded to a task of the clip.

Frames are those of the recording: the task must have been made of the whole recording, step 1.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from fascnet.data.label_forms.cvat_shapes import write_shape
from fascnet.data.label_forms.cvat_tracks import CERTAINTY, PEAK_FRAME, PLACE, PLACE_UNKNOWN, SCORE
from fascnet.data.label_forms.export_clip import ExportClip
from fascnet.data.label_forms.label_words import CONFOUNDERS
from fascnet.data.label_forms.rater_events import MaskPixels
from fascnet.data.labelling.label_format import CERTAINTIES
from fascnet.data.whole_file import write_whole
from fascnet.types import FASCICULATION, Box, Event, Point, Polygon

LABELS_FILE = "cvat_labels.json"


def export_cvat(clips: Sequence[ExportClip], output: Path) -> list[Path]:
    """Write `<clip_id>.<rater>.xml` for each clip, and the labels for the task's constructor.

    Args:
        clips: what to write.
        output: the folder; made when missing.

    Returns:
        The files.

    Raises:
        LabelError: an event lies outside its recording, or the recording is not there.
        OutputError: a file cannot be written.
    """
    texts = {output / f"{one.labels.clip_id}.{one.labels.rater}.xml": format_cvat(one) for one in clips}
    words = {event.label for one in clips for event in one.labels.events}
    texts[output / LABELS_FILE] = json.dumps(_describe_labels(words), indent=1) + "\n"
    for path, text in texts.items():
        with write_whole(path) as part:
            part.write_text(text, encoding="utf-8")
    return list(texts)


def format_cvat(clip: ExportClip) -> str:
    """Return the XML of one clip. A mask is a shape a frame, since CVAT has no tracks of masks."""
    root = Element("annotations")
    SubElement(root, "version").text = "1.1"
    _add_head(root, clip)
    number = 0
    for group, event in enumerate(clip.labels.events, start=1):
        for track in _build_tracks(clip, event, group):
            track.set("id", str(number))
            root.append(track)
            number += 1
    indent(root, "  ")
    return '<?xml version="1.0" encoding="utf-8"?>\n' + tostring(root, encoding="unicode") + "\n"


def _add_head(root: Element, clip: ExportClip) -> None:
    width, height = clip.size
    first, stop = _find_examined_frames(clip)
    meta = SubElement(root, "meta")
    task = SubElement(meta, "task")
    facts = {
        "name": clip.labels.clip_id,
        "size": str(clip.clock.n_frames),
        "mode": "interpolation",
        "start_frame": str(first),
        "stop_frame": str(stop - 1),
        "frame_filter": "",
    }
    for name, text in facts.items():
        SubElement(task, name).text = text
    size = SubElement(task, "original_size")
    SubElement(size, "width").text = str(width)
    SubElement(size, "height").text = str(height)
    SubElement(meta, "source").text = clip.source.path.name


def _find_examined_frames(clip: ExportClip) -> tuple[int, int]:
    """Return the frames from the first examined to the last; a file has one stretch only."""
    examined = clip.labels.examined
    if not examined:
        return 0, clip.clock.n_frames
    return clip.clock.frames_in(examined[0][0], examined[-1][1])


def _build_tracks(clip: ExportClip, event: Event, group: int) -> list[Element]:
    first, stop = clip.frames_of(event)
    shape = clip.shape_of(event)
    words = _describe(clip, event)
    if shape is None:
        width, height = clip.size
        # CVAT has no track without a shape: the whole image, and a word that its place means nothing.
        shape = Box(-0.5, -0.5, width - 0.5, height - 0.5)
        words[PLACE] = PLACE_UNKNOWN
    track_facts = {"label": event.label, "source": "auto" if clip.predicted else "manual"}
    if isinstance(shape, MaskPixels):
        track_facts["group_id"] = str(group)
        tracks = []
        for frame in range(first, stop):
            track = Element("track", track_facts)
            _add_shape(track, shape, frame, words, outside=False)
            if frame + 1 < clip.clock.n_frames:
                _add_shape(track, shape, frame + 1, {}, outside=True)
            tracks.append(track)
        return tracks
    track = Element("track", track_facts)
    _add_shape(track, shape, first, words, outside=False)
    if stop < clip.clock.n_frames:
        _add_shape(track, shape, stop, words, outside=True)
    elif stop - 1 > first:
        _add_shape(track, shape, stop - 1, words, outside=False)
    return [track]


def _add_shape(
    track: Element,
    shape: Polygon | Box | Point | MaskPixels,
    frame: int,
    words: dict[str, str],
    *,
    outside: bool,
) -> None:
    kind, place = write_shape(shape)
    facts = {"frame": str(frame), "keyframe": "1", "outside": str(int(outside)), "occluded": "0", **place}
    element = SubElement(track, kind, {**facts, "z_order": "0"})
    for name, text in words.items():
        SubElement(element, "attribute", {"name": name}).text = text


def _describe(clip: ExportClip, event: Event) -> dict[str, str]:
    words: dict[str, str] = {}
    if event.certainty is not None:
        words[CERTAINTY] = event.certainty
    if event.peak_s is not None:
        words[PEAK_FRAME] = str(clip.clock.nearest_frame(event.peak_s))
    if event.score is not None:
        words[SCORE] = f"{event.score:.3f}"
    return words


def _describe_labels(words: set[str]) -> list[dict[str, object]]:
    """List the labels of a task, in the form of CVAT's raw constructor."""
    attributes: list[dict[str, object]] = [
        _describe_attribute(CERTAINTY, "select", ["none", *CERTAINTIES]),
        _describe_attribute(PLACE, "select", ["drawn", PLACE_UNKNOWN]),
        _describe_attribute(PEAK_FRAME, "text", [""]),
        _describe_attribute(SCORE, "text", [""]),
    ]
    names = [FASCICULATION, *sorted((words | set(CONFOUNDERS)) - {FASCICULATION})]
    return [{"name": name, "attributes": attributes} for name in names]


def _describe_attribute(name: str, kind: str, values: list[str]) -> dict[str, object]:
    return {"name": name, "mutable": False, "input_type": kind, "default_value": values[0], "values": values}
