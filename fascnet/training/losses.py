"""What training minimises: pixel errors where the truth is known, and errors about whole windows."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor
from torchvision.ops import sigmoid_focal_loss

from fascnet.errors import SettingError
from fascnet.models.pooling import pool_clip_logit


@dataclass(frozen=True, slots=True)
class LossSettings:
    """Weights of the parts of the loss.

    Attributes:
        focal_weight: weight of the focal loss over cells (Lin et al. 2017), 0-10.
        focal_gamma: how much easy cells are discounted, 0-5; 0 is cross entropy.
        dice_weight: weight of the soft Dice loss over the batch (Milletari et al. 2016), 0-10.
        clip_weight: weight of the cross entropy of pooled window logits, 0-10.
    """

    focal_weight: float = 1.0
    focal_gamma: float = 1.0
    dice_weight: float = 0.5
    clip_weight: float = 0.1

    def __post_init__(self) -> None:
        for name, most in (
            ("focal_weight", 10),
            ("focal_gamma", 5),
            ("dice_weight", 10),
            ("clip_weight", 10),
        ):
            if not 0 <= getattr(self, name) <= most:
                raise SettingError(f"loss.{name} is {getattr(self, name)}; give 0 to {most}")


def compute_loss(
    logits: Tensor, target: Tensor, valid: Tensor, settings: LossSettings, somewhere: Tensor | None = None
) -> tuple[Tensor, dict[str, Tensor]]:
    """Compute the loss of a batch of windows.

    Args:
        logits: (B, T, h, w).
        target: (B, T, h, w) of 0 and 1.
        valid: (B, T, h, w) bool; cells outside have no influence whatever.
        settings: weights.
        somewhere: (B, T, h, w) bool, cells of which some twitch, no one knows which; outside `valid`. Their
            pooled logit shall be positive. None: nowhere.

    Returns:
        The loss and its parts, for logging.
    """
    known = valid.to(logits.dtype)
    count = known.sum().clamp(min=1.0)
    truth = target * known
    focal = (sigmoid_focal_loss(logits, target, alpha=-1.0, gamma=settings.focal_gamma) * known).sum() / count
    probability = torch.sigmoid(logits) * known
    overlap = (probability * truth).sum()
    # The one keeps a batch without twitches defined and silent.
    dice = 1.0 - (2.0 * overlap + 1.0) / (probability.sum() + truth.sum() + 1.0)

    known_tick = valid.flatten(2).any(dim=-1)
    window_target = truth.flatten(1).amax(dim=-1)
    open_cell = valid
    if somewhere is not None:
        # Where only the time is known, other ticks must not take the blame: they are known to be still.
        by_time = somewhere.flatten(1).any(dim=-1) & (window_target == 0)
        known_tick = torch.where(by_time[:, None], somewhere.flatten(2).any(dim=-1), known_tick)
        open_cell = torch.where(by_time[:, None, None, None], somewhere, valid)
        window_target = torch.where(by_time, torch.ones_like(window_target), window_target)
    masked = torch.where(open_cell, logits, torch.full_like(logits, -1e4))
    window_logit = pool_clip_logit(masked, known_tick)
    known_window = known_tick.any(dim=-1).to(logits.dtype)
    per_window = F.binary_cross_entropy_with_logits(window_logit, window_target, reduction="none")
    clip = (per_window * known_window).sum() / known_window.sum().clamp(min=1.0)

    parts = {"focal": focal, "dice": dice, "clip": clip}
    total = settings.focal_weight * focal + settings.dice_weight * dice + settings.clip_weight * clip
    return total, {name: value.detach() for name, value in parts.items()}
