from __future__ import annotations

from dataclasses import replace

from fascnet.phantom.data_set.label_digest import LABEL_TOLERANCE, SUMS, describe_labels
from fascnet.phantom.truth import make_truth
from fascnet.types import Box, Event, Labels

from ..tiny import FRAME, JOLT, TWITCH, make_script


def make_labels(*events: Event) -> Labels:
    return Labels("clip", "truth", ((0.0, 9.0),), events)


def test_sums_lengths_and_areas() -> None:
    twitch = Event(1.0, 1.25, region=Box(0, 0, 10, 4), ignore_region=Box(0, 0, 20, 10))
    found = describe_labels(make_labels(twitch, Event(2.0, 4.0, label="freeze")))
    assert found == {"events_s": "2.250", "regions_px": "240.0"}
    assert set(found) == set(SUMS)


def test_no_events_are_nothing() -> None:
    assert describe_labels(make_labels()) == {"events_s": "0.000", "regions_px": "0.0"}


def test_a_visible_change_of_the_labels_is_more_than_rounding() -> None:
    plain = describe_labels(make_truth(make_script(twitches=(TWITCH,), confounders=(JOLT,)), FRAME, "clip"))
    for twitch, name in (
        (replace(TWITCH, relaxation_s=0.22), "events_s"),
        (replace(TWITCH, semi_short_mm=2.4), "regions_px"),
    ):
        other = describe_labels(
            make_truth(make_script(twitches=(twitch,), confounders=(JOLT,)), FRAME, "clip")
        )
        assert abs(float(other[name]) / float(plain[name]) - 1) > LABEL_TOLERANCE
