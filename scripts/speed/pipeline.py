"""What a recording costs from file to scores: each stage alone, and the whole command from outside."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from fascnet.data.clip_set.manifest import write_manifest
from fascnet.data.recording.recordings import open_recording
from fascnet.data.recording.video_writer import VideoWriter
from fascnet.inference.network import NetworkPredictor
from fascnet.inference.overlay import blend_heatmap
from fascnet.models.preprocessing import Tick
from fascnet.types import ClipSource
from speed.candidate import Map
from speed.frames import FPS, HeldRecording, Image
from speed.memory import run_process

STORED_HEIGHT_PX, STORED_WIDTH_PX, STORED_MM_PER_PX = 480, 640, 0.08
"""An H.264 export of 38 mm of depth, which becomes 256 rows at the working pitch."""

PREDICT = Path(__file__).resolve().parents[1] / "predict.py"


@dataclass(frozen=True)
class Stage:
    """One stage: CPU ms per frame, the median of its repeats, and what is in it."""

    name: str
    cpu_ms: float
    note: str


@dataclass(frozen=True)
class EndToEnd:
    """The whole command against the network alone.

    Attributes:
        command_ms: CPU ms per frame of `fascnet predict` without overlay, start-up taken off.
        network_ms: CPU ms per frame of the network on ready pictures, timed before and after it.
    """

    command_ms: float
    network_ms: float

    @property
    def ratio(self) -> float:
        """Command over network."""
        return self.command_ms / self.network_ms


def write_clip(folder: Path, images: Sequence[Image], repeats: int) -> Path:
    """Write a data set of one H.264 clip, the same frames several times over, and return the clip."""
    folder.mkdir(parents=True)
    clip = folder / "clip.mp4"
    height, width = images[0].shape
    with VideoWriter(clip, height, width, FPS, codec="h264") as writer:
        for _ in range(repeats):
            for image in images:
                writer.write(image)
    write_manifest(folder, [ClipSource("clip", clip, "subject", mm_per_px=STORED_MM_PER_PX)])
    return clip


def time_stages(
    folder: Path, images: Sequence[Image], predictor: NetworkPredictor, repeats: int
) -> list[Stage]:
    """Time every stage alone on the same frames, H.264 in and overlay out."""
    clip = write_clip(folder / "stages", images, 1)
    recording = open_recording(clip, mm_per_px=STORED_MM_PER_PX)
    decoded = list(recording.frames())
    preprocessor = predictor.preprocessor
    grid = preprocessor.plan(recording.info)
    working = [preprocessor.resize(frame.image, grid) for frame in decoded]
    chunks = list(stream(predictor, working))
    maps = [(255 * heatmap).astype(np.uint8) for chunk in chunks for heatmap in chunk]
    x0, y0, x1, y1 = grid.box
    crops = [np.ascontiguousarray(frame.image[y0:y1, x0:x1]) for frame in decoded]
    # A map that is bright everywhere: blending costs most there.
    bright = [np.maximum(heatmap, 128) for heatmap in maps]
    blended = [blend_heatmap(crop, heatmap) for crop, heatmap in zip(crops, bright, strict=True)]

    def encode() -> None:
        height, width = crops[0].shape
        path = folder / "overlay.mp4"
        with VideoWriter(path, height, width, FPS, codec="h264_fast", color=True) as writer:
            for picture in blended:
                writer.write(picture)

    def prepare() -> None:
        for start in range(0, len(working), predictor.chunk_frames):
            torch.from_numpy(np.stack(working[start : start + predictor.chunk_frames])).float().div_(255)

    work: list[tuple[str, Callable[[], object], str]] = [
        (
            "decode",
            lambda: [None for _ in recording.frames()],
            f"H.264, {STORED_WIDTH_PX}x{STORED_HEIGHT_PX}",
        ),
        (
            "resize",
            lambda: [preprocessor.resize(f.image, grid) for f in decoded],
            f"to {grid.width}x{grid.height}",
        ),
        ("prep", prepare, "stack, float, scale; motion is measured in the network"),
        ("net", lambda: [None for _ in stream(predictor, working)], f"chunks of {predictor.chunk_frames}"),
        (
            "overlay",
            lambda: [blend_heatmap(c, h) for c, h in zip(crops, bright, strict=True)],
            "upsample, colour, blend; bright everywhere, the worst case",
        ),
        ("encode", encode, "x264 veryfast, colour, one thread"),
    ]
    times: dict[str, list[float]] = {name: [] for name, _, _ in work}
    for _ in range(repeats):
        for name, call, _ in work:
            start = time.process_time()
            call()
            times[name].append((time.process_time() - start) / len(images))
    return [Stage(name, 1000 * float(np.median(times[name])), note) for name, _, note in work]


def stream(predictor: NetworkPredictor, working: Sequence[Image]) -> Iterator[Map]:
    """Run the network alone on ready pictures, in as many looks as the model takes."""
    ticks = [Tick(image, 1 / FPS if index else 0.0) for index, image in enumerate(working)]
    grid = predictor.preprocessor.plan(HeldRecording(working).info)
    return predictor.look(ticks, grid)


def time_command(
    folder: Path, images: Sequence[Image], predictor: NetworkPredictor, model: str | None, repeats: int
) -> EndToEnd:
    """Time `fascnet predict` on a short and on a long clip; the difference has no start-up in it.

    Args:
        folder: scratch.
        images: frames of the short clip, as stored.
        predictor: the network, for its time alone.
        model: model file, or None for the one that ships.
        repeats: the long clip is so many times longer.
    """
    short = write_clip(folder / "short", images, 1)
    write_clip(folder / "long", images, 1 + repeats)
    recording = open_recording(short, mm_per_px=STORED_MM_PER_PX)
    grid = predictor.preprocessor.plan(recording.info)
    working = [predictor.preprocessor.resize(frame.image, grid) for frame in recording.frames()]
    alone = [time_alone(predictor, working)]
    used = {name: run_command(folder / name, folder / f"{name}_out", model) for name in ("short", "long")}
    alone.append(time_alone(predictor, working))
    per_frame_s = (used["long"] - used["short"]) / (repeats * len(images))
    return EndToEnd(1000 * per_frame_s, 1000 * float(np.mean(alone)))


def time_alone(predictor: NetworkPredictor, working: Sequence[Image]) -> float:
    """Return CPU seconds per frame of the network without lead-in: that of a long clip."""
    short = working[: len(working) // 3]
    spent = []
    for part in (short, working):
        start = time.process_time()
        for _ in stream(predictor, part):
            pass
        spent.append(time.process_time() - start)
    return (spent[1] - spent[0]) / (len(working) - len(short))


def run_command(source: Path, output: Path, model: str | None) -> float:
    """Run the command without overlay and return its CPU seconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    call = [
        sys.executable,
        str(PREDICT),
        f"input={source}",
        f"output={output}",
        "overlay=false",
        "device=cpu",
    ]
    call += [] if model is None else [f"model={model}"]
    run_process(call)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
