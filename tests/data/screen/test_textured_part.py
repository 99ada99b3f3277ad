from __future__ import annotations

import numpy as np

from fascnet.data.screen.evidence import measure_evidence
from fascnet.data.screen.textured_part import find_textured_part
from tests.data.screen.drawn_screens import make_screen, make_speckle, overlap

BOX = (120, 50, 420, 350)


def test_text_bars_and_rulers_are_no_part() -> None:
    found = find_textured_part(measure_evidence(make_screen(BOX)[:1]).texture)
    assert found is not None
    assert overlap(found[0], BOX) > 0.95
    assert found[1][100:300, 150:400].all()


def test_parts_above_each_other_with_the_same_sides_are_one_picture() -> None:
    frames = make_screen(BOX)
    frames[:, 150:260, 120:420] = 0
    found = find_textured_part(measure_evidence(frames).texture)
    assert found is not None and overlap(found[0], BOX) > 0.95


def test_a_part_of_another_width_is_another_thing() -> None:
    frames = np.zeros((1, 400, 560), np.uint8)
    frames[:, 50:200, 120:420] = make_speckle(150, 300)
    frames[:, 300:380, 10:550] = make_speckle(80, 540)
    found = find_textured_part(measure_evidence(frames).texture)
    assert found is not None and found[0][3] <= 205


def test_flat_and_faint_frames_have_no_part() -> None:
    assert find_textured_part(np.zeros((100, 100), np.float32)) is None
    assert find_textured_part(np.full((100, 100), 0.9, np.float32)) is None
