"""What stands on a scanner's screen, and where: plain values that a `Screen` draws."""

from __future__ import annotations

from dataclasses import dataclass

from fascnet.types import PixelBox


@dataclass(frozen=True, slots=True)
class Panel:
    """A flat area, or a grey bar when the two greys differ: `grey` on top, `last_grey` at the bottom."""

    box: PixelBox
    grey: int
    last_grey: int


@dataclass(frozen=True, slots=True)
class Line:
    """A line one pixel wide between (x, y) and (x, y), dashed when `dash_px` is above 0."""

    start: tuple[int, int]
    end: tuple[int, int]
    grey: int
    dash_px: int = 0


@dataclass(frozen=True, slots=True)
class Text:
    """A line of text with its upper left corner at (x, y)."""

    text: str
    x: int
    y: int
    height_px: int
    grey: int
    bold: bool = False


@dataclass(frozen=True, slots=True)
class Clock:
    """Text that changes while the clip plays.

    Attributes:
        kind: `time` (hh:mm:ss), `seconds` (to a tenth) or `frames` (a counter).
        x: left edge.
        y: upper edge.
        height_px: of the digits.
        grey: of the digits.
        start_s: what it shows at the first frame, in seconds.
        fps: frames per second that a counter counts.
        bold: strokes one pixel wider.
    """

    kind: str
    x: int
    y: int
    height_px: int
    grey: int
    start_s: float
    fps: float
    bold: bool = False

    def read(self, t_s: float) -> str:
        """Return what it shows at a moment."""
        if self.kind == "frames":
            # Frame times are k / fps; half a frame keeps the count from falling one short by rounding.
            return f"{int(t_s * self.fps + 0.5) + 1}"
        # A millisecond of slack for the same reason.
        now_s = self.start_s + t_s + 1e-3
        if self.kind == "seconds":
            return f"{int(now_s * 10) / 10:.1f} s"
        whole = int(now_s)
        return f"{whole // 3600 % 24:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}"


@dataclass(frozen=True, slots=True)
class ColourBox:
    """A colour Doppler box as it looks in luma: outline, and flow that flickers with the beat in a vessel.

    Attributes:
        corners: four (x, y) in pixels of the picture, in order around.
        centre: (x, y) of the vessel in pixels of the picture.
        radius_px: of the lumen.
        axis_rad: direction of the vessel when it lies in the plane.
        half_length_px: half of its length in the plane, or None when it crosses the plane.
        outline_grey: of the box.
        flow_grey: mean luma of the flow: red and blue are dark in luma.
        rate_hz: beats per second.
        phase: share of a beat that has passed at the start.
        colour_fps: colour frames per second, fewer than grey ones.
        seed: seed of the flow's pattern.
    """

    corners: tuple[tuple[int, int], ...]
    centre: tuple[float, float]
    radius_px: float
    axis_rad: float
    half_length_px: float | None
    outline_grey: int
    flow_grey: int
    rate_hz: float
    phase: float
    colour_fps: float
    seed: int


@dataclass(frozen=True, slots=True)
class ScreenLayout:
    """A scanner's screen.

    Attributes:
        style: which scanner it resembles.
        height_px: rows of the screen.
        width_px: columns of the screen.
        box: where the picture lies, half-open (x0, y0, x1, y1).
        background: grey of what is empty.
        panels: flat areas and grey bars, drawn first.
        lines: rulers, ticks, curves and logos.
        texts: captions and parameters.
        clock: text that changes, or None.
        inside_lines: arrows and calipers on the picture, in its own pixels.
        inside_texts: text on the picture, in its own pixels.
        colour_box: or None.
    """

    style: str
    height_px: int
    width_px: int
    box: PixelBox
    background: int
    panels: tuple[Panel, ...] = ()
    lines: tuple[Line, ...] = ()
    texts: tuple[Text, ...] = ()
    clock: Clock | None = None
    inside_lines: tuple[Line, ...] = ()
    inside_texts: tuple[Text, ...] = ()
    colour_box: ColourBox | None = None
