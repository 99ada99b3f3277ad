from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fascnet.data.screen.evenly_spaced import fit_comb


@given(
    pitch=st.floats(8, 60),
    origin=st.floats(0, 40),
    count=st.integers(8, 30),
    missing=st.integers(0, 1),
    foreign=st.integers(0, 2),
    seed=st.integers(0, 10_000),
)
def test_pitch_and_place_are_found(
    pitch: float, origin: float, count: int, missing: int, foreign: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    kept = np.delete(np.arange(count), rng.integers(1, count - 1, missing))
    peaks = origin + pitch * kept + rng.uniform(-0.3, 0.3, kept.size)
    height = pitch * count
    peaks = np.sort(np.concatenate([peaks, rng.uniform(origin, origin + height, foreign)]))
    comb = fit_comb(peaks, height)
    assert comb is not None
    assert comb.pitch_px == pytest.approx(pitch, rel=0.012)
    away = (comb.origin_px - origin) / pitch
    assert abs(away - round(away)) * pitch < 0.8


def test_scattered_places_are_no_comb() -> None:
    found = 0
    for seed in range(200):
        peaks = np.sort(np.random.default_rng(seed).uniform(0, 400, 12))
        found += fit_comb(peaks, 400) is not None
    assert found <= 10


def test_too_few_and_too_short() -> None:
    assert fit_comb(np.array([10.0, 60.0]), 300) is None
    assert fit_comb(np.array([10.0, 30.0, 50.0]), 300) is None, "spans less than 45 %"


def test_counting_starts_near_the_top_or_not_at_all() -> None:
    comb = fit_comb(np.arange(8) * 40.0 + 100, 300)
    assert comb is not None
    counted = comb.count_from(62.0, 0.3)
    assert counted is not None
    assert counted.place(0) == pytest.approx(60) and (counted.first, counted.last) == (1, 8)
    assert comb.count_from(80.0, 0.3) is None


def test_combs_agree_or_not() -> None:
    places = (np.arange(5) * 100.0, np.arange(21) * 20.0, np.arange(21) * 20.0 + 4)
    combs = [fit_comb(peaks, 400) for peaks in places]
    coarse, fine, shifted = (None if comb is None else comb.count_from(1.0, 0.3) for comb in combs)
    assert coarse is not None and fine is not None and shifted is not None
    assert coarse.is_every(fine, 5) and not coarse.is_every(shifted, 5)
    assert fine.is_like(fine) and not fine.is_like(shifted) and not fine.is_like(coarse)
