"""Puts the scanner's screen around a picture: static furniture, a running clock, flickering flow."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from fascnet.phantom.recording.screen_ink import Ink
from fascnet.phantom.recording.screen_layout import ColourBox, Panel, ScreenLayout

_FLOW_GRAIN_PX = 2.5
_FLOW_LEVELS = 18
"""Grey levels by which fast and slow flow differ in luma (model choice)."""


class Screen:
    """Composes the frames of one clip.

    Args:
        layout: what stands on the screen.

    Raises:
        ValueError: the picture's box does not lie within the screen.
    """

    def __init__(self, layout: ScreenLayout) -> None:
        x0, y0, x1, y1 = layout.box
        if not (0 <= x0 < x1 <= layout.width_px and 0 <= y0 < y1 <= layout.height_px):
            raise ValueError(f"box {layout.box} is not within {layout.width_px} x {layout.height_px}")
        self.layout = layout
        self._canvas = np.full((layout.height_px, layout.width_px), layout.background, np.uint8)
        for panel in layout.panels:
            _fill(self._canvas, panel)
        furniture = Ink(layout.height_px, layout.width_px)
        for line in layout.lines:
            furniture.draw_line(line.start, line.end, line.grey, line.dash_px)
        for text in layout.texts:
            furniture.write(text.text, text.x, text.y, text.height_px, text.grey, text.bold)
        furniture.lay_over(self._canvas)
        self._marks = Ink(y1 - y0, x1 - x0)
        self._flow: _Flow | None = None
        if layout.colour_box is not None:
            corners = layout.colour_box.corners
            for start, end in zip(corners, corners[1:] + corners[:1], strict=True):
                self._marks.draw_line(start, end, layout.colour_box.outline_grey)
            self._flow = _Flow(layout.colour_box, y1 - y0, x1 - x0)
        for line in layout.inside_lines:
            self._marks.draw_line(line.start, line.end, line.grey, line.dash_px)
        for text in layout.inside_texts:
            self._marks.write(text.text, text.x, text.y, text.height_px, text.grey, text.bold)

    def compose(self, frame: NDArray[np.uint8], t_s: float) -> NDArray[np.uint8]:
        """Return the screen with a picture in it.

        Args:
            frame: uint8 (h, w), as large as the layout's box; left as it is.
            t_s: moment in seconds from the first frame.

        Returns:
            uint8 (height_px, width_px).

        Raises:
            ValueError: the frame is not as large as the box.
        """
        x0, y0, x1, y1 = self.layout.box
        if frame.shape != (y1 - y0, x1 - x0):
            raise ValueError(f"frame is {frame.shape}, the box on the screen {(y1 - y0, x1 - x0)}")
        screen = self._canvas.copy()
        picture = screen[y0:y1, x0:x1]
        picture[...] = frame
        if self._flow is not None:
            self._flow.lay_over(picture, t_s)
        self._marks.lay_over(picture)
        clock = self.layout.clock
        if clock is not None:
            digits = Ink(clock.height_px, self.layout.width_px)
            digits.write(clock.read(t_s), clock.x, 0, clock.height_px, clock.grey, clock.bold)
            rows = screen[clock.y : clock.y + clock.height_px]
            if rows.shape[0] == clock.height_px:
                digits.lay_over(rows)
        return screen


class _Flow:
    """Colour in a vessel: wider and brighter in systole, ragged at the wall, new in each colour frame."""

    def __init__(self, box: ColourBox, height_px: int, width_px: int) -> None:
        self._box = box
        y, x = np.mgrid[0:height_px, 0:width_px].astype(np.float64)
        dx, dy = x - box.centre[0], y - box.centre[1]
        along = dx * np.cos(box.axis_rad) + dy * np.sin(box.axis_rad)
        across = dy * np.cos(box.axis_rad) - dx * np.sin(box.axis_rad)
        if box.half_length_px is None:
            self._distance = np.hypot(along, across) / box.radius_px
        else:
            past_end = np.maximum(np.abs(along) - box.half_length_px, 0.0)
            self._distance = np.hypot(across, past_end) / box.radius_px
        self._inside = _find_inside(box.corners, x, y)
        grain = np.random.default_rng(box.seed).standard_normal((height_px, width_px))
        grain = gaussian_filter(grain, _FLOW_GRAIN_PX, mode="wrap")
        self._grain = grain / grain.std()

    def lay_over(self, picture: NDArray[np.uint8], t_s: float) -> None:
        """Paint the flow of a moment over the picture (H, W), in place."""
        box = self._box
        frame = int(t_s * box.colour_fps + 1e-6)
        beat = (frame / box.colour_fps * box.rate_hz + box.phase) % 1.0
        # Fast rise, slow fall, never quite still: an artery's flow.
        speed = 0.25 + 0.75 * (beat / 0.12 if beat < 0.12 else np.exp(-(beat - 0.12) / 0.22))
        grain = np.roll(self._grain, (frame * 7, frame * 13), axis=(0, 1))
        reach = 0.55 + 0.4 * speed + 0.12 * grain
        filled = self._inside & (self._distance < np.minimum(reach, 1.0))
        level = box.flow_grey + _FLOW_LEVELS * (speed - 0.5) - 12 * self._distance + 5 * grain
        picture[filled] = np.clip(np.rint(level[filled]), 0, 255).astype(np.uint8)


def _fill(canvas: NDArray[np.uint8], panel: Panel) -> None:
    x0, y0, x1, y1 = panel.box
    rows = np.arange(y1 - y0)
    greys = panel.grey + (panel.last_grey - panel.grey) * rows // max(y1 - y0 - 1, 1)
    canvas[y0:y1, x0:x1] = greys[:, None].astype(np.uint8)


def _find_inside(
    corners: tuple[tuple[int, int], ...], x: NDArray[np.float64], y: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Whether pixels lie within a convex area, border excluded; corners go round in either sense."""
    sides = []
    for (ax, ay), (bx, by) in zip(corners, corners[1:] + corners[:1], strict=True):
        sides.append((bx - ax) * (y - ay) - (by - ay) * (x - ax))
    stack = np.stack(sides)
    return np.asarray((stack > 0).all(axis=0) | (stack < 0).all(axis=0))
