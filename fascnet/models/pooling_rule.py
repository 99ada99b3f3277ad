"""How a heatmap becomes one clip logit: the numbers that training (torch) and scoring (NumPy) both follow.

At each tick the strongest cells are averaged as logits, the averages are smoothed over a few ticks, and the
largest of them is the clip's logit. Without torch, so that scoring needs none.
"""

from __future__ import annotations

TOP_FRACTION = 0.005
"""Share of cells whose mean logit stands for a tick: about the core of one small twitch in 4 cm."""

MIN_TOP_CELLS = 4
"""At least so many cells: one noisy cell is no twitch."""

SMOOTH_TICKS = 3
"""Ticks over which the pooled logit is averaged: 0.1 s at 30 Hz, the shortest fasciculation in ultrasound."""

LOGIT_LIMIT = 9.21
"""Logits beyond ±9.21 are probabilities beyond 1e-4 and 1 - 1e-4: no more certain than that."""


def count_top_cells(n_cells: int) -> int:
    """Return how many of a heatmap's cells are pooled."""
    return min(n_cells, max(MIN_TOP_CELLS, round(TOP_FRACTION * n_cells)))
