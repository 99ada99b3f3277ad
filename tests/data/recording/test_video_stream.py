from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from fascnet.data.recording.video import VideoRecording
from fascnet.errors import RecordingError
from tests.data.recording.test_video_facts import write_video


def read_until_it_breaks(path: Path) -> tuple[list[np.ndarray], list[float], str]:
    images, times_s = [], []
    with pytest.raises(RecordingError) as caught:
        for frame in VideoRecording(path).frames():
            images.append(frame.image)
            times_s.append(frame.time_s)
    return images, times_s, str(caught.value)


@pytest.mark.parametrize(
    ("name", "codec", "form"),
    [
        ("a.avi", "mjpeg", None),
        ("a.mkv", "libx264", None),
        ("a.webm", "libvpx", None),
        ("a.wmv", "wmv2", "asf"),
        ("a.gif", "gif", None),
    ],
)
def test_a_cut_file_says_so(tmp_path: Path, name: str, codec: str, form: str | None) -> None:
    n_frames = 120
    if codec == "gif":
        write_gif(tmp_path / name, n_frames)
    else:
        write_video(tmp_path / name, codec, form=form, n_frames=n_frames, full=codec == "mjpeg")
    whole = [frame.image for frame in VideoRecording(tmp_path / name).frames()]
    assert len(whole) == n_frames
    data = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(data[: len(data) // 2])
    images, _, message = read_until_it_breaks(tmp_path / name)
    assert 10 <= len(images) < n_frames
    assert np.array_equal(images[:-1], whole[: len(images) - 1])  # the packet at the cut may decode half
    assert "cut short" in message or "is damaged" in message


def write_gif(path: Path, n_frames: int) -> None:
    rng = np.random.default_rng(0)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("gif", rate=25)
        stream.width, stream.height, stream.pix_fmt = 48, 32, "rgb8"
        for _ in range(n_frames):
            image = rng.integers(0, 256, (32, 48, 3), dtype=np.uint8)
            container.mux(
                stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24").reformat(format="rgb8"))
            )
        container.mux(stream.encode(None))


@pytest.mark.parametrize("k", [4, 17, 24])
def test_what_ffmpeg_patched_up_is_not_shown(tmp_path: Path, k: int) -> None:
    path = tmp_path / "a.mp4"
    write_noise(path, key_every=30)
    whole = [frame.image for frame in VideoRecording(path).frames()]
    data = bytearray(path.read_bytes())
    start, size = list_packets(path)[k]
    # a few wrong bytes may be another picture to the decoder; half a picture of zeros never is
    data[start + size // 2 : start + size] = bytes(size - size // 2)
    path.write_bytes(data)
    images, _, message = read_until_it_breaks(path)
    assert 3 <= len(images) <= k
    assert np.array_equal(images, whole[: len(images)])
    assert "is damaged" in message


@pytest.mark.parametrize(("name", "codec"), [("a.avi", "mjpeg"), ("a.mp4", "libx264")])
def test_a_damaged_frame_is_held_where_the_next_stands_by_itself(
    tmp_path: Path, name: str, codec: str
) -> None:
    path = tmp_path / name
    write_noise(path, key_every=1, codec=codec)
    whole = [frame.image for frame in VideoRecording(path).frames()]
    data = bytearray(path.read_bytes())
    start, size = list_packets(path)[17]
    data[start + 12 : start + size] = bytes(size - 12)
    path.write_bytes(data)
    recording = VideoRecording(path)
    frames = list(recording.frames())
    assert [frame.index for frame in frames if frame.held] == [17]
    assert np.array_equal(np.delete([f.image for f in frames], 17, 0), np.delete(whole, 17, 0))
    assert np.array_equal(frames[17].image, whole[16])
    assert [f.time_s for f in frames] == pytest.approx(np.arange(40) / 30, abs=1e-3)
    assert recording.times_s == pytest.approx([f.time_s for f in frames])


def test_a_recording_that_is_damaged_all_over_ends(tmp_path: Path) -> None:
    path = tmp_path / "a.avi"
    write_noise(path, key_every=1, codec="mjpeg")
    data = bytearray(path.read_bytes())
    for start, size in list_packets(path)[6::4]:
        data[start + 12 : start + size] = bytes(size - 12)
    path.write_bytes(data)
    images, _, message = read_until_it_breaks(path)
    assert 10 <= len(images) < 36 and "is damaged after frame" in message


def list_packets(path: Path) -> list[tuple[int, int]]:
    with av.open(str(path)) as container:
        return [(p.pos, p.size) for p in container.demux(video=0) if p.size]


def write_noise(path: Path, *, key_every: int, codec: str = "libx264") -> None:
    rng = np.random.default_rng(0)
    with av.open(str(path), "w") as container:
        options = {"g": f"{key_every}", "bf": "0", "sc_threshold": "0"} if codec == "libx264" else {}
        stream = container.add_stream(codec, rate=30, options=options)
        form = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        stream.width, stream.height, stream.pix_fmt = 96, 64, form
        for k in range(40):
            planes = rng.integers(16, 236, (96, 96), dtype=np.uint8)
            frame = av.VideoFrame.from_ndarray(planes, format=form)
            frame.pts = k
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def test_a_leap_in_time_ends_it(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "a.mkv"), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = 32, 16, "gray"
        for pts in (0, 1, 2, 3, 25 * 3600, 25 * 3600 + 1):
            frame = av.VideoFrame.from_ndarray(np.full((16, 32), 90, np.uint8), format="gray")
            frame.pts = pts
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    images, times_s, message = read_until_it_breaks(tmp_path / "a.mkv")
    assert len(images) == 4 and times_s[-1] < 0.2
    assert "jumps by 3600 s after frame 3" in message
