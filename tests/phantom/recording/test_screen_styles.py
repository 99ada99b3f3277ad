from __future__ import annotations

import re

import numpy as np
import pytest

from fascnet.data.screen.imaging_area import find_imaging_area
from fascnet.errors import SettingError
from fascnet.phantom.body.tissue import Vessel
from fascnet.phantom.recording.screen import Screen
from fascnet.phantom.recording.screen_ink import measure_text
from fascnet.phantom.recording.screen_layout import ScreenLayout
from fascnet.phantom.recording.screen_styles import STYLES, draw_layout
from fascnet.types import PixelBox

SIZES = [(200, 400), (256, 256), (400, 220)]
PITCH_MM = 0.125


def draw(style: str | None, seed: int, size: tuple[int, int] = (256, 256), **options: object) -> ScreenLayout:
    return draw_layout(*size, PITCH_MM, np.random.default_rng(seed), style, **options)


def make_frames(size: tuple[int, int]) -> np.ndarray:
    """Speckle, brighter near the skin."""
    rng = np.random.default_rng(2)
    speckle = rng.rayleigh(50, (3, *size))
    return np.clip(speckle + np.linspace(60, 0, size[0])[:, None], 0, 255).astype(np.uint8)


def overlap(a: PixelBox, b: PixelBox) -> float:
    width = max(min(a[2], b[2]) - max(a[0], b[0]), 0)
    height = max(min(a[3], b[3]) - max(a[1], b[1]), 0)
    areas = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (a, b))
    return width * height / (areas - width * height)


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("size", SIZES)
def test_the_picture_keeps_its_size_on_an_even_screen(style: str, size: tuple[int, int]) -> None:
    for seed in range(10):
        layout = draw(style, seed, size)
        x0, y0, x1, y1 = layout.box
        assert (y1 - y0, x1 - x0) == size
        assert layout.style == style
        assert layout.height_px % 2 == 0 and layout.width_px % 2 == 0
        assert layout.height_px <= 2 * size[0] + 60 and layout.width_px <= 2 * size[1] + 200
        shown = Screen(layout).compose(make_frames(size)[0], 0.0)
        np.testing.assert_array_equal(shown[y0:y1, x0:x1], make_frames(size)[0])


@pytest.mark.parametrize("style", STYLES)
def test_screens_differ_and_repeat_with_their_seed(style: str) -> None:
    assert draw(style, 3, overlay=True) == draw(style, 3, overlay=True)
    assert len({draw(style, seed) for seed in range(10)}) == 10


def test_every_style_is_drawn() -> None:
    assert {draw(None, seed).style for seed in range(40)} == set(STYLES)
    with pytest.raises(SettingError, match="style"):
        draw("sector", 0)


@pytest.mark.parametrize("style", ["dark", "ruled", "handheld"])
def test_ruler_ticks_are_at_true_scale(style: str) -> None:
    layout = draw(style, 1)
    x0, y0, x1, y1 = layout.box
    ticks = [line for line in layout.lines if line.start[1] == line.end[1] and not x0 <= line.start[0] < x1]
    rows = {line.start[1] for line in ticks}
    expected = {y0 + round(5 * index / PITCH_MM) for index in range(int((y1 - y0) * PITCH_MM / 5) + 1)}
    assert expected <= rows
    numbers = [text for text in layout.texts if re.fullmatch(r"\d+", text.text)]
    for text in numbers:
        per_mm = 10 if style != "ruled" else 1
        assert text.y + text.height_px // 2 == pytest.approx(y0 + int(text.text) * per_mm / PITCH_MM, abs=1)
    assert numbers or style == "ruled"


def test_texts_stay_clear_of_the_picture_and_on_the_screen() -> None:
    for style in STYLES:
        for seed in range(20):
            for size in SIZES:
                layout = draw(style, seed, size)
                x0, y0, x1, y1 = layout.box
                for text in layout.texts:
                    right = text.x + measure_text(text.text, text.height_px, text.bold)
                    clear = right <= x0 or text.x >= x1 or text.y + text.height_px <= y0 or text.y >= y1
                    assert clear, (style, seed, size, text)
                    # A cut-out cuts its captions by intent.
                    on_screen = text.x < layout.width_px and text.y >= 0
                    assert on_screen or style == "bordered", (style, seed, size, text)


def test_text_names_nobody() -> None:
    """Only the invented words and numbers of the module appear."""
    words = set()
    for style in STYLES:
        for seed in range(60):
            layout = draw(style, seed, overlay=True)
            for text in (*layout.texts, *layout.inside_texts):
                words |= set(re.findall(r"[A-Za-z]{2,}", text.text))
    presets = {"MSK", "Gen", "Muscle", "General", "Nerve", "Small", "Parts"}
    settings = {"LA", "HL", "ML", "MI", "TI", "TIS", "TIs", "Frq", "MHz", "Gn", "cm", "DR", "FR", "Hz", "AO"}
    settings |= {"Map", "Avg", "Rej"}
    muscles = {"BICEPS", "TIB", "ANT", "FDI", "GASTROC", "QUADS", "Vastus", "lat", "Trapezius"}
    allowed = presets | settings | muscles
    assert words <= allowed
    assert len(words) > 20


def test_marks_and_colour_box_lie_on_the_picture() -> None:
    vessel = Vessel((15.0, 14.0), 2.0, 0.1, 12.0)
    for seed in range(20):
        layout = draw(None, seed, overlay=True, caption="BICEPS L", vessel=vessel)
        assert layout.inside_texts[0].text == "BICEPS L"
        box = layout.colour_box
        assert box is not None
        assert box.centre == (15.0 / PITCH_MM, 14.0 / PITCH_MM) and box.radius_px == 2.0 / PITCH_MM
        picture = np.full((256, 256), 120, np.uint8)
        screen = Screen(layout)
        x0, y0, x1, y1 = layout.box
        first, later = (screen.compose(picture, t_s)[y0:y1, x0:x1].astype(int) for t_s in (0.0, 0.5))
        moved = np.nonzero(first != later)
        assert moved[0].size > 20, "flow flickers"
        assert np.abs(moved[0] - 14.0 / PITCH_MM).max() < 3 * 2.0 / PITCH_MM
        assert np.count_nonzero(first > 150) > 40, "the caption can be read"


@pytest.mark.parametrize(
    ("style", "usual", "worst"), [("dark", 0.99, 0.97), ("handheld", 0.99, 0.97), ("bordered", 0.9, 0.85)]
)
def test_the_imaging_area_is_found(style: str, usual: float, worst: float) -> None:
    overlaps = []
    for seed in range(12):
        size = SIZES[seed % 3]
        layout = draw(style, seed, size)
        screen = Screen(layout)
        frames = np.stack(
            [screen.compose(frame, index / 30) for index, frame in enumerate(make_frames(size))]
        )
        overlaps.append(overlap(find_imaging_area(frames), layout.box))
    assert np.median(overlaps) >= usual
    assert min(overlaps) >= worst
