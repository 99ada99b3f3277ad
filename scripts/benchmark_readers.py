"""Decode speed of the readers, as ratios to the libraries below them on the same files: what holds anywhere.

    python scripts/benchmark_readers.py FOLDER [rounds=5]

Every recording of FOLDER is decoded whole by its opened reader, by PyAV or pydicom alone (decoded, not
converted), and by what a script would write with them (grey NumPy frames): in turn, `rounds` times. Medians
are printed; a ratio of 1.1 means that the reader takes 1.1 times as long. Beside them the time to open each
recording and find its imaging area, and at the end the peak memory of opening and of decoding the longest.
"""

from __future__ import annotations

import os
import sys

os.environ.update(OMP_NUM_THREADS="1", OMP_WAIT_POLICY="PASSIVE")

import resource
import statistics
import subprocess
import time
import warnings
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import av
import cv2
import numpy as np
from key_values import read_key_values, read_whole
from PIL import Image
from pydicom.pixels.utils import iter_pixels

from fascnet.data.recording.find_clips import find_clips
from fascnet.data.recording.picture_folder import PICTURE_SUFFIXES, sort_naturally
from fascnet.data.recording.recordings import OpenedRecording, open_recording
from fascnet.errors import FascnetError, RecordingError

STILLS_FPS = 25.0
"""Stills have no rate; here it does not matter."""

Count = Callable[[Path], int]
"""Decodes a file and returns its number of frames."""


def count_by_reader(recording: OpenedRecording) -> int:
    return sum(1 for _ in recording.frames())


def decode_by_pyav(path: Path) -> int:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        return sum(1 for _ in container.decode(stream))


def convert_by_pyav(path: Path) -> int:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        return sum(len(frame.to_ndarray(format="gray")) > 0 for frame in container.decode(stream))


def decode_by_pydicom(path: Path) -> int:
    return sum(1 for _ in iter_pixels(path, raw=True))


def convert_by_pydicom(path: Path) -> int:
    count = 0
    for array in iter_pixels(path):
        count += 1
        if array.ndim == 3:
            cv2.cvtColor(np.ascontiguousarray(array), cv2.COLOR_RGB2GRAY)
    return count


def inflate_by_zlib(path: Path) -> int:
    recording = open_recording(path, find_area=False)
    data = path.read_bytes()
    samples = zlib.decompress(data[data.index(b"ElementDataFile = LOCAL\n") + 24 :])
    return len(samples) // (recording.info.height * recording.info.width)


def read_by_pillow(path: Path) -> int:
    names = sort_naturally([p.name for p in path.iterdir() if p.suffix.lower() in PICTURE_SUFFIXES])
    return sum(np.asarray(Image.open(path / name).convert("L")).size > 0 for name in names)


def choose_rivals(recording: OpenedRecording) -> tuple[Count, Count]:
    """Return the library alone, and what a script would write with it."""
    kind = type(recording).__name__
    if kind == "DicomRecording":
        return decode_by_pydicom, convert_by_pydicom
    if kind == "MetaImageRecording":
        return inflate_by_zlib, inflate_by_zlib
    return (read_by_pillow, read_by_pillow) if kind == "PictureFolder" else (decode_by_pyav, convert_by_pyav)


def find_all(folder: Path) -> list[Path]:
    """Recordings of the folder, and its folders of two stills and more."""
    stills = {p.parent for p in folder.rglob("*") if p.suffix.lower() in PICTURE_SUFFIXES}
    several = [p for p in stills if sum(q.suffix.lower() in PICTURE_SUFFIXES for q in p.iterdir()) > 1]
    return sorted([*(clip.path for clip in find_clips(folder)), *several])


def measure_s(work: Callable[[], Any]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def measure_peak_mib(path: Path, *, decode: bool) -> float:
    """Peak memory of opening, or of decoding too, in a process of its own."""
    call = [sys.executable, __file__, "memory", str(path), "decode" if decode else "open"]
    return float(subprocess.run(call, capture_output=True, text=True, check=True).stdout)


def report_memory(path: Path, what: str) -> None:
    recording = open_recording(path)
    if what == "decode":
        for _ in recording.frames():
            pass
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def compare(folder: Path, rounds: int) -> None:
    titles = ("frames", "ms/frame", "decoded", "as grey", "open ms")
    print(f"{'recording':58s} " + " ".join(f"{title:>8s}" for title in titles))
    longest: tuple[int, Path] | None = None
    for path in find_all(folder):
        name = path.relative_to(folder).as_posix()
        rate = STILLS_FPS if path.is_dir() else None
        try:
            recording = open_recording(path, fps=rate, find_area=False)
        except RecordingError as error:
            print(f"{name:58s} refused: {str(error).removeprefix(f'{path}: ')}")
            continue
        works: list[Callable[[], Any]] = [partial(count_by_reader, recording)]
        works += [partial(work, path) for work in choose_rivals(recording)]
        counts = {work() for work in works}
        if len(counts) != 1:
            raise SystemExit(f"{path}: the readers count {counts} frames")
        n_frames = counts.pop()
        works.append(partial(open_recording, path, fps=rate))
        seconds = [[measure_s(work) for work in works] for _ in range(rounds)]
        own, raw, grey, opening = (statistics.median(times) for times in zip(*seconds, strict=True))
        print(
            f"{name:58s} {n_frames:8d} {1e3 * own / n_frames:8.2f} {own / raw:8.2f} {own / grey:8.2f} "
            f"{1e3 * opening:8.1f}"
        )
        if path.is_file():
            longest = max(longest or (0, path), (n_frames, path))
    if longest is not None:
        opened, decoded = (measure_peak_mib(longest[1], decode=decode) for decode in (False, True))
        print(f"{longest[0]} frames of {longest[1].name}: {opened:.0f} MiB opened, {decoded:.0f} MiB decoded")


def main() -> None:
    cv2.setNumThreads(1)
    warnings.simplefilter("ignore")
    if sys.argv[1:2] == ["memory"]:
        report_memory(Path(sys.argv[2]), sys.argv[3])
        return
    if len(sys.argv) < 2:
        raise SystemExit((__doc__ or "").strip())
    try:
        rounds = read_whole(read_key_values(sys.argv[2:], {"rounds": "5"}), "rounds", least=1)
        compare(Path(sys.argv[1]), rounds)
    except FascnetError as error:
        raise SystemExit(f"benchmark_readers: {error}") from error


if __name__ == "__main__":
    main()
