"""What is wrong with one clip's labels beyond the form of their file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from fascnet.data.clip_set.problem import Problem, take_apart
from fascnet.data.label_forms.label_words import CONFOUNDERS, OF_RECORDINGS
from fascnet.data.labelling.labels import TIME_SLACK_S, find_clip_problems
from fascnet.data.labelling.regions import POINT_RADIUS_PX, find_centre
from fascnet.errors import LabelError
from fascnet.types import FASCICULATION, Event, Interval, Labels

KNOWN_CONFOUNDERS = frozenset((*CONFOUNDERS, *OF_RECORDINGS, "artefact"))
"""Label words that mean something here. Others are allowed, but nobody would see that one is misspelt."""

TWICE_SHARE = 0.8
"""Two fasciculations of one rater that share this much of their joint time, at one place, are one."""

LONGEST_S = 2.0
"""A fasciculation lasts 0.1-0.6 s (design of this project); a longer one than this is something else."""

SHORTEST_S = 0.03
"""One frame at 30 Hz: hardly a movement."""


def find_label_problems(
    labels: Labels, folder: Path, duration_s: float, width: int, height: int
) -> Iterator[Problem]:
    """Yield what is wrong with one rater's labels of a clip that was decoded.

    Args:
        labels: of the clip.
        folder: where they lie, for messages.
        duration_s: length of the clip.
        width: columns of the recording as stored.
        height: rows of the recording as stored.
    """
    file, ids = f"{folder / f'{labels.clip_id}.{labels.rater}.json'}", (labels.clip_id,)
    for text in find_clip_problems(labels, duration_s, width, height):
        found = take_apart(text, folder, "outside", ids)
        yield Problem(file, found.what, found.remedy, found.kind, ids)
    for number, event in enumerate(labels.events):
        name = f"events[{number}] ({event.onset_s:g}-{event.offset_s:g} s)"
        seen_s = measure_examined(event, labels.examined)
        in_clip = event.offset_s <= duration_s + TIME_SLACK_S
        if in_clip and labels.examined and seen_s < event.offset_s - event.onset_s - TIME_SLACK_S:
            what = f"{name} lies {'outside' if seen_s <= 0 else 'partly outside'} the examined seconds"
            remedy = "widen `examined` or remove the event; nothing outside is trained on or scored"
            yield Problem(file, what, remedy, "unexamined_event", ids)
        length_s = event.offset_s - event.onset_s
        if event.label == FASCICULATION and not SHORTEST_S <= length_s <= LONGEST_S:
            what = f"{name} lasts {length_s:.3g} s; fasciculations last 0.1-0.6 s"
            yield Problem(file, what, "check its onset, offset and label", "event_length", ids)
    for first, second in _find_twice(labels.events):
        what = f"events[{first}] and events[{second}] are one fasciculation: same time, same place"
        yield Problem(file, what, "remove one of them", "overlap", ids)


def measure_examined(event: Event, examined: Sequence[Interval]) -> float:
    """Return how many seconds of an event lie in examined intervals."""
    return sum(max(0.0, min(event.offset_s, end) - max(event.onset_s, start)) for start, end in examined)


def _find_twice(events: Sequence[Event]) -> Iterator[tuple[int, int]]:
    twitches = [i for i, event in enumerate(events) if event.label == FASCICULATION]
    order = sorted(twitches, key=lambda i: events[i].onset_s)
    for at, first in enumerate(order):
        one = events[first]
        for second in order[at + 1 :]:
            other = events[second]
            if other.onset_s >= one.offset_s:
                break
            joint_s = max(one.offset_s, other.offset_s) - one.onset_s
            shared_s = min(one.offset_s, other.offset_s) - other.onset_s
            if (
                one.label == other.label == FASCICULATION
                and shared_s >= TWICE_SHARE * joint_s
                and _are_close(one, other)
            ):
                yield min(first, second), max(first, second)


def _are_close(one: Event, other: Event) -> bool:
    """Whether two events are at one place; an event without a place is not said to be at another."""
    if one.region is None or other.region is None:
        return one.region is other.region
    try:
        (ax, ay), (bx, by) = find_centre(one.region), find_centre(other.region)
    except LabelError:
        return False  # its mask is reported elsewhere
    return (ax - bx) ** 2 + (ay - by) ** 2 <= (POINT_RADIUS_PX / 3) ** 2
