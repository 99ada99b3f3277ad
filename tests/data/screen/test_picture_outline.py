from __future__ import annotations

import numpy as np
import pytest

from fascnet.data.screen.evidence import measure_evidence
from fascnet.data.screen.picture_outline import (
    clip_outline,
    draw_outline,
    find_box,
    find_lit_part,
    fit_sector,
    outline_part,
)
from tests.data.screen.drawn_screens import find_sector, make_speckle, overlap_masks, write

SHAPE = (420, 560)
SECTORS = {
    "phased": find_sector(SHAPE, (280, 20), 0.7, 0, 370),
    "curved": find_sector(SHAPE, (280, -120), 0.55, 160, 510),
}


@pytest.mark.parametrize("kind", SECTORS)
def test_a_lit_sector_is_outlined(kind: str) -> None:
    inside = SECTORS[kind]
    frame = np.where(inside, np.maximum(make_speckle(*SHAPE), 2), 0).astype(np.uint8)
    write(frame, "NAME X 1950", (5, 15))
    found = outline_part(measure_evidence(frame[None]).texture, may_be_sector=True)
    assert found is not None
    assert overlap_masks(draw_outline(found[0], SHAPE), inside) > 0.95
    assert found[1] > 0.9


def test_a_sector_with_dark_rooms_is_fitted_by_its_symmetry() -> None:
    inside = SECTORS["phased"]
    lit = inside.copy()
    lit[80:280, 250:480] = False
    frame = np.where(lit, np.maximum(make_speckle(*SHAPE), 2), 0).astype(np.uint8)
    found = outline_part(measure_evidence(frame[None]).texture, may_be_sector=True)
    assert found is not None and overlap_masks(draw_outline(found[0], SHAPE), inside) > 0.93
    assert overlap_masks(draw_outline(fit_sector(lit), SHAPE), inside) > 0.97


def test_faint_wings_belong_to_it_and_faint_ringing_does_not() -> None:
    texture = np.where(SECTORS["phased"], 10.0, 0.0).astype(np.float32)
    texture[:, :200] *= 0.08
    wings = find_lit_part(texture)
    assert overlap_masks(wings, SECTORS["phased"]) > 0.9
    ringing = np.where(SECTORS["phased"], 10.0, 0.0).astype(np.float32)
    ringing[find_sector(SHAPE, (280, 12), 0.72, 0, 386) & (ringing == 0)] = 1.0
    assert overlap_masks(find_lit_part(ringing), SECTORS["phased"]) > 0.95


def test_nothing_gives_nothing() -> None:
    assert outline_part(np.zeros((60, 80), np.float32), may_be_sector=True) is None


def test_outlines_run_along_pixel_edges_and_end_at_the_frame() -> None:
    corners = np.array([(10, 20), (30, 20), (30, 50), (10, 50)], np.float64)
    mask = draw_outline(corners, (60, 80))
    assert mask.sum() == 20 * 30 and mask[20, 10] and not mask[19, 10] and not mask[20, 30]
    assert find_box(clip_outline(corners, (60, 80)), (60, 80)) == (10, 20, 30, 50)
    wide = np.array([(-50, -10), (200, -10), (200, 90), (-50, 90)], np.float64)
    assert find_box(clip_outline(wide, (60, 80)), (60, 80)) == (0, 0, 80, 60)
    away = wide + 500
    assert find_box(clip_outline(away, (60, 80)), (60, 80)) == (0, 0, 80, 60)
