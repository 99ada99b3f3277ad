from __future__ import annotations

import numpy as np
import pytest

from fascnet.data.screen.depth_ruler import read_depth_ruler
from fascnet.phantom.recording.block_codec import BlockCodec
from fascnet.phantom.recording.screen import Screen
from fascnet.phantom.recording.screen_styles import draw_layout
from tests.data.screen.drawn_rulers import DrawnRuler, draw_ruler
from tests.data.screen.drawn_screens import make_speckle

HABITS = [(5, 2), (2.5, 4), (2, 5), (1, 10), (1, 5), (10, 1), (5, 1), (10, 5)]


def read(drawn: DrawnRuler, quality: int | None = None, kind: str = "linear") -> float | None:
    level = drawn.level if quality is None else BlockCodec(quality, 30, False).store(drawn.level)
    reading = read_depth_ruler(level.astype(np.float32), drawn.box, kind)
    return None if reading is None else reading.mm_per_px / drawn.mm_per_px


@pytest.mark.parametrize("numbers", ["mm", "cm"])
@pytest.mark.parametrize(("step_mm", "long_every"), HABITS)
def test_rulers_with_numbers(step_mm: float, long_every: int, numbers: str) -> None:
    """Right within 2 % or nothing, whatever the depth, typeface, side, polarity and codec."""
    tried, results = 0, []
    for seed in range(5):
        rng = np.random.default_rng(seed)
        depth_mm = float(rng.uniform(18, 95))
        if not 4 <= depth_mm / step_mm <= 60 or (numbers == "cm" and step_mm * long_every % 10):
            continue
        tried += 1
        drawn = draw_ruler(rng, depth_mm, step_mm, long_every, numbers, seed % 2 == 0, seed % 3 == 0)
        results.append(read(drawn, 40 if seed % 2 else None))
    seen = [result for result in results if result is not None]
    assert seen == pytest.approx([1.0] * len(seen), abs=0.02)
    assert len(seen) >= 0.5 * tried


@pytest.mark.parametrize(("step_mm", "long_every"), [(10, 1), (5, 1), (1, 1), (2, 1), (20, 1)])
def test_ticks_that_are_all_alike_say_nothing_without_numbers(step_mm: float, long_every: int) -> None:
    for seed in range(5):
        rng = np.random.default_rng(seed)
        assert read(draw_ruler(rng, float(rng.uniform(40, 95)), step_mm, long_every, "")) is None


def test_fifths_may_be_millimetres_or_two_or_ten_and_are_not_guessed() -> None:
    """Four long ticks with fifths: 4 cm by two millimetres, or 2 cm by one."""
    for step_mm, depth_mm in ((2.0, 44.0), (1.0, 22.0)):
        for seed in range(4):
            assert read(draw_ruler(np.random.default_rng(seed), depth_mm, step_mm, 5, "")) is None


@pytest.mark.parametrize(("step_mm", "depth_mm"), [(5, 45.0), (10, 90.0)])
def test_halves_are_not_guessed(step_mm: float, depth_mm: float) -> None:
    for seed in range(4):
        assert read(draw_ruler(np.random.default_rng(seed), depth_mm, step_mm, 2, "")) is None


def test_quarters_of_a_centimetre_are_a_habit() -> None:
    for seed in range(4):
        drawn = draw_ruler(np.random.default_rng(seed), 45.0, 2.5, 4, "")
        reading = read_depth_ruler(drawn.level.astype(np.float32), drawn.box, "linear")
        assert reading is not None
        assert reading.mm_per_px == pytest.approx(drawn.mm_per_px, rel=0.02)
        assert (reading.by, reading.confidence) == ("habit", 0.7)
        assert read(drawn, kind="sector") is None, "hearts have other habits"


def test_numbers_that_were_exchanged_are_not_believed() -> None:
    """1, 2, 3 at half centimetres would be a picture of half the depth that its ticks by habit say."""
    drawn = draw_ruler(np.random.default_rng(1), 16.0, 1, 1, "mm")
    assert read(drawn) in (None, pytest.approx(1.0, abs=0.02))


@pytest.mark.parametrize("style", ["dark", "ruled", "handheld"])
@pytest.mark.parametrize("quality", [None, 30])
def test_phantom_screens(style: str, quality: int | None) -> None:
    right, numbered = 0, 0
    for seed in range(6):
        layout = draw_layout(320, 300, 0.12, np.random.default_rng(seed), style)
        frame = Screen(layout).compose(make_speckle(320, 300, seed), 0.0)
        level = frame if quality is None else BlockCodec(quality, 30, True).store(frame)
        reading = read_depth_ruler(level.astype(np.float32), layout.box, "linear")
        if reading is not None:
            assert reading.mm_per_px == pytest.approx(0.12, rel=0.02)
            right += 1
        numbered += any(text.text in ("1", "10") for text in layout.texts)
    assert right >= 0.6 * numbered > 0


def test_screens_without_ruler_have_no_reading() -> None:
    for seed in range(6):
        layout = draw_layout(256, 256, 0.12, np.random.default_rng(seed), "bordered")
        frame = Screen(layout).compose(make_speckle(256, 256, seed), 0.0)
        assert read_depth_ruler(frame.astype(np.float32), layout.box, "linear") is None
