from __future__ import annotations

import pytest

from fascnet.spacing import ASSUMED_MM_PER_PX, choose_spacing


@pytest.mark.parametrize(
    ("known", "assumed", "chosen"),
    [
        (0.07, 0.2, 0.07),
        (0.07, None, 0.07),
        (None, 0.2, 0.2),
        (None, None, ASSUMED_MM_PER_PX),
    ],
)
def test_the_known_spacing_counts_then_the_assumed_one(
    known: float | None, assumed: float | None, chosen: float
) -> None:
    assert choose_spacing(known, assumed) == chosen
