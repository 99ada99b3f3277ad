"""From a window's cell logits to one clip logit, differentiably: what `inference.scores` does in NumPy."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from fascnet.models.pooling_rule import LOGIT_LIMIT, SMOOTH_TICKS, count_top_cells


def pool_clip_logit(logits: Tensor, valid_tick: Tensor) -> Tensor:
    """Pool (B, T, h, w) logits to (B,): top cells of each tick, smoothed over time, largest tick.

    Args:
        logits: cell logits.
        valid_tick: (B, T) bool; other ticks are left out. Rows without any give -`LOGIT_LIMIT`.
    """
    cells = logits.flatten(2).clamp(-LOGIT_LIMIT, LOGIT_LIMIT)
    per_tick = cells.topk(count_top_cells(cells.shape[-1]), dim=-1).values.mean(dim=-1)
    per_tick = torch.where(valid_tick, per_tick, -LOGIT_LIMIT)
    padded = F.pad(per_tick.unsqueeze(1), (SMOOTH_TICKS // 2, SMOOTH_TICKS // 2), mode="replicate")
    smooth = F.avg_pool1d(padded, SMOOTH_TICKS, stride=1)
    return smooth.squeeze(1).amax(dim=-1)
