from __future__ import annotations

import dataclasses

import av
import numpy as np
import pytest

from fascnet.data.recording.recordings import open_recording
from fascnet.errors import OutputError, RecordingError
from fascnet.inference import clip as clip_module
from fascnet.inference.clip import WatchedRecording, predict_clip
from fascnet.inference.run_record import StageClock
from fascnet.types import ClipCalibration, ClipSource, EventDefinition, Frame, Point, RecordingInfo

from .fakes import BrightnessPredictor, paint_twitch, write_video


class PaintedRecording:
    """Frames from memory that may break off."""

    def __init__(self, path, frames, fps=30.0, breaks_at=None, mm_per_px=0.1, held=(), pixel_aspect=1.0):
        self.path = path
        self._held = held
        self._frames, self._fps, self._breaks_at = frames, fps, breaks_at
        t, h, w = frames.shape
        self.info = RecordingInfo(h, w, t, fps, t / fps, mm_per_px, (0, 0, w, h), pixel_aspect=pixel_aspect)

    def frames(self):
        for k, image in enumerate(self._frames):
            if k == self._breaks_at:
                raise RecordingError(f"{self.path}: ends after {k} frames; copy it again")
            yield Frame(k, k / self._fps, image, k in self._held)
        if self._breaks_at == len(self._frames):
            raise RecordingError(f"{self.path}: ends after {len(self._frames)} frames; copy it again")


@pytest.fixture
def paint(monkeypatch, tmp_path):
    """Make `open_recording` give painted frames."""

    def give(frames, **kwargs):
        recording = PaintedRecording(tmp_path / "a.avi", frames, **kwargs)
        monkeypatch.setattr(clip_module, "open_clip", lambda clip: recording)
        return ClipSource("a", recording.path, "s1", "tibialis", "L")

    return give


def test_finds_the_painted_twitch_and_writes_every_file(paint, tmp_path):
    clock = StageClock()
    seen = []
    source = paint(paint_twitch())
    found = predict_clip(source, BrightnessPredictor(), tmp_path, clock=clock, on_frames=seen.append)
    assert (found.status, found.reason, found.subject_id, found.muscle, found.side) == (
        "ok",
        "",
        "s1",
        "tibialis",
        "L",
    )
    (event,) = found.events
    assert (event.onset_s, event.offset_s) == pytest.approx((0.5, 0.8))
    assert isinstance(event.region, Point)
    assert (event.region.x, event.region.y) == pytest.approx((43.5, 23.5))
    assert event.area_px == pytest.approx(2 * 3 * 64)
    assert event.area_mm2 == pytest.approx(2 * 3 * 0.64)
    assert found.score == pytest.approx(240 / 255, abs=0.01)
    assert found.positive is True
    assert found.duration_s == found.scored_s == pytest.approx(1.5)
    assert found.active_area_fraction == pytest.approx(6 / 48)
    assert sorted(p.name for p in (tmp_path / "a").iterdir()) == ["heatmap.npz", "overlay.mp4", "summary.png"]
    assert {"open", "decode", "detect", "events", "write", "summary", "kinematics", "overlay"} == set(
        clock.seconds
    )
    assert event.kinematics is not None
    assert seen == list(range(1, 46))
    heat = np.load(tmp_path / "a" / "heatmap.npz", allow_pickle=False)
    assert heat["heatmap"].shape == (45, 6, 8)
    assert heat["heatmap"][20, 2, 5] == 240
    with av.open(str(tmp_path / "a" / "overlay.mp4")) as video:
        assert sum(1 for _ in video.decode(video=0)) == 45


@pytest.mark.parametrize("chunk", [1, 4, 45, 100])
def test_chunking_does_not_matter(paint, tmp_path, chunk):
    frames = np.random.default_rng(3).integers(0, 256, (50, 48, 64), dtype=np.uint8)
    frames[20:25] |= 128
    source = paint(frames)
    one = predict_clip(source, BrightnessPredictor(chunk=7), tmp_path / "one", overlay=False)
    other = predict_clip(source, BrightnessPredictor(chunk=chunk), tmp_path / "other", overlay=False)
    assert one == other or (one.events == other.events and one.score == other.score)


@pytest.mark.parametrize("breaks_at", [1, 17, 45])
def test_a_clip_that_breaks_off_is_scored_as_far_as_it_goes(paint, tmp_path, breaks_at):
    source = paint(paint_twitch(), breaks_at=breaks_at)
    found = predict_clip(source, BrightnessPredictor(chunk=16), tmp_path)
    assert found.status == "partial"
    assert f"ends after {breaks_at} frames" in found.reason
    assert found.duration_s == found.scored_s == pytest.approx(breaks_at / 30)
    assert found.score is not None
    assert len(found.events) == (0 if breaks_at == 1 else 1)
    assert all(event.offset_s <= found.duration_s + 1e-9 for event in found.events)
    assert np.load(tmp_path / "a" / "heatmap.npz")["heatmap"].shape[0] == breaks_at
    with av.open(str(tmp_path / "a" / "overlay.mp4")) as video:
        assert sum(1 for _ in video.decode(video=0)) == breaks_at


@pytest.mark.parametrize("aspect", [1.0, 1.5])
def test_the_shape_of_stored_pixels_is_told(paint, tmp_path, aspect):
    source = paint(paint_twitch(), pixel_aspect=aspect)
    found = predict_clip(source, BrightnessPredictor(), tmp_path, overlay=False, kinematics=False)
    assert found.pixel_aspect == aspect


def test_kinematics_can_be_left_out(paint, tmp_path):
    found = predict_clip(
        paint(paint_twitch()), BrightnessPredictor(), tmp_path, overlay=False, kinematics=False
    )
    assert [event.kinematics for event in found.events] == [None]


def test_broken_before_the_first_frame_is_failed_and_leaves_no_folder(paint, tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "overlay.mp4").write_bytes(b"of an earlier run")
    found = predict_clip(paint(paint_twitch(), breaks_at=0), BrightnessPredictor(), tmp_path)
    assert (found.status, found.score, found.events) == ("failed", None, ())
    assert "ends after 0 frames" in found.reason
    assert not (tmp_path / "a").exists()


def test_no_frames_is_failed(paint, tmp_path):
    found = predict_clip(paint(np.zeros((0, 48, 64), np.uint8)), BrightnessPredictor(), tmp_path)
    assert found.status == "failed"
    assert "no frame" in found.reason


def test_values_that_are_not_numbers_fail_the_clip(paint, tmp_path):
    found = predict_clip(paint(paint_twitch()), BrightnessPredictor(poison_at=20), tmp_path)
    assert found.status == "failed"
    assert "not numbers" in found.reason
    assert not (tmp_path / "a").exists()


def test_text_named_video_is_failed_with_its_name(tmp_path):
    bad = tmp_path / "notes.mp4"
    bad.write_text("not a video")
    found = predict_clip(ClipSource("notes", bad, "s"), BrightnessPredictor(), tmp_path / "out")
    assert found.status == "failed"
    assert "notes.mp4" in found.reason
    assert "\n" not in found.reason


def test_a_full_disk_stops_the_study_and_leaves_nothing_half_written(paint, tmp_path, monkeypatch):
    def refuse(*args, **kwargs):
        raise OutputError("disk full")

    monkeypatch.setattr(clip_module, "write_summary", refuse)
    with pytest.raises(OutputError):
        predict_clip(paint(paint_twitch()), BrightnessPredictor(), tmp_path)
    assert [p.name for p in (tmp_path / "a").iterdir()] == ["heatmap.npz"]


def test_watching_counts_anew_each_time(tmp_path):
    frames = paint_twitch(10)
    watched = WatchedRecording(open_recording(write_video(tmp_path / "v.avi", frames)))
    for _ in range(2):
        assert len(list(watched.frames())) == 10
        assert watched.n_frames == 10
        assert watched.duration_s == pytest.approx(10 / 30, abs=1e-3)
        np.testing.assert_allclose(watched.mean_frame, frames.mean(axis=0), atol=1e-6)


def test_cells_outside_the_outline_do_not_count_in_the_active_area(paint, tmp_path):
    @dataclasses.dataclass(frozen=True)
    class Half(BrightnessPredictor):
        def stream(self, recording):
            whole = super().stream(recording)
            covered = np.zeros(whole.shape, bool)
            covered[:, 4:] = True
            return dataclasses.replace(whole, covered=covered)

    source = paint(paint_twitch())
    half = predict_clip(source, Half(), tmp_path / "half", overlay=False)
    whole = predict_clip(source, BrightnessPredictor(), tmp_path / "whole", overlay=False)
    assert half.active_area_fraction == pytest.approx(2 * whole.active_area_fraction) != 0


def test_held_frames_are_told_and_the_clip_is_whole(paint, tmp_path):
    found = predict_clip(paint(paint_twitch(), held=(3, 7)), BrightnessPredictor(), tmp_path)
    assert found.status == "ok" and found.reason.endswith(
        "a.avi: 2 frames are damaged: the picture before stands in their place"
    )
    assert len(found.events) == 1


def test_a_place_that_flickers_all_the_time_is_told_once_the_clip_has_ended(paint, tmp_path):
    frames = paint_twitch(120)
    frames[60:68, 0:16, 0:24] = 240
    frames[80:116, 0:16, 0:24] = 50
    source = paint(frames)
    looks = EventDefinition(
        0.5, 0.3, min_on_s=0.067, score_intercept=-8.0, score_unrest=-2.5, score_recurrence=0.1, min_score=0.5
    )

    class PlacePredictor(BrightnessPredictor):
        event_definition = looks

    both = predict_clip(source, BrightnessPredictor(), tmp_path / "both", overlay=False, kinematics=False)
    assert [round(event.onset_s, 2) for event in both.events] == [0.5, 2.0]
    one = predict_clip(source, PlacePredictor(), tmp_path / "one", overlay=False, kinematics=False)
    (event,) = one.events
    assert event.onset_s == pytest.approx(0.5)
    assert 0.5 <= event.score < 1.0
    assert one.active_area_fraction == pytest.approx(6 / 48)


def test_the_surest_event_speaks_for_the_clip(paint, tmp_path):
    class CalibratedPredictor(BrightnessPredictor):
        calibration = ClipCalibration(0.0, -1.0, surest_event=2.0)

    twitching = predict_clip(paint(paint_twitch()), CalibratedPredictor(), tmp_path / "twitching")
    resting = predict_clip(paint(paint_twitch(ticks=range(0))), CalibratedPredictor(), tmp_path / "resting")
    (event,) = twitching.events
    assert twitching.score == pytest.approx(1 / (1 + np.exp(1.0 - 2.0 * event.score)))
    assert resting.score == pytest.approx(1 / (1 + np.exp(1.0)))
