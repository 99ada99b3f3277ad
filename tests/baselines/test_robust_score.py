from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fascnet.baselines import robust_score
from fascnet.baselines.robust_score import (
    count_patterns,
    define_hysteresis,
    find_level,
    find_median_and_mad,
    score_against_clip,
)


@settings(max_examples=50)
@given(st.lists(st.floats(0, 60000, width=16), min_size=1, max_size=60))
def test_level_is_the_lower_median(values):
    stored = np.array(values, dtype=np.float16) + np.float16(0)
    assert find_level(count_patterns(stored)) == sorted(stored.tolist())[(len(values) - 1) // 2]


def test_probability_is_half_at_the_threshold():
    rng = np.random.default_rng(0)
    maps = (100 + rng.normal(0, 1, (200, 8, 8))).astype(np.float32)
    maps[50, 2, 3] = 100 + 8 * 1.0
    heatmap = np.concatenate(list(score_against_clip(iter(maps), (8, 8), 8.0, 0.1)))
    assert heatmap[50, 2, 3] == pytest.approx(0.5, abs=0.01)
    assert heatmap.min() == 0 and heatmap[:50].max() < 0.45


def test_median_and_mad_equal_numpy():
    values = np.random.default_rng(1).gamma(2.0, 3.0, 4001).astype(np.float16)
    median, mad = find_median_and_mad(count_patterns(values))
    assert median == np.median(values)
    away = np.abs(values.astype(np.float32) - np.float32(median))
    assert mad == pytest.approx(np.median(away), rel=1e-3)


@pytest.mark.parametrize("chunk", [1, 7, 100])
def test_chunks_do_not_matter(chunk, monkeypatch):
    maps = np.random.default_rng(2).random((50, 4, 5)).astype(np.float32)
    expected = np.concatenate(list(score_against_clip(maps, (4, 5), 4.0, 0.01)))
    monkeypatch.setattr(robust_score, "CHUNK_TICKS", chunk)
    found = list(score_against_clip(maps, (4, 5), 4.0, 0.01))
    assert max(map(len, found)) == min(chunk, 50)
    assert (np.concatenate(found) == expected).all()


def test_a_clip_without_noise_keeps_the_floor():
    maps = np.zeros((20, 4, 4), np.float32)
    maps[10, 1, 1] = 1.4826 * 0.05 * 8.0
    heatmap = np.concatenate(list(score_against_clip(maps, (4, 4), 8.0, 0.05)))
    assert heatmap[10, 1, 1] == pytest.approx(0.5, abs=0.01)
    assert np.count_nonzero(heatmap) == 1


def test_an_empty_clip_has_no_chunk():
    assert list(score_against_clip([], (4, 4), 8.0, 0.1)) == []


def test_an_event_ends_at_a_share_of_its_threshold():
    rule = define_hysteresis(0.5, 0.1, 0.2)
    z = 8.0 * 0.5
    assert rule.offset_threshold == pytest.approx(z / (z + 8.0))
    assert (rule.onset_threshold, rule.min_on_s, rule.min_off_s) == (0.5, 0.1, 0.2)


def test_what_is_blank_does_not_count_in_the_level():
    maps = (100 + np.random.default_rng(0).normal(0, 1, (50, 8, 8))).astype(np.float32)
    alone = np.concatenate(list(score_against_clip(maps, (8, 8), 8.0, 0.1)))
    wide = np.concatenate([maps, np.zeros((50, 8, 24), np.float32)], axis=2)
    covered = np.zeros((8, 32), bool)
    covered[:, :8] = True
    found = np.concatenate(list(score_against_clip(wide, (8, 32), 8.0, 0.1, covered)))
    assert np.array_equal(found[:, :, :8], alone)
