"""From a recording to the working grid: the imaging area at a fixed physical pitch and a fixed rate.

Training, prediction and the baselines all pass through here; there is no second code path. The numbers stand
in the model file. NumPy and OpenCV only, so that classical detectors need no torch.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from fascnet.errors import RecordingError, SettingError
from fascnet.spacing import ASSUMED_MM_PER_PX, choose_spacing
from fascnet.types import Frame, PixelBox, Polygon, Recording, RecordingInfo

CELL_PX = 4
"""Working pixels per heatmap cell, along each axis: the network's space-to-depth factor."""

MIN_GRID_PX = 32
"""Smallest working grid along each axis; below it there is no room for a muscle and its surroundings."""

MAX_GRID_PX = 2048
"""Largest working grid along each axis; beyond it the pixel spacing is certainly wrong."""


@dataclass(frozen=True, slots=True)
class WorkingGrid:
    """The grid that one recording is resampled to.

    Attributes:
        height: rows, a multiple of `CELL_PX`.
        width: columns, a multiple of `CELL_PX`.
        rate_hz: ticks per second.
        box: the imaging area in stored pixels that the grid covers exactly.
        mm_per_px: spacing of the stored pixels, downwards; None when unknown.
        assumed_mm_per_px: the spacing used in place of an unknown one, else None.
        covered: bool (h, w), the cells of which half or more lies within the outline of the imaging area;
            None: all of them.
        pixel_aspect: width of a stored pixel over its height; working pixels are square.
    """

    height: int
    width: int
    rate_hz: float
    box: PixelBox
    mm_per_px: float | None
    assumed_mm_per_px: float | None
    covered: NDArray[np.bool_] | None = field(default=None, compare=False)
    pixel_aspect: float = 1.0

    @property
    def cells(self) -> tuple[int, int]:
        """Shape (h, w) of the heatmap."""
        return self.height // CELL_PX, self.width // CELL_PX

    @property
    def chosen_mm_per_px(self) -> float:
        """Spacing of the stored pixels downwards, known or assumed."""
        return choose_spacing(self.mm_per_px, self.assumed_mm_per_px)

    def silence(self, heatmaps: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return heatmaps (..., h, w) that are 0 outside the outline, where nothing can twitch."""
        return heatmaps if self.covered is None else heatmaps * self.covered


@dataclass(frozen=True, slots=True, eq=False)
class Tick:
    """One moment of the working clip.

    Attributes:
        image: uint8 (height, width).
        dt_s: seconds between this frame and the one before it; 0 where the same frame is held for another
            tick, and at the first tick.
    """

    image: NDArray[np.uint8]
    dt_s: float


class Preprocessor:
    """Resamples recordings to a fixed pitch and rate.

    Args:
        pitch_mm: working pixel spacing, 0.05-0.5 mm.
        rate_hz: working ticks per second, 10-100. Each tick takes the frame nearest in time: blending two
            frames would invent speckle. A frame that serves two ticks is held, and `dt_s` says so.
        assumed_mm_per_px: spacing assumed for recordings that state none, 0.02-0.5 mm.
    """

    def __init__(
        self, pitch_mm: float = 0.15, rate_hz: float = 30.0, assumed_mm_per_px: float = ASSUMED_MM_PER_PX
    ) -> None:
        for name, value, low, high in (
            ("pitch_mm", pitch_mm, 0.05, 0.5),
            ("rate_hz", rate_hz, 10.0, 100.0),
            ("assumed_mm_per_px", assumed_mm_per_px, 0.02, 0.5),
        ):
            if not low <= value <= high:
                raise SettingError(f"preprocessing: {name} is {value}; give a value from {low} to {high}")
        self.pitch_mm = pitch_mm
        self.rate_hz = rate_hz
        self.assumed_mm_per_px = assumed_mm_per_px

    def plan(self, info: RecordingInfo) -> WorkingGrid:
        """Lay the working grid over a recording's imaging area.

        Raises:
            RecordingError: the imaging area is too small or, at its spacing, too large to be muscle
                ultrasound.
        """
        x0, y0, x1, y1 = info.box
        spacing = choose_spacing(info.mm_per_px, self.assumed_mm_per_px)
        scale = spacing / self.pitch_mm
        height = CELL_PX * round((y1 - y0) * scale / CELL_PX)
        width = CELL_PX * round((x1 - x0) * info.pixel_aspect * scale / CELL_PX)
        if min(height, width) < MIN_GRID_PX or max(height, width) > MAX_GRID_PX:
            raise RecordingError(
                f"the imaging area of {x1 - x0}x{y1 - y0} px at {spacing:g} mm/px is "
                f"{(x1 - x0) * info.pixel_aspect * spacing:.1f} x {(y1 - y0) * spacing:.1f} mm, "
                "which is no muscle image; "
                "give the right mm_per_px in a manifest"
            )
        assumed = None if info.mm_per_px is not None else self.assumed_mm_per_px
        cells = (height // CELL_PX, width // CELL_PX)
        covered = (
            None if info.outline is None else cover_cells(info.outline, info.box, (height, width), cells)
        )
        return WorkingGrid(
            height,
            width,
            self.rate_hz,
            info.box,
            info.mm_per_px,
            assumed,
            covered,
            info.pixel_aspect,
        )

    def resize(self, image: NDArray[np.uint8], grid: WorkingGrid) -> NDArray[np.uint8]:
        """Crop one frame (H, W) to the imaging area and bring it to the working pitch, (height, width)."""
        x0, y0, x1, y1 = grid.box
        area = image[y0:y1, x0:x1]
        if area.shape == (grid.height, grid.width):
            return np.ascontiguousarray(area)
        shrinks = grid.height < area.shape[0] or grid.width < area.shape[1]
        mode = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        return np.asarray(cv2.resize(area, (grid.width, grid.height), interpolation=mode), dtype=np.uint8)

    def ticks(self, recording: Recording, grid: WorkingGrid) -> Iterator[Tick]:
        """Yield the working clip tick by tick, decoding lazily and holding one frame."""
        image: NDArray[np.uint8] | None = None
        previous_s = math.nan
        for frame, n_ticks in choose_frames(recording.frames(), grid.rate_hz):
            image = self.resize(frame.image, grid)
            dt_s = 0.0 if math.isnan(previous_s) else frame.time_s - previous_s
            previous_s = frame.time_s
            yield Tick(image, dt_s)
            for _ in range(n_ticks - 1):
                yield Tick(image, 0.0)


def cover_cells(
    outline: Polygon, box: PixelBox, shape: tuple[int, int], cells: tuple[int, int]
) -> NDArray[np.bool_]:
    """Say which `cells` (h, w) of a grid of `shape` (height, width) lie within an outline, half or more.

    The grid covers the box exactly, and the cells divide it evenly.
    """
    x0, y0, x1, y1 = box
    height, width = shape
    # Corners count along the edges of pixels; the grid covers the box exactly.
    scale = np.array([width / (x1 - x0), height / (y1 - y0)])
    corners = (np.asarray(outline.points, np.float64) - [x0, y0]) * scale
    inside = np.zeros(shape, np.uint8)
    fraction_bits = 4
    # OpenCV counts from the centre of the first pixel.
    fixed = np.rint((corners - 0.5) * 2**fraction_bits).astype(np.int32)
    cv2.fillPoly(inside, [fixed], 1, shift=fraction_bits)
    share = cv2.resize(inside.astype(np.float32), (cells[1], cells[0]), interpolation=cv2.INTER_AREA)
    return np.asarray(share >= 0.5)


def choose_frames(frames: Iterator[Frame], rate_hz: float) -> Iterator[tuple[Frame, int]]:
    """Pair each frame that is nearest to some tick k / rate_hz with the number of ticks it serves.

    A tick exactly between two frames takes the earlier one. The last tick is the last within half a period of
    the last frame. Frames nearest to no tick are left out: this is how 60 Hz becomes 30 Hz.
    """
    current: Frame | None = None
    tick = 0
    # Time stamps are rounded to a time base, so an exact half way is decided with a margin.
    margin_s = 1e-6
    for frame in frames:
        if current is not None:
            until_s = (current.time_s + frame.time_s) / 2 + margin_s
            count = max(0, math.floor(until_s * rate_hz) + 1 - tick)
            if count:
                yield current, count
                tick += count
        current = frame
    if current is not None:
        count = max(0, math.floor((current.time_s + 0.5 / rate_hz) * rate_hz + margin_s) + 1 - tick)
        if count:
            yield current, count
