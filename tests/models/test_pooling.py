from __future__ import annotations

import numpy as np
import pytest
import torch

from fascnet.inference.scores import ClipPool
from fascnet.models.pooling import pool_clip_logit
from fascnet.models.pooling_rule import LOGIT_LIMIT


@pytest.mark.parametrize("shape", [(1, 6, 7), (2, 6, 7), (3, 6, 7), (20, 6, 7), (20, 40, 40)])
def test_the_same_number_as_prediction_pools(shape: tuple[int, int, int]) -> None:
    logits = torch.from_numpy(np.random.default_rng(0).normal(-2, 3, shape))
    pool = ClipPool()
    for heatmap in torch.sigmoid(logits).numpy():
        pool.push(heatmap)
    wanted = pool.finish()
    got = pool_clip_logit(logits[None], torch.ones(1, shape[0], dtype=torch.bool))
    assert got.item() == pytest.approx(wanted, abs=1e-6)


def test_ticks_that_are_not_valid_have_no_say() -> None:
    logits = torch.full((2, 12, 5, 5), -4.0)
    valid = torch.ones(2, 12, dtype=torch.bool)
    valid[:, 5:8] = False
    hot = logits.clone()
    hot[:, 5:8] = 9.0
    assert torch.equal(pool_clip_logit(logits, valid), pool_clip_logit(hot, valid))
    hot[1, 2] = 9.0
    assert (pool_clip_logit(logits, valid) < pool_clip_logit(hot, valid)).tolist() == [False, True]


def test_nothing_valid_is_the_lowest_logit() -> None:
    pooled = pool_clip_logit(torch.randn(3, 6, 4, 4), torch.zeros(3, 6, dtype=torch.bool))
    assert pooled.tolist() == pytest.approx([-LOGIT_LIMIT] * 3)


def test_gradient_goes_to_the_strongest_cells_of_the_strongest_ticks() -> None:
    logits = torch.zeros(1, 9, 4, 4)
    logits[0, 4, 1, :] = 3.0
    logits.requires_grad_()
    pool_clip_logit(logits, torch.ones(1, 9, dtype=torch.bool)).sum().backward()
    assert logits.grad is not None
    assert logits.grad[0, 4, 1].tolist() == pytest.approx([1 / 12] * 4)
    assert logits.grad.sum().item() == pytest.approx(1.0)
