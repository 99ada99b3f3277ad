from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from fascnet.baselines.tongue_rules import BlobRules, Confirmation, FrameCheck, RollingCount, find_blobs
from fascnet.models.preprocessing import WorkingGrid

RULES = BlobRules(12, 15, 0.03, 0.5, 2.0, 0.25)
GRID = WorkingGrid(80, 100, 30.0, (0, 0, 100, 80), None, None)


def test_blurred_and_jolted_frames_do_not_pass():
    check = FrameCheck(0.65, 2.5, 0.8)
    assert all(check.passes(100.0, 1.0, 0.2) for _ in range(20))
    assert not check.passes(64.0, 1.0, 0.2)
    assert check.passes(66.0, 2.5, 0.8)
    assert not check.passes(100.0, 2.6, 0.2) and not check.passes(100.0, 1.0, 0.9)


def test_sharpness_is_held_against_the_last_31_frames():
    check = FrameCheck(0.65, 2.5, 0.8)
    for _ in range(40):
        check.passes(100.0, 0.0, 0.0)
    assert [check.passes(50.0, 0.0, 0.0) for _ in range(16)] == [False] * 15 + [True]


@pytest.mark.parametrize("length", [1, 3, 10])
def test_hits_are_counted_over_the_last_frames(length):
    masks = np.random.default_rng(0).integers(0, 2, (25, 5, 7), dtype=np.uint8)
    count = RollingCount(length, (5, 7))
    for k, mask in enumerate(masks):
        count.push(mask)
        assert (count.counts == masks[max(0, k + 1 - length) : k + 1].sum(axis=0)).all()


def look(top, left, high, wide, flow=(3.0, 0.0), busy=0.0, rules=RULES):
    mask = np.zeros((80, 100), np.uint8)
    mask[top : top + high, left : left + wide] = 1
    field = np.zeros((80, 100, 2), np.float32)
    field[...] = flow
    speed = np.hypot(field[..., 0], field[..., 1])
    return find_blobs(mask, field, speed, np.full(mask.shape, busy), rules)


def test_a_blob_has_its_place_and_a_probability_by_its_flow():
    (blob,) = look(50, 20, 6, 8, flow=(0.0, 4.0))
    assert (blob.x, blob.y) == (23.5, 52.5) and blob.probability == pytest.approx(4 / 6)
    assert len(blob.rows) == 48 and blob.rows.min() == 50 and blob.columns.max() == 27


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"high": 3, "wide": 4}, True),
        ({"high": 2, "wide": 5}, False),
        ({"top": 10, "high": 3, "wide": 5}, True),
        ({"top": 10, "high": 3, "wide": 4}, False),
        ({"high": 12, "wide": 20}, True),
        ({"high": 12, "wide": 21}, False),
        ({"flow": (1.9, 0.0)}, False),
        ({"busy": 0.25}, True),
        ({"busy": 0.26}, False),
    ],
)
def test_each_rule_decides(change, found):
    place = {"top": 50, "left": 20, "high": 6, "wide": 8} | change
    assert bool(look(**place)) is found


def test_what_moves_apart_is_no_blob():
    mask = np.zeros((80, 100), np.uint8)
    mask[50:56, 20:30] = 1
    flow = np.zeros((80, 100, 2), np.float32)
    flow[:, :25, 0], flow[:, 25:, 0] = 3.0, -3.0
    speed = np.abs(flow[..., 0])
    assert find_blobs(mask, flow, speed, np.zeros(mask.shape), RULES) == []
    loose = dataclasses.replace(RULES, min_coherence=0.0)
    assert len(find_blobs(mask, flow, speed, np.zeros(mask.shape), loose)) == 1


def confirm(frames, *, skipped=0):
    """Return in which frames something is painted; `frames` gives the left edge of a blob, or None."""
    confirmation = Confirmation(5, 3, 25.0, skipped, GRID)
    heatmaps = []
    for left in frames:
        heatmaps += confirmation.push([] if left is None else look(50, left, 6, 8))
    heatmaps += confirmation.finish()
    assert len(heatmaps) == len(frames)
    return [bool(heatmap.any()) for heatmap in heatmaps]


def test_three_in_five_frames_at_one_place_confirm_each_other():
    assert confirm([20, None, 22, None, 24, None, None]) == [True, False, True, False, True, False, False]
    assert not any(confirm([20, 22, None, None, None, 24, None]))
    assert not any(confirm([20, None, 50, None, 80, None]))


def test_the_last_frames_are_skipped():
    assert confirm([20] * 12, skipped=5) == [True] * 7 + [False] * 5
    assert confirm([20] * 4, skipped=5) == [False] * 4


def test_painted_cells_are_those_of_the_blob():
    confirmation = Confirmation(1, 1, 25.0, 0, GRID)
    (heatmap,) = confirmation.push(look(48, 20, 8, 12))
    assert heatmap.shape == GRID.cells == (20, 25)
    expected = np.zeros((20, 25), bool)
    expected[12:14, 5:8] = True
    assert ((heatmap > 0) == expected).all() and heatmap.max() == pytest.approx(3 / 5)
