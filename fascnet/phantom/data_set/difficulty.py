"""How hard a clip is and why, so that results can be cut by it: amplitude, confounders, noise."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fascnet.phantom.script import Script
from fascnet.types import FASCICULATION, Labels

SMALL_MM, LARGE_MM = 0.15, 0.3
"""Below the first no classical detector finds anything, above the second the best one finds nearly all."""

QUIET_DB, NOISY_DB = -30.0, -18.0
"""Electronic noise at mid depth against the median echo: unseen below the first, plain above the second."""

MANY_CONFOUNDERS = 3


def describe_difficulty(script: Script, labels: Labels, noise_db: float | None) -> dict[str, str]:
    """Return the cells of one clip: numbers, and classes of them.

    Args:
        script: what happens in the clip.
        labels: its truth.
        noise_db: electronic noise against the median echo, or None where the noise is a real recording's.

    Returns:
        `n_twitches`; `peak_mm_min`, `peak_mm_median`, `peak_mm_max`; `amplitude` (`none`, `small`, `medium`,
        `large`, by the median); `confounders` (names joined by `+`), `n_confounders`; `noise_db`; `noise`
        (`quiet`, `medium`, `noisy`, `recorded`); `lossy_codec` (its quality, or nothing); `difficulty`
        (`hard`: small amplitude, `MANY_CONFOUNDERS` or noise; `easy`: none of it and at most one confounder;
        else `medium`).
    """
    sizes = [event.peak_mm for event in labels.fasciculations() if event.peak_mm is not None]
    names = sorted({event.label for event in labels.events} - {FASCICULATION})
    amplitude = _classify_amplitude(sizes)
    noise = (
        "recorded"
        if noise_db is None
        else _classify(noise_db, (QUIET_DB, NOISY_DB), ("quiet", "medium", "noisy"))
    )
    hard_points = sum((amplitude == "small", len(names) >= MANY_CONFOUNDERS, noise == "noisy"))
    easy_points = sum((amplitude in {"large", "none"}, len(names) <= 1, noise in {"quiet", "recorded"}))
    difficulty = "hard" if hard_points else ("easy" if easy_points == 3 else "medium")
    return {
        "n_twitches": str(len(sizes)),
        "peak_mm_min": f"{min(sizes):.3f}" if sizes else "",
        "peak_mm_median": f"{float(np.median(sizes)):.3f}" if sizes else "",
        "peak_mm_max": f"{max(sizes):.3f}" if sizes else "",
        "amplitude": amplitude,
        "confounders": "+".join(names),
        "n_confounders": str(len(names)),
        "noise_db": "" if noise_db is None else f"{noise_db:.1f}",
        "noise": noise,
        "lossy_codec": "" if script.codec is None else f"{script.codec[0]:.0f}",
        "difficulty": difficulty,
    }


def _classify_amplitude(sizes: Sequence[float]) -> str:
    if not sizes:
        return "none"
    return _classify(float(np.median(sizes)), (SMALL_MM, LARGE_MM), ("small", "medium", "large"))


def _classify(value: float, bounds: tuple[float, float], names: tuple[str, str, str]) -> str:
    return names[sum(value >= bound for bound in bounds)]
