"""Draws what a sonographer leaves on the picture itself: a caption, an arrow, calipers, a colour box."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from fascnet.phantom.body.tissue import Vessel
from fascnet.phantom.recording.screen_ink import measure_text
from fascnet.phantom.recording.screen_layout import ColourBox, Line, ScreenLayout, Text

_CAPTIONS = ("BICEPS", "TIB ANT", "FDI", "GASTROC", "QUADS", "T10", "Vastus lat", "Trapezius")


def draw_marks(
    layout: ScreenLayout, mm_per_px: float, caption: str | None, rng: np.random.Generator
) -> ScreenLayout:
    """Add a caption and perhaps an arrow or calipers inside the picture.

    Args:
        layout: the screen.
        mm_per_px: spacing of the picture: calipers say what they measure.
        caption: text, or None to draw one.
        rng: source of randomness.
    """
    height, width = layout.box[3] - layout.box[1], layout.box[2] - layout.box[0]
    letter = int(np.clip(round(height / 26), 7, 16))
    grey = int(rng.integers(170, 256))
    if caption is None:
        caption = f"{rng.choice(_CAPTIONS)} {rng.choice(['L', 'R'])}"
    room = max(width - measure_text(caption, letter) - letter, 1)
    x = int(rng.integers(min(letter, room), room + 1))
    y = letter if rng.random() < 0.4 else height - round(2.2 * letter)
    texts, lines = [Text(caption, x, y, letter, grey)], list[Line]()
    kind = str(rng.choice(["none", "arrow", "calipers"]))
    if kind == "arrow":
        tip = (round(rng.uniform(0.2, 0.8) * width), round(rng.uniform(0.3, 0.7) * height))
        turn = float(rng.uniform(0, 2 * np.pi))
        lines += _make_arrow(tip, turn, 2 * letter, grey)
    elif kind == "calipers":
        x_px = round(rng.uniform(0.15, 0.85) * width)
        first, last = (round(share * height) for share in (rng.uniform(0.15, 0.35), rng.uniform(0.5, 0.85)))
        lines.append(Line((x_px, first), (x_px, last), grey, dash_px=2))
        lines += _make_cross((x_px, first), letter // 2, grey) + _make_cross((x_px, last), letter // 2, grey)
        measured = f"{(last - first) * mm_per_px / 10:.2f} cm"
        texts.append(Text(measured, min(x_px + letter, width - 1), (first + last) // 2, letter, grey))
    return replace(layout, inside_texts=tuple(texts), inside_lines=tuple(lines))


def draw_colour_box(
    layout: ScreenLayout, vessel: Vessel, mm_per_px: float, rng: np.random.Generator
) -> ScreenLayout:
    """Add a colour box over a vessel: slanted along a vessel in the plane, upright over a section.

    Args:
        layout: the screen.
        vessel: where blood flows.
        mm_per_px: spacing of the picture.
        rng: source of randomness.
    """
    height, width = layout.box[3] - layout.box[1], layout.box[2] - layout.box[0]
    x, y = (value / mm_per_px for value in vessel.centre_mm)
    radius = vessel.radius_mm / mm_per_px
    half_height = max(float(rng.uniform(2.0, 3.5)) * radius, 0.12 * height)
    half_width = max(float(rng.uniform(0.1, 0.2)) * width, 1.6 * radius)
    top, bottom = max(y - half_height, 1.0), min(y + half_height, height - 2.0)
    # The sound is steered 15-20 degrees to meet a vessel that runs across.
    steer = (
        0.0 if vessel.half_length_mm is None else float(rng.choice([-1, 1]) * np.tan(rng.uniform(0.25, 0.35)))
    )
    corners = tuple(
        (round(x + side * half_width + steer * (row - y)), round(row))
        for side, row in ((-1, top), (1, top), (1, bottom), (-1, bottom))
    )
    box = ColourBox(
        corners=corners,
        centre=(x, y),
        radius_px=radius,
        axis_rad=vessel.axis_rad,
        half_length_px=None if vessel.half_length_mm is None else vessel.half_length_mm / mm_per_px,
        outline_grey=int(rng.integers(90, 180)),
        flow_grey=int(rng.integers(50, 90)),
        rate_hz=float(rng.uniform(1.0, 1.7)),
        phase=float(rng.random()),
        colour_fps=float(rng.uniform(8.0, 16.0)),
        seed=int(rng.integers(2**31)),
    )
    return replace(layout, colour_box=box)


def _make_arrow(tip: tuple[int, int], turn_rad: float, length: int, grey: int) -> list[Line]:
    """An arrow that points to `tip` from the direction `turn_rad`."""
    ends = [(turn_rad, length), (turn_rad - 0.5, length // 2), (turn_rad + 0.5, length // 2)]
    return [
        Line(tip, (tip[0] + round(reach * float(np.cos(a))), tip[1] + round(reach * float(np.sin(a)))), grey)
        for a, reach in ends
    ]


def _make_cross(centre: tuple[int, int], size: int, grey: int) -> list[Line]:
    x, y = centre
    return [Line((x - size, y), (x + size, y), grey), Line((x, y - size), (x, y + size), grey)]
