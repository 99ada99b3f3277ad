from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest

from fascnet.data.recording.video import VideoRecording
from fascnet.data.recording.video_facts import read_stream_facts
from fascnet.errors import RecordingError


def write_video(
    path: Path, codec: str, *, form: str | None = None, n_frames: int = 40, rate: int = 30, full: bool = False
) -> np.ndarray:
    """Write moving stripes by PyAV alone; return their luma as encoded (16-235)."""
    frames = []
    with av.open(str(path), "w", format=form) as container:
        stream = container.add_stream(codec, rate=rate)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuvj420p" if full else "yuv420p"
        for k in range(n_frames):
            planes = np.full((96, 96), 128, np.uint8)
            planes[:64] = np.clip(40 + np.arange(96) + 3 * k, 16, 235)
            frames.append(planes[:64].copy())
            frame = av.VideoFrame.from_ndarray(planes, format="yuvj420p" if full else "yuv420p")
            frame.pts = k
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return np.stack(frames)


CONTAINERS = [
    ("a.mp4", "libx264", None),
    ("a.mp4", "libx265", None),
    ("a.m4v", "mpeg4", None),
    ("a.mov", "mpeg4", None),
    ("a.avi", "mpeg4", None),
    ("b.avi", "mjpeg", None),
    ("a.mkv", "libx264", None),
    ("a.webm", "libvpx", None),
    ("a.mpg", "mpeg2video", None),
    ("b.mpeg", "mpeg1video", None),
    ("a.wmv", "wmv2", "asf"),
    ("a.mts", "libx264", "mpegts"),
]


@pytest.mark.parametrize(("name", "codec", "form"), CONTAINERS)
def test_every_container(tmp_path: Path, name: str, codec: str, form: str | None) -> None:
    frames = write_video(tmp_path / name, codec, form=form, full=codec == "mjpeg")
    recording = VideoRecording(tmp_path / name)
    assert recording.info.fps == pytest.approx(30)
    assert (recording.info.height, recording.info.width) == (64, 96)
    assert recording.info.n_frames in {40, None}
    read = list(recording.frames())
    assert len(read) == 40
    assert [f.time_s for f in read] == pytest.approx(np.arange(40) / 30, abs=1.1e-3)
    expected = frames if codec == "mjpeg" else np.clip((frames.astype(float) - 16) * 255 / 219, 0, 255)
    assert np.abs(np.stack([f.image for f in read]).astype(float) - expected).mean() < 6


@pytest.mark.parametrize(
    ("form", "codec"),
    [("h264", "libx264"), ("hevc", "libx265"), ("mpeg2video", "mpeg2video"), ("m4v", "mpeg4")],
)
def test_a_bare_stream_s_rate_is_its_codec_s(tmp_path: Path, form: str, codec: str) -> None:
    write_video(tmp_path / f"a.{form}", codec, form=form, rate=30)
    # FFmpeg itself would say 25.
    assert VideoRecording(tmp_path / f"a.{form}").info.fps == pytest.approx(30)


def test_a_bare_stream_without_a_rate_is_not_guessed(tmp_path: Path) -> None:
    write_video(tmp_path / "a.mjpeg", "mjpeg", form="mjpeg", full=True)
    with pytest.raises(RecordingError, match="fps column"):
        VideoRecording(tmp_path / "a.mjpeg")
    assert [f.time_s for f in VideoRecording(tmp_path / "a.mjpeg", fps=20.0).frames()] == pytest.approx(
        np.arange(40) / 20
    )


@pytest.mark.parametrize(
    "text",
    [
        "ffconcat version 1.0\nfile whole.mp4\n",
        "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nwhole.mp4\n#EXT-X-ENDLIST\n",
        "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nm=video 5004 RTP/AVP 96\n",
    ],
)
def test_lists_of_other_files_are_not_followed(tmp_path: Path, text: str) -> None:
    write_video(tmp_path / "whole.mp4", "libx264")
    (tmp_path / "list.mp4").write_text(text)
    with pytest.raises(RecordingError, match=r"list\.mp4: is not a readable video"):
        VideoRecording(tmp_path / "list.mp4")


def hide_first_frames(source: Path, target: Path, n: int) -> None:
    """Cut as a phone does: an edit list hides the first frames, which stay in the file."""
    with av.open(str(source)) as whole, av.open(str(target), "w") as cut:
        stream = whole.streams.video[0]
        copy = cut.add_stream_from_template(stream)
        shift = round(n / stream.average_rate / stream.time_base)
        for packet in whole.demux(stream):
            if packet.dts is not None:
                packet.pts, packet.dts, packet.stream = packet.pts - shift, packet.dts - shift, copy
                cut.mux(packet)


def test_frames_that_an_edit_list_hides_are_not_missing(tmp_path: Path) -> None:
    write_video(tmp_path / "whole.mp4", "libx264", n_frames=60)
    hide_first_frames(tmp_path / "whole.mp4", tmp_path / "cut.mp4", 10)
    recording = VideoRecording(tmp_path / "cut.mp4")
    assert recording.info.n_frames == 50
    assert [f.time_s for f in recording.frames()] == pytest.approx(np.arange(50) / 30, abs=1e-3)


def write_huge(path: Path) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("png", rate=30)
        stream.width, stream.height, stream.pix_fmt = 12000, 12000, "gray"
        frame = av.VideoFrame.from_ndarray(np.zeros((12000, 12000), np.uint8), format="gray")
        for k in range(3):
            frame.pts = k
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def test_frames_that_are_too_large_are_never_allocated(tmp_path: Path) -> None:
    # Written by another process, so that this one's peak memory stays low.
    code = "from tests.data.recording.test_video_facts import *; write_huge(Path(sys.argv[1]))"
    call = [sys.executable, "-c", code, str(tmp_path / "a.mov")]
    subprocess.run(call, check=True, cwd=Path(__file__).parents[3])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(RecordingError, match="too large"):
        VideoRecording(tmp_path / "a.mov")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 * 1024  # KiB; one frame has 140


def test_facts(tmp_path: Path) -> None:
    write_video(tmp_path / "a.mkv", "libx264")
    facts = read_stream_facts(tmp_path / "a.mkv", "a")
    assert (facts.height, facts.width, facts.n_frames, facts.fps, facts.pixel_aspect) == (64, 96, None, 30, 1)
    assert facts.end_s == pytest.approx(40 / 30, abs=2e-3)
