from __future__ import annotations

import numpy as np
import pytest
import torch

from fascnet.phantom.card import discriminator
from fascnet.phantom.card.discriminator import build_classifier, judge_patches
from fascnet.phantom.card.patches import Patches, cut_patches
from tests.phantom.card.fakes import make_source, make_speckle


def make_patches(real_px: float, phantom_px: float, n: int = 5, per_group: int = 12) -> Patches:
    rng = np.random.default_rng(0)
    sources = [
        make_source(f"{real}{i}", make_speckle(rng, (110, 150), 1.0, px)[None], is_real=real)
        for real, px in ((True, real_px), (False, phantom_px))
        for i in range(n)
    ]
    return cut_patches(sources, rng, per_group=per_group)


def test_the_network_is_small() -> None:
    network = build_classifier()
    assert sum(each.numel() for each in network.parameters()) < 100_000
    assert network(torch.zeros(3, 1, 64, 64)).shape == (3, 1)


def test_other_grain_is_told_apart_on_unseen_subjects() -> None:
    found = judge_patches(make_patches(1.0, 3.0), seed=0, epochs=8)
    assert found is not None and found.folds == 5
    assert found.auroc.value > 0.95
    assert found.weights < 100_000


def test_the_same_texture_is_not_told_apart() -> None:
    found = judge_patches(make_patches(2.0, 2.0), seed=0, epochs=4)
    assert found is not None
    assert 0.25 < found.auroc.value < 0.75


def test_no_subject_is_judged_by_a_network_that_saw_it(monkeypatch: pytest.MonkeyPatch) -> None:
    patches = make_patches(1.0, 2.0, n=3, per_group=4)
    images = patches.standardise()
    seen: list[set[str]] = []
    held: list[set[str]] = []

    def find_groups(batch: torch.Tensor) -> set[str]:
        known = {image.tobytes(): str(group) for image, group in zip(images, patches.group, strict=True)}
        return {known[image.numpy().tobytes()] for image in batch[:, 0]}

    def train(batch: torch.Tensor, *args: object) -> torch.nn.Module:
        seen.append(find_groups(batch))
        return build_classifier()

    def predict(network: torch.nn.Module, batch: torch.Tensor) -> np.ndarray:
        held.append(find_groups(batch))
        return np.zeros(len(batch))

    monkeypatch.setattr(discriminator, "_train", train)
    monkeypatch.setattr(discriminator, "_predict", predict)
    judge_patches(patches, seed=0)
    assert len(held) == 3
    assert all(not one & other for one, other in zip(seen, held, strict=True))
    assert set().union(*held) == set(patches.group.tolist())


def test_the_same_seed_gives_the_same_scores_and_leaves_torch_alone() -> None:
    patches = make_patches(1.0, 2.0, n=2, per_group=6)
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    one, other = (judge_patches(patches, seed=3, epochs=1) for _ in range(2))
    assert torch.equal(before, torch.random.get_rng_state())
    assert one is not None and other is not None
    assert np.array_equal(one.score, other.score)


def test_one_subject_a_side_cannot_be_judged() -> None:
    assert judge_patches(make_patches(1.0, 2.0, n=1), seed=0) is None
