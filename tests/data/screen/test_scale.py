from __future__ import annotations

from fascnet.data.screen.depth_ruler import RulerReading
from fascnet.data.screen.scale import Scale, choose_scale


def make_reading(mm_per_px: float, confidence: float = 0.9) -> RulerReading:
    return RulerReading(mm_per_px, confidence, "numbers", 10.0, 10.0 / mm_per_px, 6, (3, 8), ())


def test_what_is_known_goes_before_the_ruler() -> None:
    scale = choose_scale(0.08, "dicom", make_reading(0.0801))
    assert scale == Scale(0.08, "dicom", 1.0)


def test_a_ruler_that_contradicts_is_reported() -> None:
    scale = choose_scale(0.16, "manifest", make_reading(0.08))
    assert scale.mm_per_px == 0.16
    assert scale.contradiction == (
        "manifest spacing is 0.16 mm/px, the ruler on the screen says 0.08; check which is right"
    )
    assert choose_scale(0.16, "manifest", make_reading(0.08, confidence=0.4)).contradiction == ""


def test_the_ruler_where_nothing_is_known_and_nothing_where_it_is_unsure() -> None:
    assert choose_scale(None, "", make_reading(0.08)) == Scale(0.08, "ruler", 0.9)
    assert choose_scale(None, "", make_reading(0.08, confidence=0.4)) == Scale()
    assert choose_scale(None, "", None) == Scale()
