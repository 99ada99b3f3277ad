"""Draws the screen of one of several kinds of scanner. All text on it is invented and names nobody.

The proportions follow real screens among the project's recordings: a cart with a black screen (800 x 600,
640 x 480), a PC scanner with rulers on dark or light grey (1148 x 624), a picture cut out with a strip of
grey border (420 x 352), a hand-held probe's phone export (776 x 1080).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from fascnet.errors import SettingError
from fascnet.phantom.body.tissue import Vessel
from fascnet.phantom.recording.screen_desk import Desk
from fascnet.phantom.recording.screen_ink import measure_text
from fascnet.phantom.recording.screen_layout import Line, Panel, ScreenLayout
from fascnet.phantom.recording.screen_marks import draw_colour_box, draw_marks

_PRESETS = ("MSK", "MSK Gen", "Muscle", "General", "Nerve", "Small Parts")
_PROBES = ("L12-5", "LA 38", "L15", "HL 50-9", "ML 10-4")


def _draw_dark(desk: Desk) -> ScreenLayout:
    """A cart: black, captions on top, grey bar at the left, ruler and perhaps parameters at the right."""
    letter = desk.letter
    left = max(round(desk.draw(0.08, 0.2) * desk.width_px), 4 * letter)
    top = round(desk.draw(4.0, 6.0) * letter)
    box = (left, top, left + desk.width_px, top + desk.height_px)
    bold = desk.is_drawn(0.5)
    x = desk.show_clock("time", letter, letter // 2, bold)
    x = desk.write(str(desk.rng.choice(_PRESETS)), x, letter // 2, bold)
    x = desk.write(str(desk.rng.choice(_PROBES)), x, letter // 2, bold)
    desk.write(f"MI {desk.draw(0.1, 1.2):.1f} TIs {desk.draw(0.0, 0.6):.1f}", x, letter // 2, bold)
    desk.add_grey_bar(letter, box[1] + desk.height_px // 4, 2 * letter, round(0.3 * desk.height_px))
    right = round(desk.draw(5, 8) * letter)
    desk.rule_depth(box[2] + 2, box, 1, letter // 2 + 1, numbers=True, unit_mm=10)
    for _ in range(int(desk.rng.integers(1, 4))):
        desk.add_focus(
            box[2] + 4 * letter, box[1] + round(desk.draw(0.15, 0.85) * desk.height_px), letter // 2
        )
    if desk.is_drawn(0.5):
        values = desk.list_parameters()
        desk.write_list(values, box[2] + 5 * letter, box[1], box[3])
        right = 6 * letter + max(measure_text(value, letter) for value in values)
    if desk.is_drawn(0.4):
        desk.lines.append(Line((box[0], box[1] - 1), (box[2] - 1, box[1] - 1), 235))
    elif desk.is_drawn(0.6):
        desk.rule_width(box[1] - letter, box, -1, letter // 2, whole_only=True)
    if desk.is_drawn(0.5):
        desk.add_logo(left - 2 * letter, box[1] + letter, letter)
    bottom = round(desk.draw(0.03, 0.2) * desk.height_px)
    return desk.finish("dark", box, right, bottom, int(desk.rng.integers(0, 7)))


def _draw_ruled(desk: Desk) -> ScreenLayout:
    """A PC scanner: dark or light grey, rulers along two sides, gain curve and parameters at the right."""
    letter = desk.letter
    is_light = desk.is_drawn(0.35)
    background = int(desk.rng.integers(165, 215) if is_light else desk.rng.integers(40, 75))
    desk.grey = int(desk.rng.integers(10, 60) if is_light else desk.rng.integers(150, 200))
    left = max(round(desk.draw(0.15, 0.3) * desk.width_px), 9 * letter)
    top = round(3.5 * letter)
    box = (left, top, left + desk.width_px, top + desk.height_px)
    values = ["[B]", *desk.list_parameters()]
    curve_x = box[2] + 2 * letter
    right = 5 * letter + max(measure_text(value, letter) for value in values)
    bottom = int(desk.rng.integers(0, 2 * letter))
    desk.panels.append(Panel((0, 0, box[2] + right, 3 * letter), background + 12, background + 4))
    # Short captions with wide gaps in two rows, the clock at the right.
    desk.write(str(desk.rng.choice(_PRESETS)), left + round(desk.draw(0.1, 0.3) * desk.width_px), letter // 2)
    second = round(1.8 * letter)
    desk.write(str(desk.rng.choice(_PROBES)), left + round(desk.draw(0.3, 0.5) * desk.width_px), second)
    clock_x = left + round(desk.draw(0.7, 0.95) * desk.width_px)
    desk.show_clock("time", clock_x, letter // 2)
    desk.write(f"MI {desk.draw(0.1, 1.2):.2f}", clock_x + letter, second)
    desk.add_logo(2 * letter, round(1.5 * letter), letter)
    bar = round(0.22 * desk.height_px)
    desk.add_grey_bar(letter, box[1] + 2 * letter, 2 * letter, bar)
    desk.add_grey_map(letter, box[1] + bar + 4 * letter, 3 * letter)
    ruler_x = left - round(desk.draw(0.2, 0.6) * (left - 8 * letter)) - 3 * letter
    desk.lines.append(Line((ruler_x, box[1]), (ruler_x, box[3] - 1), desk.grey))
    desk.rule_depth(ruler_x, box, 1, letter // 2, numbers=desk.is_drawn(0.5), unit_mm=1)
    if bottom > letter // 2:
        desk.rule_width(box[3] + bottom - 1, box, -1, letter // 2)
    end = (curve_x + round(desk.draw(-1.0, 1.5) * letter), box[3] - letter)
    desk.lines.append(Line((curve_x, box[1]), end, desk.grey, dash_px=3))
    desk.write_list(values, curve_x + 2 * letter, box[1] + letter, box[3])
    return desk.finish("ruled", box, right, bottom, background)


def _draw_bordered(desk: Desk) -> ScreenLayout:
    """A cut-out with a strip of grey border, through which a caption may be cut."""
    sides = [int(side) for side in desk.rng.integers(0, 15, 4)]
    sides[1] = max(sides[1], 3)
    left, top, right, bottom = sides
    box = (left, top, left + desk.width_px, top + desk.height_px)
    if desk.is_drawn(0.7):
        desk.grey = int(desk.rng.integers(110, 170))
        # The cut goes through the letters, so that only their feet show.
        y = top - desk.letter - 2
        desk.write(str(desk.rng.choice(_PRESETS)), box[0] + desk.width_px // 5, y)
        desk.write(f"MI {desk.draw(0.1, 1.2):.1f}", box[0] + 3 * desk.width_px // 5, y)
    return desk.finish("bordered", box, right, bottom, int(desk.rng.integers(40, 75)))


def _draw_handheld(desk: Desk) -> ScreenLayout:
    """A phone's export: black and tall, one line of text, a logo, a ruler of dots and numbers."""
    letter = desk.letter
    side = max(round(desk.draw(0.05, 0.12) * desk.width_px), 2 * letter)
    top = round(desk.draw(0.12, 0.28) * desk.height_px) + 2 * letter
    box = (side, top, side + desk.width_px, top + desk.height_px)
    text = f"TIS: {desk.draw(0, 0.1):.2f} MI: {desk.draw(0.1, 0.9):.2f} {desk.rng.choice(_PRESETS)}"
    desk.write(text, max(side + (desk.width_px - measure_text(text, letter)) // 2, 0), 2)
    desk.add_logo(side + letter, 3 * letter, letter // 2)
    if desk.is_drawn(0.6):
        desk.lines.append(Line((0, top - 1), (box[2] + 4 * letter, top - 1), 70))
    desk.rule_depth(box[2] + letter, box, 1, 2, numbers=True, unit_mm=10)
    bottom = round(desk.draw(0.12, 0.4) * desk.height_px) + 2 * letter
    if desk.is_drawn(0.5):
        kind = "seconds" if desk.is_drawn(0.5) else "frames"
        desk.show_clock(kind, side, box[3] + bottom - 2 * letter)
    return desk.finish("handheld", box, 4 * letter, bottom, 0)


_STYLES: dict[str, Callable[[Desk], ScreenLayout]] = {
    "dark": _draw_dark,
    "ruled": _draw_ruled,
    "bordered": _draw_bordered,
    "handheld": _draw_handheld,
}
STYLES = tuple(_STYLES)


def draw_layout(
    height_px: int,
    width_px: int,
    mm_per_px: float,
    rng: np.random.Generator,
    style: str | None = None,
    fps: float = 30.0,
    overlay: bool = False,
    caption: str | None = None,
    vessel: Vessel | None = None,
) -> ScreenLayout:
    """Draw a screen around a picture, which keeps its size and spacing.

    Args:
        height_px: rows of the picture.
        width_px: columns of the picture.
        mm_per_px: spacing of the picture, for rulers.
        rng: source of randomness.
        style: one of `STYLES`, or None to draw one.
        fps: frames per second, shown and counted.
        overlay: text and marks inside the picture.
        caption: the text inside the picture, such as a muscle's name and side; None draws one.
        vessel: gets a colour box with flickering flow; None draws no box.

    Raises:
        SettingError: there is no such style.
    """
    if style is None:
        style = str(rng.choice(STYLES))
    if style not in _STYLES:
        raise SettingError(f"style={style}: choose from {', '.join(STYLES)}")
    layout = _STYLES[style](Desk(height_px, width_px, mm_per_px, fps, rng))
    if overlay:
        layout = draw_marks(layout, mm_per_px, caption, rng)
    if vessel is not None:
        layout = draw_colour_box(layout, vessel, mm_per_px, rng)
    return layout
