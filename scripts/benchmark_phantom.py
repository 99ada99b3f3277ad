"""Speed of the phantom on one core, and as a ratio to Farneback in the same run, which holds across machines.

    python scripts/benchmark_phantom.py [rounds=3] [frames=30] [device=cpu]

Prints frames per second of CPU time for pictures of 256x256 and 640x480 pixels at 5, 10 and 20 scatterers in
a resolution cell: whole scenes with twitches, confounders and recording effects, drawn from the standard
settings. Making the tissue of a clip, which happens once, is printed beside it. With `device=cuda` the time
is by the clock.
"""

from __future__ import annotations

import os
import sys

os.environ.update(OMP_NUM_THREADS="1", OMP_WAIT_POLICY="PASSIVE", GOMP_SPINCOUNT="0")

import statistics
import time
from dataclasses import dataclass, replace
from itertools import islice, pairwise
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import cv2
import numpy as np
from key_values import read_key_values, read_whole

from fascnet.baselines.farneback import measure_residual_speed
from fascnet.errors import SettingError
from fascnet.phantom.render import render_frames
from fascnet.phantom.scene import PhantomSettings, Scene, draw_scene, draw_subject

SIZES = ((256, 256), (640, 480))
PER_CELL = (5.0, 10.0, 20.0)


@dataclass(frozen=True)
class Speed:
    """What one clip took.

    Attributes:
        set_up_s: from the scene to its first frame.
        frame_s: each further frame.
        farneback_s: residual Farneback flow of a pair of these frames.
    """

    set_up_s: float
    frame_s: float
    farneback_s: float


def make_scene(width_px: int, height_px: int, per_cell: float, seed: int) -> Scene:
    """Draw a scene of a size, from the standard settings; a usual depth gives the spacing."""
    standard = PhantomSettings()
    depth_mm = 40.0
    scan = replace(
        standard.scan,
        height_px=(height_px, height_px),
        width_px=(width_px, width_px),
        mm_per_px=(depth_mm / height_px, depth_mm / height_px),
        scatterers_per_cell=per_cell,
    )
    settings = replace(standard, scan=scan, duration_s=(5.0, 5.0))
    subject = draw_subject(settings, "s0", np.random.default_rng((seed, 0)))
    return draw_scene(settings, subject, True, np.random.default_rng((seed, 1)))


def time_scene(scene: Scene, n_frames: int, device: str) -> Speed:
    """Render the first frames of a scene, and let Farneback look at them."""
    clock = time.process_time if device == "cpu" else time.perf_counter
    start = clock()
    frames = render_frames(scene, device)
    first = next(frames)
    set_up_s = clock() - start
    start = clock()
    rest = list(islice(frames, n_frames))
    frame_s = (clock() - start) / len(rest)
    start = time.process_time()
    for before, after in pairwise([first, *rest[:6]]):
        measure_residual_speed(before, after, 1 / scene.subject.fps, 0.0)
    return Speed(set_up_s, frame_s, (time.process_time() - start) / min(len(rest), 6))


def main(arguments: list[str]) -> int:
    """Measure and print."""
    cv2.setNumThreads(1)
    try:
        given = read_key_values(arguments, {"rounds": "3", "frames": "30", "device": "cpu"})
        # Two frames: the first one sets up, and every speed is a difference.
        rounds, n_frames = read_whole(given, "rounds", least=1), read_whole(given, "frames", least=2)
    except SettingError as error:
        print(f"benchmark_phantom: {error}", file=sys.stderr)
        return 2
    device = given["device"]
    print(f"{device}, {rounds} scenes of {n_frames} frames each; one core")
    anchors = []
    for width_px, height_px in SIZES:
        for per_cell in PER_CELL:
            speeds = [
                time_scene(make_scene(width_px, height_px, per_cell, seed), n_frames, device)
                for seed in range(rounds)
            ]
            if (width_px, height_px) == SIZES[0]:
                anchors += [speed.farneback_s for speed in speeds]
            rates = sorted(1 / speed.frame_s for speed in speeds)
            ratio = statistics.median(speed.farneback_s / speed.frame_s for speed in speeds)
            print(
                f"{width_px}x{height_px}, {per_cell:g} a cell: {statistics.median(rates):.0f} frames/s "
                f"({rates[0]:.0f}-{rates[-1]:.0f}), {ratio:.1f} x Farneback's; "
                f"set-up {statistics.median(speed.set_up_s for speed in speeds):.2f} s"
            )
    if max(anchors) > 2 * min(anchors):
        print("noisy machine: no verdict", file=sys.stderr)
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
