"""The spacing that counts where sizes in mm are needed: the known one, else an assumed one."""

from __future__ import annotations

ASSUMED_MM_PER_PX = 0.1
"""Spacing assumed for recordings that state none, choice of this project: a recording of 480 rows would show
48 mm. Nothing in mm is reported then."""


def choose_spacing(known: float | None, assumed: float | None = None) -> float:
    """Choose the spacing of a recording's stored pixels, downwards, in mm.

    Args:
        known: the recording's own, None when unknown.
        assumed: what is taken instead; None where nobody says (a detector that keeps the stored pixels needs
            none): `ASSUMED_MM_PER_PX`.
    """
    if known is not None:
        return known
    return ASSUMED_MM_PER_PX if assumed is None else assumed
