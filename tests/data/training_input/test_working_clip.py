from __future__ import annotations

import os
import pickle
import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fascnet.data.labelling.targets import TWITCH
from fascnet.data.recording.recordings import open_recording
from fascnet.data.training_input import working_clip
from fascnet.data.training_input.working_clip import WorkingClip, prepare_clip
from fascnet.errors import RecordingError
from fascnet.models.preprocessing import Preprocessor, WorkingGrid
from fascnet.types import ClipSource, Event, Point, RecordingInfo
from tests.data.tiny import make_frames, make_labels, write_clip

LABELS = make_labels("c", 40, range(15, 24))


@pytest.fixture
def source(tmp_path: Path) -> ClipSource:
    write_clip(tmp_path / "c.avi", make_frames(40, 0, range(15, 24)))
    return ClipSource("c", tmp_path / "c.avi", "s", mm_per_px=0.15)


def prepare(source: ClipSource, **settings: float) -> WorkingClip:
    return prepare_clip(source, LABELS, Preprocessor(**settings), source.path.parent / "cache")


def test_holds_what_prediction_would_see(source: ClipSource) -> None:
    clip = prepare(source, pitch_mm=0.2, rate_hz=25.0)
    preprocessor = Preprocessor(pitch_mm=0.2, rate_hz=25.0)
    recording = open_recording(source.path, mm_per_px=0.15)
    ticks = list(preprocessor.ticks(recording, preprocessor.plan(recording.info)))
    assert np.array_equal(clip.frames, np.stack([tick.image for tick in ticks]))
    assert clip.dt_s.tolist() == [np.float32(tick.dt_s) for tick in ticks]
    assert clip.times_s == pytest.approx(np.arange(len(ticks)) / 25.0)
    assert (clip.grid.height, clip.grid.width) == clip.frames.shape[1:]


def test_memory_does_not_grow_with_the_recording(tmp_path: Path) -> None:
    peaks = []
    for n_frames in (60, 600):
        path = write_clip(tmp_path / f"{n_frames}.avi", make_frames(n_frames, 0, None))
        source = ClipSource("c", path, "s", mm_per_px=0.15)
        labels = make_labels("c", n_frames, None)
        prepare_clip(source, labels, Preprocessor(), tmp_path / "before")  # what is allocated once
        tracemalloc.start()
        prepare_clip(source, labels, Preprocessor(), tmp_path / "cache")
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.3 * peaks[0]


def test_opens_a_recording_once(source: ClipSource, monkeypatch: pytest.MonkeyPatch) -> None:
    first = prepare(source)

    def refuse(*_: object) -> None:
        raise AssertionError("opened again")

    monkeypatch.setattr(working_clip, "open_clip", refuse)
    second = prepare(source)
    assert second.frames_path == first.frames_path
    assert second.grid == first.grid
    assert second.grid.covered is None
    assert np.array_equal(second.frames, first.frames)
    assert np.array_equal(second.dt_s, first.dt_s)


def test_the_outline_is_kept(source: ClipSource, monkeypatch: pytest.MonkeyPatch) -> None:
    covered = np.zeros((16, 16), bool)
    covered[3:, 2:9] = True
    plan = Preprocessor.plan
    monkeypatch.setattr(Preprocessor, "plan", lambda *a: replace(plan(*a), covered=covered))
    assert prepare(source).grid.cells == covered.shape
    kept = prepare(source).grid.covered
    assert kept is not None
    assert np.array_equal(kept, covered)


def test_whatever_changes_the_content_is_prepared_anew(source: ClipSource) -> None:
    paths = {
        prepare(source).frames_path,
        prepare(source, pitch_mm=0.2).frames_path,
        prepare(source, rate_hz=25.0).frames_path,
        prepare(replace(source, mm_per_px=0.3)).frames_path,
        prepare(replace(source, fps=15.0)).frames_path,
        prepare(replace(source, box=(4, 4, 60, 60))).frames_path,
    }
    write_clip(source.path, make_frames(40, 1, None))
    os.utime(source.path, ns=(1, 1))
    paths.add(prepare(source).frames_path)
    sidecar = source.path.with_name(source.path.name + ".recording.json")
    sidecar.write_text('{"fps": 12.0}')
    paths.add(prepare(source).frames_path)
    assert len(paths) == 8


def test_a_half_written_cache_is_not_taken(source: ClipSource, monkeypatch: pytest.MonkeyPatch) -> None:
    def break_off(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(working_clip.np, "stack", break_off)
    with pytest.raises(KeyboardInterrupt):
        prepare(source)
    monkeypatch.undo()
    assert len(prepare(source).frames) == 40


def test_a_worker_is_sent_a_path_and_no_pixels(source: ClipSource) -> None:
    clip = prepare(source)
    assert clip.frames.nbytes > 100_000
    assert len(pickle.dumps(clip)) < 5_000
    assert not clip.frames.flags.writeable


def test_labels_become_stencils_at_working_pixels(source: ClipSource) -> None:
    (stencil,) = prepare(source, pitch_mm=0.2).cut_stencils()
    assert stencil.place.shape == (48, 48)
    y, x = np.argwhere(stencil.place == TWITCH).mean(axis=0)
    assert (x, y) == (pytest.approx(24 * 0.75, abs=0.7), pytest.approx(40 * 0.75, abs=0.7))
    assert (stencil.onset_s, stencil.offset_s) == (0.5, 0.8)


def test_a_click_is_round_on_the_working_grid_whatever_the_pixels(
    source: ClipSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = Preprocessor.plan

    def plan_wide(preprocessor: Preprocessor, info: RecordingInfo) -> WorkingGrid:
        return plan(preprocessor, replace(info, pixel_aspect=2.0))

    monkeypatch.setattr(Preprocessor, "plan", plan_wide)
    clip = prepare(source)
    click = Event(0.5, 0.8, region=Point(32, 32))
    (stencil,) = replace(clip, labels=replace(LABELS, events=(click,))).cut_stencils()
    assert stencil.place.shape == (64, 128)
    rows, columns = np.nonzero(stencil.place == TWITCH)
    assert np.ptp(rows) + 1 == pytest.approx(14, abs=1) == np.ptp(columns) + 1


def test_a_broken_recording_is_named(tmp_path: Path) -> None:
    path = tmp_path / "c.avi"
    path.write_bytes(b"no video")
    with pytest.raises(RecordingError, match=str(path)):
        prepare(ClipSource("c", path, "s"))
    with pytest.raises(RecordingError, match=r"gone\.avi"):
        prepare(ClipSource("c", tmp_path / "gone.avi", "s"))
    assert not (tmp_path / "cache").exists()
