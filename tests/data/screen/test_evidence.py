from __future__ import annotations

import numpy as np

from fascnet.data.screen.evidence import measure_evidence
from tests.data.screen.drawn_screens import make_screen, make_speckle, write

BOX = (120, 50, 420, 350)


def test_nothing_leaks_past_the_ends_of_rows_and_columns() -> None:
    frames = np.zeros((2, 100, 100), np.uint8)
    frames[:, 30:70, 40:80] = np.maximum(make_speckle(40, 40), 9)
    evidence = measure_evidence(frames)
    assert evidence.down[:, 39].max() == 0 and evidence.down[35:65, 40].mean() > 3
    assert evidence.across[29].max() == 0 and evidence.across[30, 45:75].mean() > 3
    assert evidence.change.max() == 0


def test_a_still_has_no_change_and_one_frame_is_enough() -> None:
    evidence = measure_evidence(make_speckle(60, 80)[None])
    assert evidence.change.shape == (60, 80) and evidence.change.max() == 0
    assert np.median(evidence.texture) > 5


def test_what_stands_still_fades_where_tissue_moves() -> None:
    frames = make_screen(BOX)
    tissue = np.zeros(frames.shape[1:], bool)
    tissue[60:340, 130:410] = True
    evidence = measure_evidence(frames)
    weighed = evidence.weigh(tissue)
    assert evidence.texture[5:15, 6:120].max() > 30, "the text is textured"
    assert weighed.texture[5:15, 6:120].max() == 0
    assert np.median(weighed.texture[tissue]) > 0.9 * np.median(evidence.texture[tissue])
    still = measure_evidence(np.repeat(frames[:1], 3, axis=0))
    assert still.weigh(tissue) is still


def test_cropped_maps_are_those_of_the_crop() -> None:
    frames = make_screen(BOX)
    write(frames[0], "FR 30", (430, 200))
    cropped, own = measure_evidence(frames).crop(BOX), measure_evidence(frames[:, 50:350, 120:420])
    inner = np.s_[5:-5, 5:-5]
    np.testing.assert_allclose(cropped.texture[inner], own.texture[inner], rtol=1e-3, atol=1e-3)
    np.testing.assert_array_equal(cropped.change, own.change)
