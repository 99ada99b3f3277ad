from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from fascnet.data.clip_set.clip_facts import ClipFacts, ClipJob, measure_clip
from fascnet.data.clip_set.copies import find_copies
from fascnet.types import ClipSource
from tests.data.tiny import write_clip

from .moving import encode, make_moving


def measure(path: Path, thumbnail: bool = False, **given: float) -> ClipFacts:
    return measure_clip(ClipJob(ClipSource("c", path, "s", **given), path.name, "salt", thumbnail))


def test_numbers_are_those_of_the_frames(tmp_path: Path) -> None:
    facts = measure(write_clip(tmp_path / "a.avi", make_moving(0, 45)), mm_per_px=0.1)
    assert (facts.status, facts.reason, facts.n_frames, facts.announced) == ("ok", "", 45, 45)
    assert (facts.width, facts.height) == (96, 64)
    assert facts.fps == facts.own_fps == pytest.approx(30.0)
    assert facts.measured_fps == pytest.approx(30.0, rel=1e-3)
    assert facts.duration_s == pytest.approx(1.5, abs=1e-3)
    assert facts.uneven == pytest.approx(0.0, abs=0.02)
    assert (facts.mm_per_px, facts.own_mm_per_px, facts.doubled, facts.thumbnail) == (0.1, None, 0, b"")


def test_a_given_rate_stretches_every_time(tmp_path: Path) -> None:
    frames = np.repeat(make_moving(0, 30), [1] * 10 + [13] + [1] * 19, axis=0)
    path = write_clip(tmp_path / "a.avi", frames)
    own, slow = measure(path), measure(path, fps=10.0)
    assert (own.doubled, slow.doubled) == (12, 12)
    assert own.longest_freeze_s == pytest.approx(13 / 30, abs=0.01)
    for name in ("duration_s", "longest_step_s", "longest_freeze_s"):
        assert getattr(slow, name) == pytest.approx(3 * getattr(own, name)), name
    assert slow.picture_rate_hz == pytest.approx(own.picture_rate_hz / 3)
    assert (slow.fps, slow.own_fps, slow.uneven) == (10.0, own.fps, own.uneven)


def test_files_that_break_off_or_cannot_be_read(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "a.avi", make_moving(0, 60))
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) * 2 // 3])
    facts = measure(path, thumbnail=True)
    assert facts.status == "partial" and 20 < facts.n_frames < 60
    assert "a.avi" in facts.reason and facts.thumbnail
    assert facts.marks.digest == "" and len(facts.marks.sketch) == facts.n_frames
    path.write_text("a letter")
    facts = measure(path)
    assert facts.status == "failed" and facts.fps is None and "a.avi" in facts.reason
    assert measure(tmp_path / "absent.avi").status == "failed"


def test_the_thumbnail_is_a_frame_of_the_second_half(tmp_path: Path) -> None:
    frames = np.stack([np.pad(make_moving(0, 1)[0] // 4 + 3 * k, 0) for k in range(40)]).astype(np.uint8)
    data = measure(write_clip(tmp_path / "a.avi", frames), thumbnail=True).thumbnail
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    shown = int(np.argmin([abs(float(picture.mean()) - float(frame.mean())) for frame in frames]))
    assert picture.shape == (64, 96) and 20 <= shown < 40


def test_copies_are_known_by_their_marks(tmp_path: Path) -> None:
    frames = make_moving(1)
    paths = [
        write_clip(tmp_path / "a.avi", frames),
        write_clip(tmp_path / "other.avi", make_moving(2)),
        write_clip(tmp_path / "b.mkv", frames),
        write_clip(tmp_path / "part.avi", frames[10:40]),
        encode(tmp_path / "again.mp4", frames, "libx264", {"crf": "28"}, 0.5),
    ]
    found = {(c.first, c.second): c.how for c in find_copies([measure(path).marks for path in paths])}
    assert found == {(0, 2): "frames", (0, 3): "part", (0, 4): "movement"}


@pytest.mark.real
def test_real_copies_are_found_and_trials_of_one_subject_are_not(real_data: Path) -> None:
    muscle, dicom = real_data / "muscle", real_data / "dicom"
    paths = [
        *sorted(muscle.glob("gm_p6_isokinetic*.mp4")),
        muscle / "flowave_brachial_DemoBMode.mov",
        muscle / "derived" / "flowave_brachial_DemoBMode_streamcopy.avi",
        dicom / "dicomParser_IM00001_fragmented_no_bot_jpeg50.dcm",
        dicom / "dicomParser_IM00001_implicit_le_rgb.dcm",
    ]
    found = [(c.first, c.second, c.how) for c in find_copies([measure(path).marks for path in paths])]
    assert found == [(2, 3, "frames"), (4, 5, "movement")]


def test_held_frames_are_noted(tmp_path: Path) -> None:
    frames = np.random.default_rng(0).integers(0, 256, (12, 24, 32), dtype=np.uint8)
    for k, frame in enumerate(frames):
        Image.fromarray(frame).save(tmp_path / f"{k:02d}.png")
    (tmp_path / "05.png").write_bytes((tmp_path / "05.png").read_bytes()[:50])
    (tmp_path / "recording.json").write_text('{"fps": 25}')
    facts = measure_clip(ClipJob(ClipSource("a", tmp_path, "s"), "a", "salt", False))
    assert (facts.status, facts.n_frames) == ("ok", 12)
    assert any("1 frame is damaged" in note for note in facts.notes)
