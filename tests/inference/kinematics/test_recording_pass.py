from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from fascnet.errors import RecordingError
from fascnet.inference.kinematics import recording_pass
from fascnet.inference.kinematics.measure import measure_event
from fascnet.inference.kinematics.recording_pass import measure_events
from fascnet.inference.kinematics.working_picture import WorkingPicture
from fascnet.types import Event, Frame, Kinematics, Point, RecordingInfo

PICTURE = WorkingPicture((0, 0, 40, 30), 0.1)


class Stills:
    """Frames whose grey value is their number; notes how far it was read."""

    path = Path("stills.avi")

    def __init__(self, n_frames=300, fps=30.0, breaks_at=None):
        self.info = RecordingInfo(30, 40, n_frames, fps, n_frames / fps, 0.1, (0, 0, 40, 30))
        self._breaks_at = breaks_at
        self.n_read = 0

    def frames(self):
        for index in range(self.info.n_frames):
            if index == self._breaks_at:
                raise RecordingError("stills.avi: breaks off")
            self.n_read = index + 1
            yield Frame(index, index / self.info.fps, np.full((30, 40), index % 256, np.uint8))


@pytest.fixture
def seen(monkeypatch):
    """What each call of `measure_event` was given: (event, first grey value, frames, their times)."""
    calls = []

    def note(frames, times_s, event, picture):
        assert len(frames) == len(times_s)
        calls.append((event, int(frames[0][0, 0]) if frames else None, len(frames), times_s))
        return Kinematics(quality=event.onset_s)

    monkeypatch.setattr(recording_pass, "measure_event", note)
    return calls


def make_event(onset_s, offset_s):
    return Event(onset_s, offset_s, region=Point(5.0, 5.0))


def test_each_event_gets_the_frames_of_its_own_window(seen):
    events = [make_event(4.0, 4.5), make_event(1.0, 1.2), make_event(1.1, 1.9)]
    found = measure_events(Stills(), events, PICTURE)
    assert [event.kinematics.quality for event in found] == [4.0, 1.0, 1.1]
    for event, first_grey, count, times_s in seen:
        assert times_s[0] == pytest.approx(event.onset_s - 0.3, abs=1 / 30)
        assert times_s[-1] == pytest.approx(event.offset_s + 0.3, abs=1 / 30)
        assert first_grey == round(times_s[0] * 30)
        assert count == round((times_s[-1] - times_s[0]) * 30) + 1


def test_decodes_to_the_end_of_the_last_event_and_nothing_without_events(seen):
    recording = Stills()
    measure_events(recording, [make_event(1.0, 1.2)], PICTURE)
    assert recording.n_read == pytest.approx(1.5 * 30, abs=2)
    untouched = Stills()
    nowhere = Event(1.0, 1.2)
    assert measure_events(untouched, [], PICTURE) == ()
    assert measure_events(untouched, [nowhere], PICTURE)[0].kinematics == Kinematics(quality=0.0)
    assert untouched.n_read == 0


def test_a_long_event_is_cut_and_its_own_times_stay(seen):
    (found,) = measure_events(Stills(), [make_event(1.0, 9.0)], PICTURE)
    assert (found.onset_s, found.offset_s) == (1.0, 9.0)
    assert seen[0][0].offset_s == 3.0
    assert seen[0][3][-1] <= 3.3


@pytest.mark.parametrize(("measured", "given"), [(1.23, 1.23), (0.95, 1.0), (2.0, 1.4), (None, 1.3)])
def test_the_peak_is_that_of_the_movement_where_it_was_measured(monkeypatch, measured, given):
    monkeypatch.setattr(recording_pass, "measure_event", lambda *_: Kinematics(quality=0.9, peak_s=measured))
    event = dataclasses.replace(make_event(1.0, 1.4), peak_s=1.3)
    (found,) = measure_events(Stills(), [event], PICTURE)
    assert found.peak_s == given
    assert found.kinematics.peak_s == measured


def test_a_fast_recording_is_thinned(seen):
    measure_events(Stills(1000, fps=500.0), [make_event(1.0, 1.2)], PICTURE)
    assert np.diff(seen[0][3]) == pytest.approx(5 / 500)


def test_a_recording_that_breaks_off_is_measured_as_far_as_it_goes(seen):
    found = measure_events(Stills(breaks_at=36), [make_event(1.0, 1.4), make_event(8.0, 8.1)], PICTURE)
    assert [count for _, _, count, _ in seen] == [15, 0]
    assert all(event.kinematics is not None for event in found)


def test_memory_holds_one_window(monkeypatch):
    held = []
    shrink = WorkingPicture.shrink
    kept = []

    class Watched(np.ndarray):
        alive = 0

        def __array_finalize__(self, obj):
            Watched.alive += 1

        def __del__(self):
            Watched.alive -= 1

    def watch(self, image):
        found = shrink(self, image).view(Watched)
        held.append(Watched.alive)
        return found

    monkeypatch.setattr(WorkingPicture, "shrink", watch)
    monkeypatch.setattr(recording_pass, "measure_event", lambda *_: kept.append(1) or Kinematics(quality=0.0))
    events = [make_event(t, t + 0.3) for t in np.arange(0.5, 90.0, 0.25)]
    measure_events(Stills(3000), events, PICTURE)
    assert len(kept) == len(events)
    assert max(held) < 90


def test_gives_what_measuring_the_window_gives():
    recording = Stills(60)
    event = make_event(1.0, 1.2)
    (found,) = measure_events(recording, [event], PICTURE)
    chosen = [f for f in recording.frames() if 0.7 <= f.time_s <= 1.5]
    expected = measure_event(
        [PICTURE.shrink(f.image) for f in chosen], np.array([f.time_s for f in chosen]), event, PICTURE
    )
    assert found == dataclasses.replace(event, kinematics=expected)
