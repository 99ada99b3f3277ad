from __future__ import annotations

import cv2
import numpy as np
import pytest

from fascnet.data.screen.label_shapes import HEIGHT_PX, compare, draw_templates


def draw(text: str, font: int, size: float) -> np.ndarray:
    canvas = np.zeros((60, 160), np.uint8)
    cv2.putText(canvas, text, (20, 40), font, size, 255, 1, cv2.LINE_AA)
    rows, columns = np.nonzero(canvas > 80)
    cut = canvas[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    return (cut / 255).astype(np.float32)


@pytest.mark.parametrize("font", [cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_DUPLEX])
@pytest.mark.parametrize("size", [0.35, 0.5, 0.8])
def test_numbers_in_a_typeface_it_does_not_know(font: int, size: float) -> None:
    texts = ["10", "20", "30", "40", "50", "2", "3", "4"]
    for text in texts:
        shape = draw(text, font, size)
        scores = {other: compare(shape, other) for other in texts}
        assert max(scores, key=lambda other: scores[other]) == text
        assert scores[text] > 0.55


def test_a_template_is_as_like_itself_as_can_be() -> None:
    for text in ("1", "8", "4.0cm", "50"):
        for template in draw_templates(text):
            assert template.shape[0] == HEIGHT_PX
            assert compare(template, text) == pytest.approx(1.0, abs=0.02)


def test_another_width_is_another_number() -> None:
    assert compare(draw("100", cv2.FONT_HERSHEY_SIMPLEX, 0.5), "1") < 0.3
    assert compare(draw("5", cv2.FONT_HERSHEY_SIMPLEX, 0.5), "50") == -1.0
