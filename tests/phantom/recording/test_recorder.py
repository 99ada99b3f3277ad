from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from fascnet.phantom.recording.block_codec import BlockCodec
from fascnet.phantom.recording.recorder import Recorder
from fascnet.phantom.recording.screen import Screen
from fascnet.phantom.recording.screen_layout import Panel, ScreenLayout
from fascnet.phantom.recording.timeline import Timeline
from fascnet.phantom.truth import make_truth

from ..tiny import CONTACT_LOSS, FPS, FRAME, make_script

RNG = np.random.default_rng(0)
GREY = RNG.uniform(0, 255, (60, 80)).astype(np.float32)
LAYOUT = ScreenLayout(
    "test", 90, 120, (20, 10, 100, 70), background=12, panels=(Panel((0, 0, 10, 90), 200, 200),)
)


def record(*, layout: ScreenLayout | None = None, **changes: object) -> Recorder:
    return Recorder(make_script(**changes), layout, 60.0, 0.2)  # type: ignore[arg-type]


def test_a_plain_picture_is_rounded_and_nothing_else() -> None:
    frame = record().store(GREY, 0.5)
    assert frame.dtype == np.uint8
    np.testing.assert_array_equal(frame, np.rint(GREY))
    np.testing.assert_array_equal(record().store(np.float32([[-3, 300]]), 0.0), [[0, 255]])


@pytest.mark.parametrize(("t_s", "is_lost"), [(0.9, False), (1.3, True), (1.71, False)])
def test_contact_is_lost_while_it_is_lost(t_s: float, is_lost: bool) -> None:
    frame = record(contact_losses=(CONTACT_LOSS,)).store(GREY, t_s)
    assert bool(np.any(frame != np.rint(GREY))) == is_lost
    if is_lost:
        lost = CONTACT_LOSS.apply(GREY, t_s, 60.0, 0.2)
        np.testing.assert_array_equal(frame, np.rint(np.clip(lost, 0, 255)))


def test_the_screen_surrounds_the_picture() -> None:
    frame = record(layout=LAYOUT).store(GREY, 0.0)
    assert frame.shape == (90, 120)
    np.testing.assert_array_equal(frame[10:70, 20:100], np.rint(GREY))
    assert np.all(frame[:, :10] == 200) and np.all(frame[75:, 30:] == 12)


def test_the_codec_stores_the_whole_screen_and_remembers() -> None:
    recorder, codec, screen = (
        record(layout=LAYOUT, codec=(40.0, 3, False)),
        BlockCodec(40.0, 3, False),
        Screen(LAYOUT),
    )
    for k in range(5):
        grey = np.clip(GREY + 3 * k, 0, 255)
        expected = codec.store(screen.compose(np.rint(grey).astype(np.uint8), k / 20))
        np.testing.assert_array_equal(recorder.store(grey, k / 20), expected)
    assert np.any(expected != screen.compose(np.rint(grey).astype(np.uint8), 0.2))


def test_a_stored_frame_is_left_alone_by_the_next() -> None:
    recorder = record(layout=LAYOUT, codec=(40.0, 3, True))
    first = recorder.store(GREY, 0.0)
    before = first.copy()
    recorder.store(255 - GREY, 0.05)
    np.testing.assert_array_equal(first, before)


def test_the_picture_given_is_left_alone() -> None:
    before = GREY.copy()
    record(layout=LAYOUT, contact_losses=(CONTACT_LOSS,)).store(GREY, 1.3)
    np.testing.assert_array_equal(GREY, before)


def test_the_truth_names_the_frames_at_which_the_codec_starts_afresh() -> None:
    """A frame that repeats is not coded, so that key frames come later in the file."""
    timeline = Timeline.make(40, FPS, freezes=[(5, 9)], doubled=[12])
    script = make_script(timeline=timeline, codec=(30.0, 10, False))
    recorder = Recorder(script, None, 60.0, 0.2)
    frames: list[np.ndarray] = []
    for t_s, is_repeat in zip(timeline.source_s, timeline.repeats, strict=True):
        # The picture creeps, so that only a key frame changes what the codec had kept.
        frames.append(frames[-1] if is_repeat else recorder.store(GREY + np.float32(4 * t_s), float(t_s)))
    change = [float(np.abs(b.astype(float) - a).mean()) for a, b in pairwise(frames)]
    events = make_truth(script, FRAME, "clip").events
    named = [round(event.onset_s * FPS) for event in events if event.label == "codec_keyframe"]
    assert named == [15, 25, 35]
    assert sorted(int(index) + 1 for index in np.argsort(change)[-3:]) == named
