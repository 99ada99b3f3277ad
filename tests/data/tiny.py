"""A data set small enough to train on in seconds: speckle in which a disc is shifted for a moment."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from fascnet.data.clip_set.manifest import write_manifest
from fascnet.data.labelling.labels import write_labels
from fascnet.data.recording.video_writer import VideoWriter
from fascnet.data.training_input.working_clip import WorkingClip
from fascnet.models.preprocessing import WorkingGrid
from fascnet.types import ClipSource, Event, Labels, Polygon

SIZE_PX = 64
FPS = 30.0
PITCH_MM = 0.15


def make_texture(height: int, width: int, seed: int, sigma_px: float = 1.5) -> NDArray[np.float64]:
    """Speckle-like grey 0-255, smooth enough to be shifted by fractions of a pixel."""
    noise = np.random.default_rng(seed).standard_normal((height, width))
    smooth = cv2.GaussianBlur(noise, (0, 0), sigma_px)
    return np.clip(128 + 50 * smooth / smooth.std(), 0, 255)


def shift(image: NDArray[np.float64], dx: float, dy: float) -> NDArray[np.float64]:
    """Move the content by (dx, dy) pixels, right and down, around the edges: exact in the Fourier domain."""
    fy, fx = np.fft.fftfreq(image.shape[0])[:, None], np.fft.fftfreq(image.shape[1])[None, :]
    return np.fft.ifft2(np.fft.fft2(image) * np.exp(-2j * np.pi * (fx * dx + fy * dy))).real


def circle(x: float, y: float, radius: float) -> Polygon:
    angles = np.linspace(0, 2 * np.pi, 16, endpoint=False)
    return Polygon(tuple((float(x + radius * np.cos(a)), float(y + radius * np.sin(a))) for a in angles))


def make_frames(n_frames: int, seed: int, twitch: range | None) -> NDArray[np.uint8]:
    """A still texture whose disc at (24, 40), radius 12, moves by up to 2 px during `twitch`."""
    still = make_texture(SIZE_PX, SIZE_PX, seed)
    yy, xx = np.mgrid[:SIZE_PX, :SIZE_PX]
    weight = np.exp(-((((xx - 24) ** 2 + (yy - 40) ** 2) / (2 * 8.0**2)) ** 2))
    frames = []
    for k in range(n_frames):
        reach = 0.0
        if twitch is not None and k in twitch:
            reach = 2.0 * np.sin(np.pi * (k - twitch.start + 1) / (len(twitch) + 1))
        frames.append(still + weight * (shift(still, reach, 0.0) - still))
    return np.clip(np.rint(frames), 0, 255).astype(np.uint8)


def write_clip(path: Path, frames: NDArray[np.uint8], fps: float = FPS) -> Path:
    with VideoWriter(path, frames.shape[1], frames.shape[2], fps, "ffv1") as writer:
        for frame in frames:
            writer.write(frame)
    return path


def make_labels(clip_id: str, n_frames: int, twitch: range | None, rater: str = "r") -> Labels:
    events = ()
    if twitch is not None:
        events = (Event(twitch.start / FPS, twitch.stop / FPS, region=circle(24, 40, 12)),)
    return Labels(clip_id, rater, ((0.0, n_frames / FPS),), events)


def write_tiny_data(root: Path, n_frames: int = 45) -> Path:
    """Five subjects with a clip each: two to train on, two to validate on (one still), one to test on."""
    clips = []
    for index, split in enumerate(("train", "train", "val", "val", "test")):
        name = f"c{index}"
        twitch = None if index == 3 else range(18, 27)
        path = write_clip(root / f"{name}.avi", make_frames(n_frames, index, twitch))
        clips.append(ClipSource(name, path, f"s{index}", mm_per_px=PITCH_MM, split=split))
        write_labels(root / "labels", make_labels(name, n_frames, twitch))
    write_manifest(root, clips)
    return root


def make_working_clip(
    folder: Path,
    frames: NDArray[np.uint8],
    labels: Labels | None = None,
    dt_s: NDArray[np.float32] | None = None,
    name: str = "w",
) -> WorkingClip:
    """A working clip straight from frames, without any video."""
    n_frames, height, width = frames.shape
    path = folder / f"{name}.npy"
    np.save(path, frames)
    if dt_s is None:
        dt_s = np.full(n_frames, 1 / FPS, np.float32)
        dt_s[0] = 0.0
    grid = WorkingGrid(height, width, FPS, (0, 0, width, height), PITCH_MM, None)
    if labels is None:
        labels = make_labels(name, n_frames, range(18, 27))
    return WorkingClip(ClipSource(name, path, "s"), labels, grid, path, dt_s)
