from __future__ import annotations

import numpy as np
import pytest
import torch

from fascnet.evaluation.figures.pixels import PixelHistogram
from fascnet.training.calibration import fit_calibration, fit_cell_calibration, fold_into_head
from fascnet.types import ClipCalibration
from tests.models.test_unet import make_network


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def test_finds_the_slope_and_intercept_that_made_the_data() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 3, 4000)
    truths = rng.random(4000) < sigmoid(0.5 * logits - 1.0)
    fitted = fit_calibration(logits.tolist(), truths.tolist())
    assert fitted.slope == pytest.approx(0.5, abs=0.05)
    assert fitted.intercept == pytest.approx(-1.0, abs=0.15)


def test_separable_clips_do_not_become_certain() -> None:
    fitted = fit_calibration([-6.0] * 6 + [6.0] * 6, [False] * 6 + [True] * 6)
    low, high = (float(sigmoid(np.array(fitted.slope * z + fitted.intercept))) for z in (-6, 6))
    assert 0.02 < low < 0.2
    assert 0.8 < high < 0.98


def test_higher_logits_are_never_less_likely() -> None:
    assert fit_calibration([1.0, 2.0, 3.0, 4.0], [True, True, False, False]).slope > 0


def test_finds_what_the_surest_event_is_worth() -> None:
    rng = np.random.default_rng(2)
    logits = rng.normal(0, 2, 6000)
    surest = np.where(rng.random(6000) < 0.5, rng.uniform(0.5, 1.0, 6000), 0.0)
    truths = rng.random(6000) < sigmoid(0.5 * logits + 3.0 * surest - 1.5)
    fitted = fit_calibration(logits.tolist(), truths.tolist(), surest.tolist())
    assert (fitted.slope, fitted.intercept, fitted.surest_event) == pytest.approx((0.5, -1.5, 3.0), abs=0.2)


def test_a_surer_event_never_makes_a_clip_less_likely() -> None:
    rng = np.random.default_rng(3)
    logits, surest = rng.normal(0, 2, 500), rng.random(500)
    truths = rng.random(500) < sigmoid(logits - 3.0 * surest)
    assert fit_calibration(logits.tolist(), truths.tolist(), surest.tolist()).surest_event == 0.0


@pytest.mark.parametrize("truths", [[True, True], [False, False], []])
def test_one_class_leaves_scores_as_they_are(truths: list[bool]) -> None:
    assert fit_calibration([0.3, 2.0][: len(truths)], truths) == ClipCalibration()


def test_cells_that_are_too_sure_are_found_out() -> None:
    rng = np.random.default_rng(1)
    logits = rng.normal(-1, 2, 200_000)
    truth = rng.random(logits.size) < sigmoid(logits)
    cells = PixelHistogram()
    cells.add(sigmoid(3.0 * logits + 1.5), truth, np.ones(logits.size, bool))
    fitted = fit_cell_calibration(cells)
    assert fitted.slope == pytest.approx(1 / 3, abs=0.02)
    assert fitted.intercept == pytest.approx(-0.5, abs=0.05)


def test_cells_of_one_kind_leave_logits_as_they_are() -> None:
    cells = PixelHistogram()
    cells.add(np.linspace(0.1, 0.9, 50), np.zeros(50, bool), np.ones(50, bool))
    assert fit_cell_calibration(cells) == ClipCalibration()


def test_the_calibration_is_folded_into_the_head() -> None:
    network = make_network()
    motion = torch.randn(1, 6, network.front_end.N_CHANNELS, 16, 16)
    with torch.no_grad():
        before = network.judge_motion(motion, {})
        fold_into_head(network, ClipCalibration(slope=0.7, intercept=-2.0))
        after = network.judge_motion(motion, {})
    assert torch.allclose(after, 0.7 * before - 2.0, atol=1e-4)
