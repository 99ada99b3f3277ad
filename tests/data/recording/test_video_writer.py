from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fascnet.data.recording.video import VideoRecording
from fascnet.data.recording.video_writer import Codec, VideoWriter
from fascnet.errors import OutputError


def make_noise(frames: int, height: int, width: int) -> np.ndarray:
    noise = np.random.default_rng(0).integers(0, 256, (frames, height, width), dtype=np.uint8)
    noise[:, 0, :2] = (0, 255)
    return noise


def write(path: Path, frames: np.ndarray, codec: Codec, fps: float = 30, color: bool = False) -> Path:
    with VideoWriter(path, frames.shape[1], frames.shape[2], fps, codec, color) as writer:
        for frame in frames:
            writer.write(frame)
    return path


@pytest.mark.parametrize(
    ("codec", "suffix"),
    [
        ("ffv1", ".avi"),
        ("ffv1", ".mkv"),
        ("h264_lossless", ".mp4"),
        ("h264_lossless", ".avi"),
        ("h264_lossless", ".mov"),
    ],
)
@pytest.mark.parametrize("size", [(48, 64), (47, 61)])
def test_lossless_codecs_read_back_bit_identical(
    tmp_path: Path, codec: Codec, suffix: str, size: tuple[int, int]
) -> None:
    frames = make_noise(12, *size)
    recording = VideoRecording(write(tmp_path / f"a{suffix}", frames, codec, 61.0))
    read = list(recording.frames())
    assert np.array_equal(np.stack([f.image for f in read]), frames)
    assert [f.time_s for f in read] == pytest.approx(np.arange(12) / 61.0, abs=6e-4)
    assert recording.info.fps == pytest.approx(61.0, rel=1e-3)


@pytest.mark.parametrize("codec", ["h264", "h264_fast"])
def test_lossy_codecs_keep_the_grey_scale_and_pad_odd_sizes(tmp_path: Path, codec: Codec) -> None:
    ramp = np.tile(np.linspace(0, 255, 63).astype(np.uint8), (5, 33, 1))
    image = next(VideoRecording(write(tmp_path / "a.mp4", ramp, codec)).frames()).image
    assert image.shape == (34, 64)
    assert np.abs(image[:33, :63].astype(int) - ramp[0]).max() <= 4
    assert np.abs(image[:33, 63].astype(int) - 255).max() <= 4


@pytest.mark.parametrize(("codec", "tolerance"), [("ffv1", 0), ("h264_lossless", 0), ("h264_fast", 8)])
def test_colour_keeps_red_apart_from_blue(tmp_path: Path, codec: Codec, tolerance: int) -> None:
    import av  # noqa: PLC0415

    frames = np.zeros((4, 32, 48, 3), np.uint8)
    frames[:, :, :24] = (220, 40, 30)
    frames[:, :, 24:] = (20, 60, 200)
    path = write(tmp_path / "a.mkv", frames, codec, color=True)
    with av.open(str(path)) as container:
        read = np.stack([f.to_ndarray(format="rgb24") for f in container.decode(video=0)])
    assert read.shape == frames.shape
    flat = np.s_[:, 4:-4, [4, 8, 12, 36, 40, 44]]
    assert np.abs(read[flat].astype(int) - frames[flat]).max() <= tolerance


def test_equal_frames_make_equal_files(tmp_path: Path) -> None:
    frames = make_noise(20, 96, 96)
    for codec, suffix in (
        ("h264_lossless", ".avi"),
        ("h264_lossless", ".mkv"),
        ("h264_lossless", ".mp4"),
        ("h264", ".mp4"),
        ("h264_fast", ".mp4"),
    ):
        one = write(tmp_path / f"a{suffix}", frames, codec).read_bytes()
        for _ in range(3):
            assert one == write(tmp_path / f"b{suffix}", frames, codec).read_bytes(), codec


def test_an_error_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), VideoWriter(tmp_path / "a.avi", 8, 8, 30) as writer:
        writer.write(np.zeros((8, 8), np.uint8))
        _ = 1 / 0
    with pytest.raises(OutputError, match="no frame"), VideoWriter(tmp_path / "a.avi", 8, 8, 30):
        pass
    with (
        pytest.raises(OutputError, match="expected uint8"),
        VideoWriter(tmp_path / "a.avi", 8, 8, 30) as writer,
    ):
        writer.write(np.zeros((8, 9), np.uint8))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "codec", "fps", "says"),
    [
        ("a.txt", "h264", 30, "cannot be stored in '.txt'"),
        ("a.mp4", "ffv1", 30, "name the file .avi or .mkv"),
        ("a.avi", "mpeg2", 30, "there is no codec 'mpeg2'"),
        ("a.avi", "ffv1", 0, "fps must be above 0"),
        ("a.avi", "ffv1", float("nan"), "fps must be above 0"),
    ],
)
def test_wrong_arguments_are_named(tmp_path: Path, name: str, codec: Codec, fps: float, says: str) -> None:
    with pytest.raises(OutputError, match=says):
        VideoWriter(tmp_path / name, 8, 8, fps, codec)


def test_unwritable_folder_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(OutputError, match="cannot be written"),
        VideoWriter(tmp_path / "file" / "a.avi", 8, 8, 30),
    ):
        pass
