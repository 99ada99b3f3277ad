"""Peak memory by length of the recording, each measurement in a fresh process."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

from speed.frames import GeneratedRecording

MODES = ("stream", "whole")
"""`stream` is how `predict` works; `whole` hands the network the whole clip at once, as others do."""

SIDE_PX = 256


def measure_peak(script: Path, mode: str, n_frames: int, model: str | None) -> float:
    """Run one measurement in a process of its own: peak MiB above what it held after the imports.

    Raises:
        subprocess.CalledProcessError: the process failed; a whole clip may not fit.
    """
    call = [sys.executable, str(script), f"memory={mode}", f"frames={n_frames}"]
    call += [] if model is None else [f"model={model}"]
    found = subprocess.run(call, capture_output=True, text=True, check=True)
    return float(found.stdout.splitlines()[-1])


def run_child(mode: str, n_frames: int, model: str | None) -> float:
    """Predict a generated recording, drop the maps, and return the peak MiB above the start."""
    # Both are imported first: libraries are no part of what a clip costs.
    from fascnet.inference.network import load_network_predictor  # noqa: PLC0415
    from speed.gates import ALL_AT_ONCE, stream_maps  # noqa: PLC0415

    predictor = load_network_predictor(model, "cpu")
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
