from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

from fascnet.data.recording.video import VideoRecording
from fascnet.data.recording.video_writer import VideoWriter
from fascnet.errors import RecordingError
from fascnet.models.preprocessing import Preprocessor

RAMP = np.tile(np.arange(256, dtype=np.uint8), (16, 1))


def write_grey(
    path: Path, n_frames: int = 30, height: int = 32, width: int = 48, fps: float = 25
) -> np.ndarray:
    frames = np.random.default_rng(1).integers(0, 256, (n_frames, height, width), dtype=np.uint8)
    codec = "h264_lossless" if path.suffix == ".mp4" else "ffv1"
    with VideoWriter(path, height, width, fps, codec) as writer:
        for frame in frames:
            writer.write(frame)
    return frames


def write_raw(
    path: Path,
    codec: str,
    pix_fmt: str,
    images: list[np.ndarray],
    source: str,
    pts: list[int] | None = None,
    range_: int = 0,
) -> None:
    """Write with PyAV alone, so that the reader is not tested against our own writer."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25)
        stream.height, stream.width = images[0].shape[:2]
        if pix_fmt == "yuv420p" and images[0].shape[0] % 3 == 0 and source == "yuv420p":
            stream.height = images[0].shape[0] * 2 // 3
        stream.pix_fmt = pix_fmt
        stream.codec_context.color_range = range_
        for i, image in enumerate(images):
            frame = av.VideoFrame.from_ndarray(image, format=source)
            frame.pts = i if pts is None else pts[i]
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def test_every_frame_and_its_time(tmp_path: Path) -> None:
    frames = write_grey(tmp_path / "a.mp4", n_frames=37)
    recording = VideoRecording(tmp_path / "a.mp4", mm_per_px=0.1)
    info = recording.info
    assert (info.height, info.width, info.n_frames, info.fps) == (32, 48, 37, 25)
    assert info.duration_s == pytest.approx(37 / 25)
    assert (info.mm_per_px, info.mm_per_px_from, info.box) == (0.1, "manifest", (0, 0, 48, 32))
    for _ in range(2):  # each call starts anew
        read = list(recording.frames())
        assert [f.index for f in read] == list(range(37))
        assert [f.time_s for f in read] == pytest.approx(np.arange(37) / 25)
        assert np.array_equal(np.stack([f.image for f in read]), frames)


def test_frames_own_their_memory(tmp_path: Path) -> None:
    frames = write_grey(tmp_path / "a.avi", n_frames=20, width=49)
    images = []
    for frame in VideoRecording(tmp_path / "a.avi").frames():
        images.append(frame.image)
    assert np.array_equal(np.stack(images), frames)


@pytest.mark.parametrize(("range_", "low", "high"), [(0, 16, 235), (1, 16, 235), (2, 0, 255)])
def test_limited_range_is_expanded_and_full_range_is_not(
    tmp_path: Path, range_: int, low: int, high: int
) -> None:
    planes = np.full((24, 32), 128, np.uint8)
    planes[:16] = low
    planes[:16, 16:] = high
    write_raw(tmp_path / "a.mkv", "ffv1", "yuv420p", [planes], "yuv420p", range_=range_)
    image = next(VideoRecording(tmp_path / "a.mkv").frames()).image
    assert (image[:, :16] == 0).all() and (image[:, 16:] == 255).all()


@pytest.mark.parametrize(
    ("codec", "pix_fmt", "suffix", "tolerance"),
    [
        ("mjpeg", "yuvj420p", ".avi", 6),
        ("rawvideo", "bgr24", ".avi", 1),
        ("rawvideo", "gray", ".avi", 0),
        ("rawvideo", "yuyv422", ".avi", 3),
        ("ffv1", "yuv420p10le", ".mkv", 1),
        ("ffv1", "yuv422p12le", ".mkv", 1),
        ("ffv1", "gray16le", ".mkv", 1),
        ("ffv1", "gray10le", ".mkv", 1),
        ("gif", "rgb8", ".gif", 40),
        ("mpeg4", "yuv420p", ".mov", 12),
    ],
)
def test_pixel_formats_come_as_the_same_grey(
    tmp_path: Path, codec: str, pix_fmt: str, suffix: str, tolerance: int
) -> None:
    rgb = np.repeat(RAMP[..., None], 3, axis=2)
    write_raw(tmp_path / f"a{suffix}", codec, pix_fmt, [rgb] * 3, "rgb24")
    read = list(VideoRecording(tmp_path / f"a{suffix}").frames())
    assert len(read) == 3
    assert read[0].image.shape == RAMP.shape
    assert np.abs(read[0].image.astype(int) - RAMP).max() <= tolerance


def test_colour_is_weighed_to_luma(tmp_path: Path) -> None:
    rgb = np.zeros((16, 16, 3), np.uint8)
    rgb[..., 1] = 200
    write_raw(tmp_path / "a.avi", "rawvideo", "bgr24", [rgb], "rgb24")
    image = next(VideoRecording(tmp_path / "a.avi").frames()).image
    assert np.abs(image.astype(int) - round(0.587 * 200)).max() <= 1  # ITU-R BT.601


def test_variable_rate_times_are_kept_and_rescaled(tmp_path: Path) -> None:
    pts = [0, 1, 2, 5, 6, 10]
    write_raw(tmp_path / "a.mkv", "ffv1", "gray", [RAMP] * 6, "gray", pts=pts)
    own = VideoRecording(tmp_path / "a.mkv")
    times = np.array([f.time_s for f in own.frames()])
    assert times == pytest.approx(np.array(pts) / 25, abs=1e-3)
    doubled = VideoRecording(tmp_path / "a.mkv", fps=2 * own.info.fps)
    assert [f.time_s for f in doubled.frames()] == pytest.approx(times / 2)
    assert doubled.info.fps == 2 * own.info.fps


def test_fps_override_gives_index_over_fps(tmp_path: Path) -> None:
    write_grey(tmp_path / "a.avi", fps=25)
    recording = VideoRecording(tmp_path / "a.avi", fps=1500.0)
    assert [f.time_s for f in recording.frames()] == pytest.approx(np.arange(30) / 1500)
    assert recording.info.duration_s == pytest.approx(30 / 1500)


def test_unreadable_files_are_named(tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("this is a letter, not a video\n" * 50)
    (tmp_path / "empty.mp4").write_bytes(b"")
    write_grey(tmp_path / "whole.mp4", n_frames=40)
    data = (tmp_path / "whole.mp4").read_bytes()
    # The index (moov) stands at the front; without it, or with it at a cut-off end, nothing can be decoded.
    start = data.index(b"moov") - 4
    size = int.from_bytes(data[start : start + 4], "big")
    (tmp_path / "no_moov.mp4").write_bytes(data[:start] + data[start + size :])
    (tmp_path / "playlist.mp4").write_text("#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/a.ts\n")
    for name in ("text", "empty", "no_moov", "playlist", "absent"):
        with pytest.raises(RecordingError, match=f"{name}.mp4") as caught:
            list(VideoRecording(tmp_path / f"{name}.mp4").frames())
        assert ";" in str(caught.value) and "\n" not in str(caught.value)
    with pytest.raises(RecordingError, match="is a folder"):
        VideoRecording(tmp_path)


@pytest.mark.parametrize("name", ["a.mp4", "a.avi"])
def test_a_file_cut_short_yields_its_sound_frames_and_then_says_so(tmp_path: Path, name: str) -> None:
    frames = write_grey(tmp_path / name, n_frames=60)
    data = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(data[: len(data) // 2])
    read = []
    with pytest.raises(RecordingError, match=r"of 60 frames|is damaged"):
        for frame in VideoRecording(tmp_path / name).frames():
            read.append(frame.image)
    assert 20 <= len(read) <= 31
    # The packet at the cut may decode half.
    assert np.array_equal(np.stack(read[:-1]), frames[: len(read) - 1])


def test_sound_without_picture_is_refused(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "a.mp4"), "w") as container:
        stream = container.add_stream("aac", rate=44100)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.rate = 44100
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with pytest.raises(RecordingError, match="no video stream"):
        VideoRecording(tmp_path / "a.mp4")


def test_a_change_of_size_is_refused(tmp_path: Path) -> None:
    # An elementary stream may change size at a key frame: two of them, one after the other.
    for name, size in (("a.h264", 32), ("b.h264", 64)):
        write_raw(
            tmp_path / name, "libx264", "yuv420p", [np.zeros((size * 3 // 2, size), np.uint8)] * 5, "yuv420p"
        )
    joined = tmp_path / "c.h264"
    joined.write_bytes((tmp_path / "a.h264").read_bytes() + (tmp_path / "b.h264").read_bytes())
    with pytest.raises(RecordingError, match="changes size from 32x32 to 64x64"):
        list(VideoRecording(joined).frames())


def test_streams_without_times_count_on_at_the_average_rate(tmp_path: Path) -> None:
    write_raw(tmp_path / "a.h264", "libx264", "yuv420p", [np.zeros((48, 32), np.uint8)] * 9, "yuv420p")
    recording = VideoRecording(tmp_path / "a.h264", fps=50.0)
    assert recording.info.n_frames is None
    assert [f.time_s for f in recording.frames()] == pytest.approx(np.arange(9) / 50)


def test_times_and_notes_of_a_sound_clip(tmp_path: Path) -> None:
    write_grey(tmp_path / "a.mp4", n_frames=37)
    recording = VideoRecording(tmp_path / "a.mp4", fps=50.0)
    assert recording.times_s == pytest.approx([f.time_s for f in recording.frames()])
    assert len(recording.times_s) == 37
    assert recording.notes == ()
    assert recording.files == (tmp_path / "a.mp4",)


def test_variable_times_without_decoding_to_pixels(tmp_path: Path) -> None:
    pts = [0, 1, 2, 5, 6, 10]
    write_raw(tmp_path / "a.mkv", "ffv1", "gray", [RAMP] * 6, "gray", pts=pts)
    assert VideoRecording(tmp_path / "a.mkv").times_s == pytest.approx(np.array(pts) / 25, abs=1e-3)


def test_times_of_a_cut_clip_end_with_it(tmp_path: Path) -> None:
    write_grey(tmp_path / "a.avi", n_frames=60)
    data = (tmp_path / "a.avi").read_bytes()
    (tmp_path / "a.avi").write_bytes(data[: len(data) // 2])
    assert 20 <= len(VideoRecording(tmp_path / "a.avi").times_s) <= 31


def write_shown(
    path: Path, *, aspect: Fraction = Fraction(1), degrees: int = 0, interlaced: bool = False
) -> None:
    """A clip that players show otherwise than it is stored."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg2video" if interlaced else "libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        stream.codec_context.sample_aspect_ratio = aspect
        if degrees:
            stream.set_display_rotation(degrees)
        if interlaced:
            stream.codec_context.options = {"flags": "+ildct+ilme", "top": "1"}
        for _ in range(5):
            planes = np.full((96, 96), 100, np.uint8)
            planes[:20, :30] = 200  # a corner by which to tell a turn
            planes[64:] = 128
            frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


@pytest.mark.parametrize(
    ("shown", "note"),
    [
        ({"aspect": Fraction(4, 3)}, "1.333 times as wide as high"),
        ({"degrees": 90}, "turned by 90 degrees"),
        ({"interlaced": True}, "interlaced"),
    ],
)
def test_what_is_odd_about_the_pictures_is_told(tmp_path: Path, shown: dict[str, Any], note: str) -> None:
    write_shown(tmp_path / "a.mp4", **shown)
    recording = VideoRecording(tmp_path / "a.mp4")
    assert len(recording.notes) == 1 and note in recording.notes[0]
    turned = "degrees" in shown
    assert (recording.info.width, recording.info.height) == ((64, 96) if turned else (96, 64))
    assert next(recording.frames()).image.shape == (recording.info.height, recording.info.width)


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
@pytest.mark.parametrize("suffix", [".mp4", ".mov"])
def test_turned_pictures_are_those_that_players_and_opencv_show(
    tmp_path: Path, degrees: int, suffix: str
) -> None:
    path = tmp_path / f"a{suffix}"
    write_shown(path, aspect=Fraction(4, 3), degrees=degrees)
    recording = VideoRecording(path)
    capture = cv2.VideoCapture(str(path))
    _, expected = capture.read()
    capture.release()
    frames = list(recording.frames())
    assert len(frames) == len(recording.times_s) == 5
    # OpenCV turns, and leaves pixels that are not square as they are.
    assert frames[0].image.shape == expected.shape[:2]
    assert np.abs(frames[0].image.astype(int) - expected[..., 0]).max() <= 3
    assert recording.info.pixel_aspect == pytest.approx(4 / 3 if degrees % 180 == 0 else 3 / 4)


def test_pixels_that_are_not_square_become_square_on_the_working_grid(tmp_path: Path) -> None:
    write_shown(tmp_path / "a.mp4", aspect=Fraction(3, 2))
    grid = Preprocessor(pitch_mm=0.1).plan(VideoRecording(tmp_path / "a.mp4", mm_per_px=0.1).info)
    assert (grid.height, grid.width) == (64, 144)  # 96 columns, each 0.15 mm wide
