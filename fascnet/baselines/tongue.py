"""The open tongue detector's chain, written anew from a description of its settings (2026; no licence).

Frames are stabilised (ORB, else ECC), Farneback flow is taken against the frame before and its median
removed; pixels above median + k · 1.4826 MAD of their half of the picture count, when they are hit often
enough within a second; blobs of them must be of a size, coherent, fast, not busy all the time, and confirmed
by neighbouring frames. Blurred and jolted frames are left out, and so are the first and last frames. All
numbers that count frames or pixels do so in stored frames and pixels, as in the tool.

Where the description leaves a choice: the median blur (3 px) is that of the frames before the flow; a pixel
counts when it is hit now and had its hits within the last second; what is rejected as a jolt is judged by the
flow that stabilisation leaves; medians over neighbouring frames look back, not ahead. The tool paints no
heatmap: here a blob is painted with m / (m + min_magnitude_px), m being its mean flow.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from fascnet.baselines.detector import ClassicalDetector, measure_frames
from fascnet.baselines.robust_score import CHUNK_TICKS, MAD_TO_SD
from fascnet.baselines.stabilisation import align, find_shift
from fascnet.baselines.tongue_rules import BlobRules, Confirmation, FrameCheck, RollingCount, find_blobs
from fascnet.models.preprocessing import Tick, WorkingGrid
from fascnet.spacing import ASSUMED_MM_PER_PX
from fascnet.types import EventDefinition, Recording

BORDER_SHARE = 0.1
"""Share of the picture along each edge in which nothing counts."""

_ELLIPSE = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3, 3))


@dataclass(frozen=True, slots=True, eq=False)
class StabilisedFlow:
    """What is measured in one frame.

    Attributes:
        flow: residual flow, px a frame, float16 (H, W, 2).
        sharpness: variance of the frame's Laplacian.
        speed_p95_px: 95th percentile of the flow before its median is removed.
        speed_median_px: its median.
    """

    flow: NDArray[np.float16]
    sharpness: float
    speed_p95_px: float
    speed_median_px: float


@dataclass(frozen=True)
class TonguePredictor(ClassicalDetector[StabilisedFlow]):
    """The tongue tool's chain; the defaults are its last published ones.

    Args:
        k_mad: threshold in robust standard deviations above the median of a half of the frame, above 0.
        min_hits: hits that a pixel needs within `hits_s`, 1-1000.
        hits_s: see there, 0.1-10 s.
        min_area_px: smallest blob in the lower half, 1-10000 px.
        min_area_upper_px: smallest blob in the upper half, 1-10000 px.
        max_area_share: largest blob as a share of the frame, above 0 to 1.
        min_coherence: least ratio of the length of a blob's mean flow to its mean length, 0-1.
        min_magnitude_px: least mean flow of a blob, px a frame, 0.01-50; an earlier version had 0.5.
        max_busy_share: a blob whose pixels are hit for more than this share of `busy_s` is left out, 0-1.
        busy_s: see there, 0.1-60 s.
        confirm_frames: frames among which `confirm_hits` must hold a blob at one place, 1-100.
        confirm_hits: see there, 1-100.
        confirm_distance_px: how near is one place, 0-1000 px.
        skipped_frames: frames at the start and at the end in which nothing is found, 0-1000.
        min_sharpness: blurred frames, below this share of the median of the last 31, are left out, 0-1.
        max_speed_p95_px: jolted frames, whose flow's 95th percentile is higher, are left out, 0.01-1000.
        max_speed_median_px: and those whose flow's median is higher, 0.01-1000.
        pitch_mm: working pixel spacing; None for stored pixels, as in the tool.
        rate_hz: working rate; None for the recording's, as in the tool.
        assumed_mm_per_px: spacing assumed for recordings that state none.

    Raises:
        SettingError: an argument is outside its range.
    """

    NAME = "tongue"
    RANGES: ClassVar = {
        "k_mad": (0.01, 1000),
        "min_hits": (1, 1000),
        "hits_s": (0.1, 10),
        "min_area_px": (1, 10000),
        "min_area_upper_px": (1, 10000),
        "max_area_share": (0.0001, 1),
        "min_coherence": (0, 1),
        "min_magnitude_px": (0.01, 50),
        "max_busy_share": (0, 1),
        "busy_s": (0.1, 60),
        "confirm_frames": (1, 100),
        "confirm_hits": (1, 100),
        "confirm_distance_px": (0, 1000),
        "skipped_frames": (0, 1000),
        "min_sharpness": (0, 1),
        "max_speed_p95_px": (0.01, 1000),
        "max_speed_median_px": (0.01, 1000),
    }
    MEASURED_WITH = frozenset({"pitch_mm", "rate_hz", "assumed_mm_per_px"})

    k_mad: float = 7.0
    min_hits: int = 3
    hits_s: float = 1.0
    min_area_px: int = 12
    min_area_upper_px: int = 15
    max_area_share: float = 0.03
    min_coherence: float = 0.5
    min_magnitude_px: float = 2.0
    max_busy_share: float = 0.25
    busy_s: float = 4.0
    confirm_frames: int = 5
    confirm_hits: int = 3
    confirm_distance_px: float = 25.0
    skipped_frames: int = 5
    min_sharpness: float = 0.65
    max_speed_p95_px: float = 2.5
    max_speed_median_px: float = 0.8
    pitch_mm: float | None = None
    rate_hz: float | None = None
    assumed_mm_per_px: float = ASSUMED_MM_PER_PX

    @property
    def event_definition(self) -> EventDefinition:
        """Confirmed blobs; gaps shorter than the tool's tolerance of 167 ms are bridged."""
        return EventDefinition(0.5, 0.5, min_on_s=0.0, min_off_s=0.167)

    def measure(self, recording: Recording, grid: WorkingGrid) -> Iterator[StabilisedFlow]:
        """Yield the stabilised residual flow of each frame; the first has none."""
        previous: NDArray[np.uint8] | None = None

        def flow(tick: Tick) -> StabilisedFlow:
            nonlocal previous
            then, previous = previous, tick.image
            return _measure_frame(then, tick.image)

        return measure_frames(self.ticks(recording, grid), flow)

    def judge(
        self, measurements: Iterable[StabilisedFlow], grid: WorkingGrid
    ) -> Iterator[NDArray[np.float32]]:
        """Find hits, blobs and confirmed blobs; paint them. Looks a few frames ahead."""
        rate = grid.rate_hz
        check = FrameCheck(self.min_sharpness, self.max_speed_p95_px, self.max_speed_median_px)
        hits = RollingCount(round(self.hits_s * rate), (grid.height, grid.width))
        busy = RollingCount(round(self.busy_s * rate), (grid.height, grid.width))
        rules = BlobRules(
            self.min_area_px,
            self.min_area_upper_px,
            self.max_area_share,
            self.min_coherence,
            self.min_magnitude_px,
            self.max_busy_share,
        )
        confirmation = Confirmation(
            self.confirm_frames, self.confirm_hits, self.confirm_distance_px, self.skipped_frames, grid
        )
        chunk: list[NDArray[np.float32]] = []
        for index, found in enumerate(measurements):
            flow = found.flow.astype(np.float32)
            speed = np.hypot(flow[..., 0], flow[..., 1])
            sound = check.passes(found.sharpness, found.speed_p95_px, found.speed_median_px)
            mask = self._find_hits(speed) if sound and index > 0 else np.zeros(speed.shape, np.uint8)
            hits.push(mask)
            busy.push(mask)
            lasting = mask & (hits.counts >= self.min_hits).astype(np.uint8)
            blobs = find_blobs(lasting, flow, speed, busy.counts / busy.length, rules)
            chunk += confirmation.push(blobs if index >= self.skipped_frames else [])
            if len(chunk) >= CHUNK_TICKS:
                yield np.stack(chunk)
                chunk = []
        chunk += confirmation.finish()
        if chunk:
            yield np.stack(chunk)

    def _find_hits(self, speed: NDArray[np.float32]) -> NDArray[np.uint8]:
        """Threshold each half by its own median and MAD, within the border; then open and close."""
        height, width = speed.shape
        top, left = round(BORDER_SHARE * height), round(BORDER_SHARE * width)
        mask = np.zeros(speed.shape, np.uint8)
        for rows in (slice(top, height // 2), slice(height // 2, height - top)):
            part = speed[rows, left : width - left]
            median = float(np.median(part))
            mad = float(np.median(np.abs(part - median)))
            mask[rows, left : width - left] = part > median + self.k_mad * MAD_TO_SD * mad
        opened = cv2.morphologyEx(mask, cv2.MORPH_OPEN, _ELLIPSE)
        return np.asarray(cv2.morphologyEx(opened, cv2.MORPH_CLOSE, _ELLIPSE), dtype=np.uint8)


def _measure_frame(then: NDArray[np.uint8] | None, now: NDArray[np.uint8]) -> StabilisedFlow:
    sharpness = float(cv2.Laplacian(now, cv2.CV_32F).var())
    if then is None:
        return StabilisedFlow(np.zeros((*now.shape, 2), np.float16), sharpness, 0.0, 0.0)
    before = np.asarray(cv2.medianBlur(then, 3), dtype=np.uint8)
    after = np.asarray(cv2.medianBlur(align(now, find_shift(then, now)), 3), dtype=np.uint8)
    flow = np.zeros((*now.shape, 2), dtype=np.float32)
    found = cv2.calcOpticalFlowFarneback(before, after, flow, 0.5, 3, 20, 3, 5, 1.2, 0)
    flow = np.asarray(found, dtype=np.float32)
    speed = cv2.magnitude(flow[..., 0], flow[..., 1])
    p95, median = (float(value) for value in np.percentile(speed, (95, 50)))
    flow = flow - np.median(flow.reshape(-1, 2), axis=0)
    return StabilisedFlow(flow.astype(np.float16), sharpness, p95, median)
