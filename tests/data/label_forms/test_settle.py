from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fascnet.data.label_forms.frame_clock import FrameClock
from fascnet.data.label_forms.label_words import LabelWords
from fascnet.data.label_forms.rater_events import (
    FormEvent,
    FormRegion,
    FrameSpan,
    MaskPixels,
    Moment,
    PercentBox,
    RaterEvents,
    ShownSpan,
    Span,
    TimeSpan,
)
from fascnet.data.label_forms.settle import SettledLabels, SettleSettings, settle
from fascnet.data.labelling.seconds import merge_intervals
from fascnet.errors import LabelError, SettingError
from fascnet.types import Box, Event, MaskFile, Point, Polygon

from . import forms


def run(
    *spans: Span,
    region: FormRegion | None = None,
    clock: FrameClock | None = None,
    examined: str = "form",
    **more: object,
) -> SettledLabels:
    events = tuple(FormEvent(span, "f row 2", region) for span in spans)
    rating = RaterEvents(("a",), "f", events, **more)  # type: ignore[arg-type]
    settings = SettleSettings(examined, 0.1, 0.4, LabelWords({}))
    return settle([rating], forms.make_clock() if clock is None else clock, "a", "r", Path("out"), settings)


def event(span: Span, **more: object) -> Event:
    return run(span, **more).labels.events[0]  # type: ignore[arg-type]


def test_spans_of_every_kind() -> None:
    step = 1001 / 30000
    found = event(FrameSpan(10, 21))
    assert (found.onset_s, found.offset_s) == pytest.approx((10 * step, 21 * step), abs=1e-6)
    assert event(FrameSpan(10.5, 12)).onset_s == pytest.approx(10.5 * step, abs=1e-6)
    shown = event(ShownSpan(0.334, 0.667))  # frames 10 and 20, by their times to the millisecond
    assert (shown.onset_s, shown.offset_s) == (found.onset_s, found.offset_s)
    moment = event(Moment(30))
    assert (moment.onset_s, moment.offset_s) == pytest.approx((1.001 - 0.1, 1.001 + 0.4), abs=1e-6)
    assert event(Moment(0)).onset_s == 0 and event(Moment(89)).offset_s == pytest.approx(90 * step, abs=1e-6)
    assert event(TimeSpan(0.5, 0.75)).onset_s == 0.5


def test_a_moment_is_not_called_the_largest_displacement() -> None:
    assert event(Moment(30)).peak_s is None


def test_a_tool_that_counts_at_its_own_rate() -> None:
    """Label Studio counts 24 frames a second unless it is told otherwise: 72 of them in these 90."""
    found = event(FrameSpan(24, 36), n_frames=72)
    assert (found.onset_s, found.offset_s) == pytest.approx((1.001, 1.5015), abs=1e-5)
    assert event(FrameSpan(24, 36), n_frames=91) == event(FrameSpan(24, 36))
    # A tool that counts a frame more than decoding gives.
    assert event(FrameSpan(80, 91), n_frames=91).offset_s == pytest.approx(3.003, abs=1e-6)


@pytest.mark.parametrize(
    ("span", "said"),
    [
        (FrameSpan(80, 200), "frame 200 lies outside the recording's 90 frames"),
        (FrameSpan(100, 101), "frame 100 lies outside"),
        (FrameSpan(20, 20), "begins at 0.667 s and ends at 0.667"),
        (Moment(95), "frame 95"),
        (Moment(float("nan")), "frame nan"),
        (TimeSpan(2, 5), "ends at 5.000 s, the recording at 3.003"),
        (ShownSpan(2, 3.5), "ends at 3.500 s"),
    ],
)
def test_outside_the_recording(span: Span, said: str) -> None:
    with pytest.raises(LabelError, match=said) as refusal:
        run(span)
    assert str(refusal.value).startswith("f row 2")


def test_regions_become_stored_pixels() -> None:
    percent = PercentBox(25, 25, 25, 25)
    assert event(FrameSpan(1, 2), region=percent).region == Box(15.5, 11.5, 31.5, 23.5)
    turned = event(FrameSpan(1, 2), region=PercentBox(50, 50, 25, 25, 90)).region
    assert isinstance(turned, Polygon)
    # A quarter turn clockwise about the upper left corner: it hangs down and to the left.
    assert turned.points == ((31.5, 23.5), (31.5, 39.5), (19.5, 39.5), (19.5, 23.5))
    with pytest.raises(LabelError, match=r"reaches \(200, 3\), outside the image of 64x48"):
        run(FrameSpan(1, 2), region=Point(200, 3))


def test_masks_get_a_picture_beside_the_labels() -> None:
    settled = run(FrameSpan(1, 2), region=MaskPixels(3, 4, np.ones((2, 5), bool)))
    ((path, inside),) = settled.masks
    assert path == Path("out/a.r.mask1.png") and settled.labels.events[0].region == MaskFile(path)
    assert inside.shape == (48, 64) and inside[4:6, 3:8].all() and inside.sum() == 10


def test_what_was_examined() -> None:
    spans = (FrameSpan(10, 20), FrameSpan(15, 25), FrameSpan(40, 50))
    step = 1001 / 30000
    listed = ((10 * step, 25 * step), (40 * step, 50 * step))

    def examine(**more: object) -> np.ndarray:
        return np.array(run(*spans, **more).labels.examined)  # type: ignore[arg-type]

    assert np.allclose(examine(), [(0, 90 * step)], atol=1e-6)
    assert np.allclose(examine(whole=False), listed, atol=1e-6)
    assert np.allclose(examine(examined="listed"), listed, atol=1e-6)
    said = (FrameSpan(5, 60),)
    rating = RaterEvents(("a",), "f", (), examined=said)
    settings = SettleSettings("form", 0.1, 0.4, LabelWords({}))
    found = settle([rating], forms.make_clock(), "a", "r", Path("out"), settings).labels.examined
    assert np.allclose(found, [(5 * step, 60 * step)], atol=1e-6)


def test_without_the_recording_only_times_are_known() -> None:
    clock = FrameClock(np.arange(3600 * 30) / 30, 3600, known_end=False)
    settled = run(FrameSpan(30, 45), clock=clock, examined="listed", region=Point(3, 4))
    assert settled.labels.examined == ((1.0, 1.5),)
    with pytest.raises(LabelError, match="its length is not known"):
        run(FrameSpan(30, 45), clock=clock)
    with pytest.raises(LabelError, match="its place needs the recording"):
        run(FrameSpan(30, 45), clock=clock, examined="listed", region=PercentBox(1, 2, 3, 4))


def test_images_of_another_size_are_refused() -> None:
    with pytest.raises(LabelError, match="on images of 640x480, the recording has 64x48"):
        run(size=(640, 480))


def test_settings_are_checked() -> None:
    for examined, before_s, after_s in (
        ("all", 0.1, 0.4),
        ("form", -1, 0.4),
        ("form", 0.1, 0),
        ("form", 0.1, 99),
    ):
        with pytest.raises(SettingError):
            SettleSettings(examined, before_s, after_s, LabelWords({}))


def test_intervals_are_merged() -> None:
    assert merge_intervals([(3, 4), (0, 1), (1, 2), (1.5, 1.7)]) == ((0, 2), (3, 4))
