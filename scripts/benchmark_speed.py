"""Speed and memory of the packaged model, as ratios to Farneback in the same run: what holds across machines.

    python scripts/benchmark_speed.py [rounds=5] [size=256]

Prints CPU time per frame of the network (one thread, preprocessing and upsampling included) against residual
Farneback flow on the same generated frames in turn; the whole `fascnet predict` without overlay against
the network alone; and the peak memory of streaming 300 and 3,000 frames, each in a process of its own.
"""

from __future__ import annotations

import os
import sys

os.environ.update(OMP_NUM_THREADS="1", OMP_WAIT_POLICY="PASSIVE", GOMP_SPINCOUNT="0")

import json
import resource
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from fascnet.baselines.farneback import measure_residual_speed
from fascnet.data.clip_set.manifest import write_manifest
from fascnet.data.recording.video_writer import VideoWriter
from fascnet.inference.network import load_network_predictor
from fascnet.types import ClipSource, Frame, RecordingInfo

FPS = 30.0


@dataclass(frozen=True)
class GeneratedRecording:
    """Moving speckle, made frame by frame, so that nothing but the network's own memory is measured."""

    n_frames: int
    size: int
    path: Path = Path("generated")

    @property
    def info(self) -> RecordingInfo:
        """A square recording at the working pitch: no resampling in space."""
        box = (0, 0, self.size, self.size)
        return RecordingInfo(self.size, self.size, self.n_frames, FPS, self.n_frames / FPS, 0.15, box)

    def frames(self) -> Iterator[Frame]:
        """Yield the frames."""
        rng = np.random.default_rng(0)
        still = cv2.GaussianBlur(rng.random((self.size, self.size), dtype=np.float32), (0, 0), 1.5)
        still = 20 + 180 * (still - still.min()) / (still.max() - still.min())
        for index in range(self.n_frames):
            shift = np.array([[1, 0, 0.8 * np.sin(index / 5)], [0, 1, 0.5 * np.cos(index / 7)]])
            moved = np.asarray(cv2.warpAffine(still, shift, still.shape, borderMode=cv2.BORDER_REFLECT))
            noisy = moved + rng.normal(0, 3, moved.shape)
            yield Frame(index, index / FPS, np.clip(noisy, 0, 255).astype(np.uint8))


def time_network(images: list[NDArray[np.uint8]], chunk_frames: int) -> float:
    """Return CPU seconds per frame from grey frames to heatmaps at the frames' size."""
    predictor = load_network_predictor(device="cpu", chunk_frames=chunk_frames)

    class Held:
        path = Path("held")
        info = GeneratedRecording(len(images), images[0].shape[0]).info

        def frames(self) -> Iterator[Frame]:
            yield from (Frame(k, k / FPS, image) for k, image in enumerate(images))

    start = time.process_time()
    for chunk in predictor.stream(Held()).chunks:
        for heatmap in chunk:
            cv2.resize(heatmap, images[0].shape[::-1])
    return (time.process_time() - start) / len(images)


def time_farneback(images: list[NDArray[np.uint8]]) -> float:
    """Return CPU seconds per frame of residual flow speed."""
    start = time.process_time()
    for before, after in pairwise(images):
        measure_residual_speed(before, after, 1 / FPS, 0.0)
    return (time.process_time() - start) / (len(images) - 1)


def measure_peak_mib(n_frames: int, size: int) -> float:
    """Stream in a fresh process and return its peak resident memory."""
    call = [sys.executable, __file__, "memory", str(n_frames), str(size)]
    return float(subprocess.run(call, capture_output=True, text=True, check=True).stdout)


def time_command(images: list[NDArray[np.uint8]], folder: Path) -> float:
    """Return CPU seconds per frame of `fascnet predict` without overlay, start-up taken off."""
    used = []
    height, width = images[0].shape
    for name, shown in (("warm", images[:2]), ("short", images), ("long", 6 * images)):
        root = folder / name
        root.mkdir()
        clip = root / "clip.mp4"
        with VideoWriter(clip, height, width, FPS, codec="h264") as writer:
            for image in shown:
                writer.write(image)
        # At the working pitch, as the frames that the network alone is timed on.
        write_manifest(root, [ClipSource("clip", clip, "subject", mm_per_px=0.15)])
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        script = Path(__file__).with_name("predict.py")
        subprocess.run(
            [
                sys.executable,
                str(script),
                f"input={root}",
                f"output={folder / f'{name}_out'}",
                "overlay=false",
                "device=cpu",
            ],
            check=True,
            capture_output=True,
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        used.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return (used[2] - used[1]) / (5 * len(images))


def main(arguments: list[str]) -> int:
    """Measure and print."""
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    if arguments[:1] == ["memory"]:
        recording = GeneratedRecording(int(arguments[1]), int(arguments[2]))
        for chunk in load_network_predictor(device="cpu").stream(recording).chunks:
            chunk.sum()
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
        return 0
    settings = {"rounds": 5, "size": 256} | {k: int(v) for k, _, v in (a.partition("=") for a in arguments)}
    images = [frame.image for frame in GeneratedRecording(120, settings["size"]).frames()]
    time_network(images[:16], 8), time_farneback(images[:4])
    rounds = [
        {
            "chunk 8": time_network(images, 8),
            "chunk 1": time_network(images, 1),
            "farneback": time_farneback(images),
        }
        for _ in range(settings["rounds"])
    ]
    anchor = [r["farneback"] for r in rounds]
    spread = max(anchor) / min(anchor)
    size = f"{settings['size']}x{settings['size']}"
    print(f"{size}, one thread, CPU time, {len(rounds)} rounds; Farneback max/min {spread:.2f}")
    for name in ("chunk 8", "chunk 1"):
        ratios = sorted(r["farneback"] / r[name] for r in rounds)
        ratio = f"{statistics.median(ratios):.2f} ({ratios[0]:.2f}-{ratios[-1]:.2f})"
        per_frame_s = statistics.median(r[name] for r in rounds)
        real_time = 1 / (per_frame_s * FPS)
        print(f"network, {name}: {ratio} x Farneback's frames/s; {real_time:.1f} x real time here")
    with tempfile.TemporaryDirectory() as folder:
        whole = time_command(images, Path(folder))
    network = statistics.median(r["chunk 8"] for r in rounds)
    print(f"fascnet predict without overlay: {whole / network:.2f} x the network alone")
    peaks = {n: measure_peak_mib(n, settings["size"]) for n in (300, 3000)}
    print(f"peak memory, MiB: {json.dumps(peaks)}, difference {peaks[3000] - peaks[300]:.1f}")
    if spread > 2:
        print("noisy machine: no verdict", file=sys.stderr)
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
