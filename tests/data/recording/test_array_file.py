from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

from fascnet.data.recording.array_file import ArrayRecording, is_frame_archive
from fascnet.data.recording.find_clips import find_clips
from fascnet.data.recording.recordings import open_recording
from fascnet.errors import RecordingError

FRAMES = np.random.default_rng(0).integers(0, 256, (12, 40, 60), dtype=np.uint8)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_frames_rate_and_scale(tmp_path: Path, save: object) -> None:
    save(tmp_path / "a.npz", frames=FRAMES, fps=25, mm_per_px=np.float32([0.125]))  # type: ignore[operator]
    recording = open_recording(tmp_path / "a.npz", find_area=False)
    info = recording.info
    assert (info.height, info.width, info.n_frames, info.fps) == (40, 60, 12, 25)
    assert (info.mm_per_px, info.mm_per_px_from, info.duration_s) == (0.125, "file", 12 / 25)
    for _ in range(2):
        read = list(recording.frames())
        assert np.array_equal(np.stack([f.image for f in read]), FRAMES)
        assert [f.time_s for f in read] == pytest.approx(recording.times_s)
    read[0].image[:] = 0  # memory of its own, writable
    given = open_recording(tmp_path / "a.npz", fps=50.0, mm_per_px=0.2).info
    assert (given.fps, given.mm_per_px, given.mm_per_px_from) == (50, 0.2, "manifest")


def test_a_rate_is_asked_for(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", frames=FRAMES)
    with pytest.raises(RecordingError, match="fps column"):
        ArrayRecording(tmp_path / "a.npz")
    assert ArrayRecording(tmp_path / "a.npz", fps=30.0).info.fps == 30


@pytest.mark.parametrize(
    ("arrays", "says"),
    [
        ({"images": FRAMES}, "no array 'frames'"),
        ({"frames": FRAMES.astype(float)}, "float64 with 3 axes"),
        ({"frames": FRAMES[0]}, "uint8 with 2 axes"),
        ({"frames": FRAMES[:1]}, "single image"),
        ({"frames": FRAMES[:, :0]}, "no pixels"),
        ({"frames": np.asfortranarray(FRAMES)}, "row order"),
        ({"frames": np.array([{"a": 1}] * 2, dtype=object)}, "object with 1 axes"),
        ({"frames": FRAMES, "fps": [25, 30]}, "'fps' is not one number"),
        ({"frames": FRAMES, "fps": "25"}, "'fps' is not one number"),
        ({"frames": FRAMES, "fps": -25}, "'fps' is -25"),
        ({"frames": FRAMES, "fps": np.nan}, "'fps' is nan"),
        ({"frames": FRAMES, "fps": 0.01}, "no rate of an ultrasound clip"),
        ({"frames": FRAMES, "mm_per_px": np.inf}, "'mm_per_px' is inf"),
        ({"frames": FRAMES, "fps": np.array({"a": 1}, dtype=object)}, "'fps' is not one number"),
    ],
)
def test_bad_archives_are_named(tmp_path: Path, arrays: dict[str, object], says: str) -> None:
    np.savez(tmp_path / "a.npz", **{"fps": 25, **arrays})  # type: ignore[arg-type]
    with pytest.raises(RecordingError, match=rf"a\.npz: .*{says}.*; "):
        ArrayRecording(tmp_path / "a.npz")


def rewrite_head(path: Path, old: bytes, new: bytes) -> None:
    """Change the header of `frames`; the zip around it stays sound."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    assert old in members["frames.npy"]
    members["frames.npy"] = members["frames.npy"].replace(old, new, 1)
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)


@pytest.mark.parametrize(
    ("new", "says"),
    [(b"(99, 40, 60)", "too small"), (b"(12, 9999999, 60)", "claims frames of"), (b"(-9, 40, 60)", "single")],
)
def test_claims_are_checked_before_anything_is_allocated(tmp_path: Path, new: bytes, says: str) -> None:
    np.savez(tmp_path / "a.npz", frames=FRAMES, fps=25)
    rewrite_head(tmp_path / "a.npz", b"(12, 40, 60)", new)
    with pytest.raises(RecordingError, match=says):
        ArrayRecording(tmp_path / "a.npz")


def test_damage_is_found(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "a.npz", frames=FRAMES, fps=25)
    data = bytearray((tmp_path / "a.npz").read_bytes())
    (tmp_path / "cut.npz").write_bytes(data[: len(data) // 2])
    data[len(data) // 2] ^= 0x10
    (tmp_path / "flipped.npz").write_bytes(data)
    (tmp_path / "text.npz").write_text("this is a letter")
    for name in ("cut", "flipped", "text"):
        with pytest.raises(RecordingError, match=rf"{name}\.npz: .*; "):
            list(ArrayRecording(tmp_path / f"{name}.npz").frames())


def test_unusual_packing_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", frames=FRAMES, fps=25)
    with zipfile.ZipFile(tmp_path / "a.npz") as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(tmp_path / "b.npz", "w", zipfile.ZIP_LZMA) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    with pytest.raises(RecordingError, match="unusual way"):
        ArrayRecording(tmp_path / "b.npz")


def test_archives_of_frames_are_found_and_of_other_things_not(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", frames=FRAMES, fps=25)
    np.savez(tmp_path / "heatmap.npz", heatmap=FRAMES)
    assert [is_frame_archive(tmp_path / name) for name in ("a.npz", "heatmap.npz")] == [True, False]
    assert [clip.clip_id for clip in find_clips(tmp_path)] == ["a"]


def test_an_archive_that_was_half_copied_is_found_and_fails(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", frames=FRAMES, fps=25)
    data = (tmp_path / "a.npz").read_bytes()
    (tmp_path / "b.npz").write_bytes(data[: len(data) // 2])
    assert [clip.clip_id for clip in find_clips(tmp_path)] == ["a", "b"]
    with pytest.raises(RecordingError, match=r"b\.npz"):
        ArrayRecording(tmp_path / "b.npz")
