"""Tracks of CVAT's XML as events: key frames, what ends them, and the attributes that carry our own words.

Attributes, all optional: `certainty` (definite, probable, possible), `place` (`unknown`: only the time of the
event is meant, whatever the shape), `peak_frame` (frame of the largest displacement).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from fascnet.data.label_forms.cvat_shapes import SHAPES, UNREADABLE_SHAPES, blend, read_number, read_shape
from fascnet.data.label_forms.file_limits import MAX_FRAME
from fascnet.data.label_forms.label_words import read_certainty
from fascnet.data.label_forms.rater_events import FormEvent, FormRegion, FrameSpan
from fascnet.data.label_forms.shapes import FrameShape, join_regions
from fascnet.errors import LabelError

CERTAINTY, PLACE, PEAK_FRAME, SCORE = "certainty", "place", "peak_frame", "score"
PLACE_UNKNOWN = "unknown"

_MOST_BLENDED = 16
"""Shapes drawn between two key frames to find the area that a moving outline covers."""


@dataclass(frozen=True, slots=True)
class _Key:
    frame: int
    outside: bool
    kind: str
    region: FormRegion | None
    words: Mapping[str, str]
    element: Element


def read_track(
    track: Element, step: int, end: int | None, where: str, events: list[FormEvent], loose: list[FrameShape]
) -> None:
    """Read a track: each stretch in which it is visible is an event.

    Args:
        track: the element.
        step: frames of the recording from one frame of the task to the next.
        end: frame after the task's last, None when the file does not say.
        where: file and track, for messages.
        events: the track's events are added here.
        loose: a shape of one frame that CVAT wrote as a track is added here.

    Raises:
        LabelError: something is missing, no number, or no region.
    """
    label = track.get("label")
    if label is None:
        raise LabelError(f"{where}: has no label; export it again")
    keys = sorted(_read_keys(track, where), key=lambda key: key.frame)
    shown = [key for key in keys if not key.outside]
    if len(shown) == 1 and (len(keys) == 1 or keys[-1].frame == shown[0].frame + step):
        # CVAT writes a shape that is in no track as a track of one frame; near the end without a last key.
        at_end = end is not None and shown[0].frame + 2 * step >= end
        if len(keys) == 2 or shown[0].kind == "mask" or at_end:
            key = shown[0]
            group = read_group(track)
            loose.append(build_frame_shape(key.element, key.frame, key.region, label, group, where))
            return
    for run, stop in _split_runs(keys):
        events.append(_build_event(run, stop, end, step, label, where))


def read_frame(text: str | None, where: str) -> int | None:
    """Return a frame number, None where there is none.

    Raises:
        LabelError: it is no frame number.
    """
    if text is None or not text.strip():
        return None
    if not text.strip().isdecimal() or int(text.strip()[:20]) > MAX_FRAME:
        raise LabelError(f"{where} is '{text[:20]}', not a frame number; export it again")
    return int(text.strip())


def read_group(element: Element) -> str | None:
    """Return the identity that a group gives; group 0 is none."""
    group = element.get("group_id", "0")
    return None if group in {"", "0"} else f"group {group}"


def build_frame_shape(
    element: Element, frame: int, region: FormRegion | None, label: str, identity: str | None, where: str
) -> FrameShape:
    """Build the shape of one frame from its element, with what its attributes say.

    Raises:
        LabelError: an attribute is wrong.
    """
    words = _read_words(element)
    certainty, peak = _read_certainty_and_peak([words], where)
    place = None if words.get(PLACE) == PLACE_UNKNOWN else region
    return FrameShape(frame, place, label, where, identity, certainty, peak)


def _read_keys(track: Element, where: str) -> Iterator[_Key]:
    frames: set[int] = set()
    for element in track:
        if element.tag in UNREADABLE_SHAPES:
            raise LabelError(
                f"{where}: holds a {element.tag}, which marks no area; use a box, polygon or mask"
            )
        if element.tag not in SHAPES:
            continue
        frame = read_frame(element.get("frame"), f"{where}: frame")
        if frame is None:
            raise LabelError(f"{where}: a {element.tag} has no frame; export 'CVAT for video 1.1'")
        if frame in frames:
            raise LabelError(f"{where}: has two shapes in frame {frame}; export it again")
        frames.add(frame)
        outside = element.get("outside") == "1"
        region = None if outside else read_shape(element.tag, element.attrib, f"{where} frame {frame}")
        yield _Key(frame, outside, element.tag, region, _read_words(element), element)


def _read_words(element: Element) -> dict[str, str]:
    words: dict[str, str] = {}
    for attribute in element.findall("attribute"):
        text = attribute.text
        words[attribute.get("name", "")] = "" if text is None else text.strip()
    return words


def _read_certainty_and_peak(words: list[Mapping[str, str]], where: str) -> tuple[str | None, float | None]:
    said = [one[CERTAINTY] for one in words if one.get(CERTAINTY)]
    peaks = [one for one in words if one.get(PEAK_FRAME)]
    certainty = read_certainty(said[0], where) if said else None
    return certainty, read_number(peaks[0], PEAK_FRAME, where) if peaks else None


def _split_runs(keys: list[_Key]) -> Iterator[tuple[list[_Key], int | None]]:
    """Yield stretches of visible keys, each with the frame of the key that ends it (None: nothing does)."""
    run: list[_Key] = []
    for key in keys:
        if not key.outside:
            run.append(key)
        elif run:
            yield run, key.frame
            run = []
    if run:
        yield run, None


def _build_event(
    run: list[_Key], stop: int | None, end: int | None, step: int, label: str, where: str
) -> FormEvent:
    first, last = run[0], run[-1]
    if stop is None:
        # Nothing ends it: CVAT shows the last shape until the task ends.
        stop = last.frame + step if end is None else max(last.frame + step, end)
    words = [key.words for key in run]
    certainty, peak = _read_certainty_and_peak(words, where)
    region = None
    if words[0].get(PLACE) != PLACE_UNKNOWN:
        region = join_regions(_list_regions(run, step), where)
    span = FrameSpan(first.frame, stop)
    return FormEvent(span, f"{where} frame {first.frame}", region, label, certainty, peak)


def _list_regions(run: list[_Key], step: int) -> list[FormRegion]:
    regions: list[FormRegion] = []
    for key, after in zip(run, [*run[1:], None], strict=True):
        if key.region is None:
            continue
        regions.append(key.region)
        if after is None or after.region is None or after.region == key.region:
            continue
        between = min(_MOST_BLENDED, (after.frame - key.frame) // step - 1)
        regions += [blend(key.region, after.region, k / (between + 1)) for k in range(1, between + 1)]
    return regions
