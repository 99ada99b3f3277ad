"""A small network that tries to tell real patches from phantom patches, on subjects it has not seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from fascnet.phantom.card.auroc import Auroc, estimate_auroc, split_groups
from fascnet.phantom.card.patches import Patches

AIM = 0.75
"""The set aims at an AUROC below this: 0.5 cannot be told apart, 1 always."""

FOLDS = 5
EPOCHS = 12
_BATCH = 64
_LEARNING_RATE = 2e-3
_WEIGHT_DECAY = 1e-3


@dataclass(frozen=True, slots=True, eq=False)
class PatchJudge:
    """What the classifier says.

    Attributes:
        auroc: real against phantom over held-out patches, every subject weighing the same.
        score: (n,), log odds that each patch is real, from a network that never saw its subject.
        folds: folds of the cross-validation.
        weights: trainable weights of the network.
        epochs: passes over the training patches.
    """

    auroc: Auroc
    score: NDArray[np.float64]
    folds: int
    weights: int
    epochs: int


def judge_patches(patches: Patches, seed: int, epochs: int = EPOCHS) -> PatchJudge | None:
    """Cross-validate the classifier, whole subjects held out on both sides.

    Fixed epochs, no choice on held-out patches. Uses a GPU where there is one.

    Args:
        patches: real and phantom patches.
        seed: of folds, weights and order.
        epochs: passes over the training patches, >= 1.

    Returns:
        None when a side has fewer than two subjects.
    """
    groups = [np.unique(patches.group[side]) for side in (patches.real, ~patches.real)]
    if min(len(side) for side in groups) < 2:
        return None
    images = torch.from_numpy(patches.standardise())[:, None]
    truth = torch.from_numpy(patches.real.astype(np.float32))
    share = torch.from_numpy(_balance(patches))
    fold = split_groups(patches.group, patches.real, FOLDS, seed)
    score = np.zeros(len(patches.real))
    weights = 0
    for held in np.unique(fold):
        train = torch.from_numpy(fold != held)
        # The caller's random state stays as it was.
        with torch.random.fork_rng():
            torch.manual_seed(seed * 1000 + int(held))
            network = _train(images[train], truth[train], share[train], epochs)
        weights = sum(each.numel() for each in network.parameters())
        score[fold == held] = _predict(network, images[~train])
    rng = np.random.default_rng(seed)
    return PatchJudge(
        auroc=estimate_auroc(score, patches.real, patches.group, rng),
        score=score,
        folds=len(np.unique(fold)),
        weights=weights,
        epochs=epochs,
    )


def build_classifier() -> nn.Sequential:
    """Return the network: four strided convolutions, mean over the patch, one logit (24,000 weights)."""
    layers: list[nn.Module] = []
    before = 1
    for channels in (16, 24, 32, 48):
        layers += [
            nn.Conv2d(before, channels, 3, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(),
        ]
        before = channels
    return nn.Sequential(
        *layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.2), nn.Linear(before, 1)
    )


def _balance(patches: Patches) -> NDArray[np.float32]:
    """Weights (n,) so that every subject weighs the same within its side, and both sides the same."""
    share = np.zeros(len(patches.real), dtype=np.float32)
    for side in (patches.real, ~patches.real):
        names, index, counts = np.unique(patches.group[side], return_inverse=True, return_counts=True)
        share[side] = len(patches.real) / 2 / len(names) / counts[index]
    return share


def _find_device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def _train(images: torch.Tensor, truth: torch.Tensor, share: torch.Tensor, epochs: int) -> nn.Module:
    device = _find_device()
    network = build_classifier().to(device)
    optimiser = torch.optim.AdamW(network.parameters(), lr=_LEARNING_RATE, weight_decay=_WEIGHT_DECAY)
    steps = epochs * max(len(images) // _BATCH, 1)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, _LEARNING_RATE * 2, total_steps=steps)
    loss_of = nn.BCEWithLogitsLoss(reduction="none")
    network.train()
    done = 0
    while done < steps:
        for batch in torch.split(torch.randperm(len(images)), _BATCH):
            if done == steps or (len(batch) < 2 and len(images) > 1):
                break
            shown = images[batch].to(device)
            # A body is as often scanned from the other side.
            if bool(torch.rand(()) < 0.5):
                shown = shown.flip(-1)
            loss = (loss_of(network(shown)[:, 0], truth[batch].to(device)) * share[batch].to(device)).mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            done += 1
    return network


@torch.inference_mode()
def _predict(network: nn.Module, images: torch.Tensor) -> NDArray[np.float64]:
    network.eval()
    device = _find_device()
    parts = [network(batch.to(device))[:, 0].cpu() for batch in torch.split(images, 256)]
    return torch.cat(parts).numpy().astype(np.float64)
