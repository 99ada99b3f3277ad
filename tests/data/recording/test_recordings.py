from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from fascnet.data.clip_set.manifest import write_manifest
from fascnet.data.recording.find_clips import find_clips
from fascnet.data.recording.recordings import open_recording, read_clip
from fascnet.data.recording.video_writer import VideoWriter
from fascnet.errors import ManifestError, RecordingError
from fascnet.types import ClipSource
from tests.data.recording.test_dicom import make_dataset, make_frames, make_region, save
from tests.data.recording.test_meta_image import write_meta
from tests.data.recording.test_picture_folder import write_pictures


def write_clip(path: Path, frames: np.ndarray | None = None) -> np.ndarray:
    if frames is None:
        frames = np.random.default_rng(0).integers(0, 256, (30, 40, 60), dtype=np.uint8)
    with VideoWriter(path, frames.shape[1], frames.shape[2], 30, "ffv1") as writer:
        for frame in frames:
            writer.write(frame)
    return frames


def test_read_clip(tmp_path: Path) -> None:
    frames = write_clip(tmp_path / "a.avi")
    clip = read_clip(ClipSource("a", tmp_path / "a.avi", "s1", "biceps", "L", fps=15.0, mm_per_px=0.1))
    assert np.array_equal(clip.frames, frames)
    assert clip.times_s == pytest.approx(np.arange(30) / 15)
    assert (clip.clip_id, clip.subject_id, clip.muscle, clip.side) == ("a", "s1", "biceps", "L")
    assert clip.mm_per_px == 0.1


def test_dicom_is_known_by_its_content_and_keeps_its_region(tmp_path: Path) -> None:
    dataset = make_dataset(make_frames())
    dataset.SequenceOfUltrasoundRegions = [make_region()]
    info = open_recording(save(dataset, tmp_path / "IM00001")).info
    assert info.box == (4, 2, 32, 22)
    assert info.mm_per_px == pytest.approx(0.08)
    assert info.mm_per_px_from == "dicom"


def test_imaging_area_of_a_video_is_found(tmp_path: Path) -> None:
    frames = np.full((30, 120, 200), 60, np.uint8)
    frames[:, 10:110, 40:180] = np.random.default_rng(0).integers(0, 256, (30, 100, 140))
    write_clip(tmp_path / "a.avi", frames)
    assert open_recording(tmp_path / "a.avi").info.box == (40, 10, 180, 110)


def test_a_given_area_goes_before_all_others(tmp_path: Path) -> None:
    dataset = make_dataset(make_frames())
    dataset.SequenceOfUltrasoundRegions = [make_region()]
    path = save(dataset, tmp_path / "a.dcm")
    info = open_recording(path, box=(1, 2, 30, 20)).info
    assert (info.box, info.area_from, info.area_confidence) == ((1, 2, 30, 20), "given", 1.0)
    for outside in ((0, 0, 37, 20), (-1, 0, 5, 5), (5, 5, 5, 9), (0, 0, 5, 25)):
        with pytest.raises(RecordingError, match="image of 36x24"):
            open_recording(path, box=outside)


def test_an_area_need_not_be_looked_for(tmp_path: Path) -> None:
    frames = np.full((30, 120, 200), 60, np.uint8)
    frames[:, 10:110, 40:180] = np.random.default_rng(0).integers(0, 256, (30, 100, 140))
    write_clip(tmp_path / "a.avi", frames)
    assert open_recording(tmp_path / "a.avi", find_area=False).info.box == (0, 0, 200, 120)


def test_a_clip_cut_short_early_still_opens(tmp_path: Path) -> None:
    write_clip(tmp_path / "a.avi")
    data = (tmp_path / "a.avi").read_bytes()
    (tmp_path / "a.avi").write_bytes(data[: len(data) // 4])
    recording = open_recording(tmp_path / "a.avi")
    with pytest.raises(RecordingError):
        list(recording.frames())


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("a.mha", "MetaImage"),
        ("a.mhd", "MetaImage"),
        ("a.png", "still image"),
        ("a.JPG", "still image"),
        ("a", "video"),
    ],
)
def test_other_kinds_say_how_to_convert(tmp_path: Path, name: str, says: str) -> None:
    (tmp_path / name).write_bytes(cv2.imencode(".bmp", np.zeros((4, 4), np.uint8))[1].tobytes()[:20])
    with pytest.raises(RecordingError, match=says):
        open_recording(tmp_path / name)


def test_missing_files_and_folders(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match=r"absent\.mp4"):
        open_recording(tmp_path / "absent.mp4")
    with pytest.raises(RecordingError, match="0 pictures, not a clip"):
        open_recording(tmp_path)


def test_every_kind_gives_the_same(tmp_path: Path) -> None:
    frames = make_frames(12, 40, 60)
    write_clip(tmp_path / "video.avi", frames)
    save(make_dataset(frames, FrameTime=str(1000 / 30)), tmp_path / "dicom")
    write_meta(tmp_path / "meta.mha", frames, stamps=np.arange(12) / 30)
    np.savez(tmp_path / "array.npz", frames=frames, fps=30)
    write_pictures(tmp_path / "pictures", [f"{k}.png" for k in range(12)], frames=frames)
    (tmp_path / "pictures" / "recording.json").write_text('{"fps": 30}')
    clips = find_clips(tmp_path)
    assert sorted(clip.clip_id for clip in clips) == ["array", "dicom", "meta", "pictures", "video"]
    for clip in clips:
        recording = open_recording(clip.path)
        assert recording.info.fps == pytest.approx(30, abs=1e-3)
        assert recording.info.n_frames == 12
        assert recording.info.box == (0, 0, 60, 40)
        read = read_clip(clip)
        assert np.array_equal(read.frames, frames), clip.clip_id
        assert recording.times_s == pytest.approx(read.times_s)
        assert read.times_s == pytest.approx(np.arange(12) / 30, abs=1e-4)
        assert recording.path == clip.path and all(file.is_file() for file in recording.files)
        with pytest.raises(RecordingError):
            open_recording(clip.path, fps=0.001)


def touch(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"x")


def test_folders_are_searched(tmp_path: Path) -> None:
    touch(
        tmp_path,
        "b.MP4",
        "p 1/gm (L).avi",
        "notes.txt",
        ".hidden.mp4",
        ".trash/c.mp4",
        "x/y/z.v2.gif",
        "readme",
    )
    touch(tmp_path, "out/run.json", "out/scores.csv", "out/b/overlay.mp4", "still.png")
    touch(tmp_path, "archive/DICOMDIR")
    save(make_dataset(make_frames()), tmp_path / "archive" / "IM0001")
    save(make_dataset(make_frames()), tmp_path / "archive" / "1.2.840.1")
    clips = find_clips(tmp_path)
    assert {c.clip_id: c.path.relative_to(tmp_path).as_posix() for c in clips} == {
        "b": "b.MP4",
        "archive__IM0001": "archive/IM0001",
        "archive__1.2.840.1": "archive/1.2.840.1",
        "p_1__gm__L_": "p 1/gm (L).avi",
        "x__y__z.v2": "x/y/z.v2.gif",
    }
    assert all(c.subject_id == c.clip_id for c in clips)
    assert [c.clip_id for c in find_clips(str(tmp_path))] == [c.clip_id for c in clips]


def test_files_manifests_and_lists(tmp_path: Path) -> None:
    touch(tmp_path, "one.mp4", "set/two.mp4", "set/unlisted.mp4")
    write_manifest(tmp_path / "set", [ClipSource("T", tmp_path / "set" / "two.mp4", "s9")])
    assert [c.clip_id for c in find_clips(tmp_path / "one.mp4")] == ["one"]
    assert find_clips(tmp_path / "set") == find_clips(tmp_path / "set" / "manifest.csv")
    both = find_clips([tmp_path / "one.mp4", str(tmp_path / "set"), tmp_path / "one.mp4"])
    assert [(c.clip_id, c.subject_id) for c in both] == [("one", "one"), ("T", "s9")]


@pytest.mark.parametrize("names", [("a.mp4", "a.avi"), ("a/b.mp4", "a__b.mp4"), ("a b.mp4", "a_b.mp4")])
def test_two_clips_of_one_id_are_both_named(tmp_path: Path, names: tuple[str, str]) -> None:
    touch(tmp_path, *names)
    with pytest.raises(ManifestError) as caught:
        find_clips(tmp_path)
    assert all(name in str(caught.value) for name in names)
    assert "rename" in str(caught.value)


def test_nothing_there(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for entry in (tmp_path / "empty", tmp_path / "absent", []):
        with pytest.raises(RecordingError):
            find_clips(entry)


def test_paths_that_no_disk_takes_are_one_line(tmp_path: Path) -> None:
    path = tmp_path / ("x" * 300)
    with pytest.raises(RecordingError, match=r"cannot be (reached|read)"):
        open_recording(path)
    with pytest.raises(RecordingError, match="cannot be read"):
        find_clips(path)


def test_a_folder_that_cannot_be_searched_ends_the_search(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its clips would be missing from a study without a word. Root may read everything, so it is played."""
    write_clip(tmp_path / "a.avi")
    (tmp_path / "locked").mkdir()
    scan = os.scandir

    def refuse(place: str) -> object:
        if Path(place).name == "locked":
            raise PermissionError(13, "Permission denied", place)
        return scan(place)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(RecordingError, match=r"locked: cannot be read \(Permission denied\)"):
        find_clips(tmp_path)
