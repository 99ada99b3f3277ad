from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fascnet.errors import RecordingError
from fascnet.evaluation.report import worst_moment
from fascnet.evaluation.report.worst_moment import FALSE_ALARM, MISSED, choose_moment, read_moment
from fascnet.types import Event, MaskFile

from .clips import FPS, TWITCH, make_alarm, make_clip, make_outcome, write_clip


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return make_clip(write_clip(tmp_path_factory.mktemp("clip") / "c.avi"))


def test_the_largest_missed_event_is_shown_at_its_peak():
    small, unknown = Event(0.5, 0.8, 0.6, peak_mm=0.1), Event(0.1, 0.3)
    moment = choose_moment(make_outcome((unknown, small, TWITCH), (make_alarm(3.0, 1.0),)))
    assert (moment.kind, moment.event, moment.at_s) == (MISSED, TWITCH, 2.2)
    assert moment.compare_s == pytest.approx(1.95)


def test_without_a_miss_the_surest_false_alarm_is_shown_at_its_middle():
    alarms = make_alarm(0.5, 0.4), make_alarm(1.5, 0.9), make_alarm(3.0, 0.9)
    moment = choose_moment(make_outcome((TWITCH,), (replace(TWITCH, score=1.0), *alarms)))
    assert (moment.kind, moment.event) == (FALSE_ALARM, alarms[1])
    assert moment.at_s == pytest.approx(1.65)
    assert choose_moment(make_outcome((TWITCH,), (TWITCH,))) is None


def test_an_event_that_begins_with_the_clip_is_compared_with_its_end():
    moment = choose_moment(make_outcome((Event(0.0, 0.3, 0.0),)))
    assert moment.compare_s == 0.3


def test_a_long_event_is_compared_within_the_window():
    moment = choose_moment(make_outcome((), (replace(make_alarm(0.2, 1.0), offset_s=3.8),)))
    assert moment.at_s - moment.compare_s == pytest.approx(worst_moment.HALF_WINDOW_S)


def test_the_change_is_where_it_moved_and_no_name_is_in_any_picture(clip):
    moment = choose_moment(make_outcome())
    frames = read_moment(clip, moment)
    assert frames.shown_s == pytest.approx((1.95, 2.2), abs=0.5 / FPS + 1e-6)
    x0, y0, _, _ = frames.box
    row, column = np.unravel_index(np.argmax(frames.change), frames.change.shape)
    assert 88 <= x0 + column <= 112 and 58 <= y0 + row <= 82
    assert y0 > 16 and max(frames.at.max(), frames.compared.max(), frames.m_mode.max()) < 200
    assert frames.times_s[0] >= 1.2 - 1e-6 and frames.times_s[-1] <= 3.2 + 1e-6
    assert frames.m_mode.shape == (frames.at.shape[0], len(frames.times_s))
    # The M-mode runs through the event's own place and shows the jump there.
    assert frames.place == (100.0, 70.0)
    inside = (frames.times_s > 2.12) & (frames.times_s < 2.28)
    rows = slice(62 - y0, 78 - y0)
    jump = frames.m_mode[rows][:, inside].mean(axis=1) - frames.m_mode[rows][:, ~inside].mean(axis=1)
    assert np.abs(jump).max() > 10


def test_without_a_place_the_largest_change_is_taken(clip, tmp_path):
    moment = choose_moment(make_outcome((replace(TWITCH, region=None),)))
    x, y = read_moment(clip, moment).place
    assert 88 <= x <= 112 and 58 <= y <= 82
    gone = choose_moment(make_outcome((replace(TWITCH, region=MaskFile(tmp_path / "gone.png")),)))
    assert read_moment(clip, gone).place == (x, y)


def test_memory_is_bounded(clip, monkeypatch):
    monkeypatch.setattr(worst_moment, "MAX_FRAMES", 20)
    monkeypatch.setattr(worst_moment, "MAX_SIDE_PX", 40)
    frames = read_moment(clip, choose_moment(make_outcome()))
    assert len(frames.times_s) <= 20 and max(frames.at.shape) == 40
    assert frames.shown_s[1] == pytest.approx(2.2, abs=0.1)


def test_a_recording_that_ends_before_the_moment_is_refused_by_name(clip):
    moment = choose_moment(make_outcome((Event(7.0, 7.4, 7.2),), (), ((0.0, 10.0),)))
    with pytest.raises(RecordingError, match=r"c\.avi: breaks off before 7\.20 s"):
        read_moment(clip, moment)


def test_a_recording_cut_short_after_the_moment_is_used(clip, tmp_path):
    cut = tmp_path / "cut.avi"
    data = clip.path.read_bytes()
    cut.write_bytes(data[: int(0.75 * len(data))])
    frames = read_moment(make_clip(cut), choose_moment(make_outcome()))
    assert frames.times_s[-1] < 3.2 and frames.shown_s[1] == pytest.approx(2.2, abs=0.02)
