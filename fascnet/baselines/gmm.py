"""Adaptive foreground of Gaussian mixtures (Bibbings 2019), as the NeuroSense tool codes it and corrected.

The tool: OpenCV's MOG2 (Zivkovic 2004) without shadows and with an initial variance of 30²; blobs of at
least sqrt(W/10 · H/10) px in its foreground; a tumbling window of 200 ms is positive when two frames that
follow one another both hold more than four blobs; a run of positive windows is one event. Reading its code
shows that the learning rate of its table is never handed over (OpenCV then adapts by itself), that the blob
detector looks for dark blobs in a mask whose foreground is white, and that the first 500 frames are skipped
whatever the table says: the defaults here. `pass_learning_rate`, `bright_blobs` and a short `burn_in_frames`
correct them. Windows are counted from the exact frame rate; the tool truncates 29.97 to 29.

The tool has no place for an event. So that a run is one event here too, a window paints the convex hull of
its blobs, with the probability n / (n + min_blobs + 0.5), n being the blobs that two neighbouring frames have
at least.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice, pairwise
from typing import ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from fascnet.baselines.detector import ClassicalDetector, measure_frames
from fascnet.models.preprocessing import Tick, WorkingGrid
from fascnet.spacing import ASSUMED_MM_PER_PX
from fascnet.types import EventDefinition, Recording

Blobs = NDArray[np.float32]
"""(n, 3) of x, y and diameter in px."""

INITIAL_VARIANCE = 900.0

_NONE = np.zeros((0, 3), np.float32)


@dataclass(frozen=True)
class GmmPredictor(ClassicalDetector[Blobs]):
    """Blobs in the foreground of a Gaussian mixture model.

    The four numbers of the model are the tool's for the biceps along its fibres; its table has, for example,
    3, 0.80, 0.05, 500 for the biceps across, and 5, 0.70, 0.01, 500 for muscles that it does not name.

    Args:
        gaussians: most Gaussians in a pixel, 1-10.
        background_ratio: share of the evidence that is background, 0.1-0.99.
        learning_rate: how fast the model adapts, 0-1; only with `pass_learning_rate`.
        training_frames: MOG2's history, 1-10000 frames.
        burn_in_frames: frames at the start in which no blob is sought, 0-10000.
        pass_learning_rate: hand `learning_rate` over; the tool does not.
        bright_blobs: seek the foreground, which is white; the tool seeks dark blobs.
        window_s: length of a window, 0.05-5 s.
        min_blobs: a frame needs more blobs than this, 0-100.
        pitch_mm: working pixel spacing; None for stored pixels, as in the tool.
        rate_hz: working rate; None for the recording's, as in the tool.
        assumed_mm_per_px: spacing assumed for recordings that state none.

    Raises:
        SettingError: an argument is outside its range.
    """

    NAME = "gmm"
    RANGES: ClassVar = {
        "gaussians": (1, 10),
        "background_ratio": (0.1, 0.99),
        "learning_rate": (0, 1),
        "training_frames": (1, 10000),
        "burn_in_frames": (0, 10000),
        "window_s": (0.05, 5),
        "min_blobs": (0, 100),
    }
    MEASURED_WITH = frozenset(
        {
            "gaussians",
            "background_ratio",
            "learning_rate",
            "training_frames",
            "burn_in_frames",
            "pass_learning_rate",
            "bright_blobs",
            "pitch_mm",
            "rate_hz",
            "assumed_mm_per_px",
        }
    )

    gaussians: int = 5
    background_ratio: float = 0.85
    learning_rate: float = 0.05
    training_frames: int = 500
    burn_in_frames: int = 500
    pass_learning_rate: bool = False
    bright_blobs: bool = False
    window_s: float = 0.2
    min_blobs: int = 4
    pitch_mm: float | None = None
    rate_hz: float | None = None
    assumed_mm_per_px: float = ASSUMED_MM_PER_PX

    @property
    def event_definition(self) -> EventDefinition:
        """A run of positive windows, however short."""
        return EventDefinition(0.5, 0.5, min_on_s=0.0, min_off_s=0.0)

    def measure(self, recording: Recording, grid: WorkingGrid) -> Iterator[Blobs]:
        """Yield the blobs of each frame."""
        mixture = cv2.createBackgroundSubtractorMOG2(history=self.training_frames, detectShadows=False)
        mixture.setNMixtures(self.gaussians)
        mixture.setBackgroundRatio(self.background_ratio)
        mixture.setVarInit(INITIAL_VARIANCE)
        detector = self._make_blob_detector(grid)
        rate = self.learning_rate if self.pass_learning_rate else -1.0
        seen = 0

        def find(tick: Tick) -> Blobs:
            nonlocal seen
            seen += 1
            foreground = mixture.apply(tick.image, learningRate=rate)
            if seen <= self.burn_in_frames:
                return _NONE
            found = [(*point.pt, point.size) for point in detector.detect(foreground)]
            return np.array(found, dtype=np.float32).reshape(-1, 3)

        return measure_frames(self.ticks(recording, grid), find)

    def judge(self, measurements: Iterable[Blobs], grid: WorkingGrid) -> Iterator[NDArray[np.float32]]:
        """Judge window after window; all ticks of a window get the same map."""
        length = max(2, round(self.window_s * grid.rate_hz))
        frames = iter(measurements)
        while window := list(islice(frames, length)):
            heatmap = self._judge_window(window, grid)
            yield np.repeat(heatmap[None], len(window), axis=0)

    def _judge_window(self, window: list[Blobs], grid: WorkingGrid) -> NDArray[np.float32]:
        heatmap = np.zeros(grid.cells, np.float32)
        lasting = max((min(len(one), len(two)) for one, two in pairwise(window)), default=0)
        if lasting == 0:
            return heatmap
        corners = np.concatenate([_outline(blobs) for blobs in window])
        per_cell = np.array([grid.width / grid.cells[1], grid.height / grid.cells[0]], dtype=np.float32)
        hull = cv2.convexHull(((corners + 0.5) / per_cell - 0.5).astype(np.float32))
        probability = lasting / (lasting + self.min_blobs + 0.5)
        cv2.fillConvexPoly(heatmap, np.rint(hull).astype(np.int32), probability)
        return heatmap

    def _make_blob_detector(self, grid: WorkingGrid) -> cv2.SimpleBlobDetector:
        """Make the tool's detector: OpenCV's defaults but for the smallest area, and perhaps the colour."""
        settings = cv2.SimpleBlobDetector.Params()
        settings.filterByArea = True
        settings.minArea = math.sqrt(grid.width / 10 * grid.height / 10)
        settings.blobColor = 255 if self.bright_blobs else 0
        return cv2.SimpleBlobDetector.create(settings)


def _outline(blobs: Blobs) -> NDArray[np.float32]:
    """Return the corners of each blob's upright square, (4 n, 2)."""
    half = blobs[:, 2:3] / 2
    signs = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]], dtype=np.float32)
    return np.concatenate([blobs[:, :2] + half * sign for sign in signs]).reshape(-1, 2)
