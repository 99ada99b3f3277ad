"""Peak memory by length of the recording, each measurement in a fresh process."""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from fascnet.errors import SettingError
from speed.frames import GeneratedRecording

MODES = ("stream", "whole")
"""`stream` is how `predict` works; `whole` hands the network the whole clip at once, as others do."""

SIDE_PX = 256


def measure_peak(script: Path, mode: str, n_frames: int, model: str | None) -> float:
    """Run one measurement in a process of its own: peak MiB above what it held after the imports.

    Raises:
        SettingError: the process failed.
    """
    call = [sys.executable, str(script), f"memory={mode}", f"frames={n_frames}"]
    call += [] if model is None else [f"model={model}"]
    return float(run_process(call).splitlines()[-1])


def run_process(call: Sequence[str]) -> str:
    """Run a program and return what it printed.

    Raises:
        SettingError: it failed; the last line of what it said.
    """
    done = subprocess.run(call, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        raise SettingError(f"{' '.join(call[1:3])}: {said[-1]}")
    return done.stdout


def fits(peaks_mib: Mapping[int, float], n_frames: int) -> bool:
    """Whether a longer clip would take at most half of the memory that is free, if peaks grow as they did.

    Args:
        peaks_mib: peaks of two shorter clips, by frames.
        n_frames: of the longer one.
    """
    (short, low), (long, high) = sorted(peaks_mib.items())
    needed_mib = high + (high - low) / (long - short) * (n_frames - long)
    path = Path("/proc/meminfo")
    if not path.is_file():
        return True
    lines = dict(line.partition(":")[::2] for line in path.read_text().splitlines())
    return needed_mib <= float(lines["MemAvailable"].split()[0]) / 1024 / 2


def run_child(mode: str, n_frames: int, model: str | None) -> float:
    """Predict a generated recording, drop the maps, and return the peak MiB above the start."""
    # Both are imported first: libraries are no part of what a clip costs.
    from speed.gates import ALL_AT_ONCE, stream_maps  # noqa: PLC0415
    from speed.networks import DEFAULT_CHUNK, load_at_its_slowest  # noqa: PLC0415

    predictor = load_at_its_slowest(model, DEFAULT_CHUNK)
    recording = GeneratedRecording(n_frames, SIDE_PX, SIDE_PX)
    before = read_peak_mib()
    if mode == "stream":
        for chunk in predictor.stream(recording).chunks:
            chunk.sum()
    else:
        stream_maps(predictor, [frame.image for frame in recording.frames()], ALL_AT_ONCE)
    return read_peak_mib() - before


def read_peak_mib() -> float:
    """Return this process's peak of resident memory.

    Linux hands the `ru_maxrss` of a parent down to a child that it starts without copying its memory; the
    high-water mark in /proc starts anew with the program.
    """
    status = Path("/proc/self/status")
    if status.is_file():
        lines = dict(line.partition(":")[::2] for line in status.read_text().splitlines())
        return float(lines["VmHWM"].split()[0]) / 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 1024
