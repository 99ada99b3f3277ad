"""A predictor whose heatmaps are known, and recordings to go with it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fascnet.data.recording.video_writer import VideoWriter
from fascnet.types import ClipCalibration, EventDefinition, HeatmapStream, Recording

CELL_PX = 8


@dataclass(frozen=True)
class BrightnessPredictor:
    """Probability = mean brightness of a cell / 255, in chunks: what a test paints is what it finds."""

    fps: float = 30.0
    chunk: int = 7
    settings: dict[str, object] = field(default_factory=dict)
    poison_at: int | None = None

    name = "brightness"
    event_definition = EventDefinition(min_on_s=0.067, min_off_s=0.067)
    calibration = ClipCalibration()
    clip_threshold = 0.5

    def stream(self, recording: Recording) -> HeatmapStream:
        info = recording.info
        shape = (info.height // CELL_PX, info.width // CELL_PX)
        box = (0, 0, shape[1] * CELL_PX, shape[0] * CELL_PX)
        return HeatmapStream(self.fps, box, shape, info.mm_per_px, None, self._chunks(recording, shape))

    def describe(self) -> dict[str, object]:
        return {"detector": "brightness", "device": "cpu", **self.settings}

    def _chunks(self, recording: Recording, shape: tuple[int, int]) -> Iterator[NDArray[np.float32]]:
        held: list[NDArray[np.float32]] = []
        h, w = shape
        for frame in recording.frames():
            image = frame.image[: h * CELL_PX, : w * CELL_PX].astype(np.float32) / 255.0
            held.append(image.reshape(h, CELL_PX, w, CELL_PX).mean(axis=(1, 3)))
            if self.poison_at == frame.index:
                held[-1][0, 0] = np.nan
            if len(held) == self.chunk:
                yield np.stack(held)
                held = []
        if held:
            yield np.stack(held)


def paint_twitch(n_frames: int = 45, ticks: range = range(15, 24)) -> NDArray[np.uint8]:
    """Dark frames (T, 48, 64) with one bright block of 2 x 3 cells at rows 2-3, columns 4-6."""
    frames = np.full((n_frames, 48, 64), 5, dtype=np.uint8)
    frames[[t for t in ticks if t < n_frames], 16:32, 32:56] = 240
    return frames


def write_video(path: Path, frames: NDArray[np.uint8], fps: float = 30.0) -> Path:
    with VideoWriter(path, frames.shape[1], frames.shape[2], fps, codec="ffv1") as writer:
        for frame in frames:
            writer.write(frame)
    return path
