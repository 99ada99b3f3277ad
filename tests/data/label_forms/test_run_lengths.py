from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from fascnet.data.label_forms.run_lengths import pack_rows, unpack_columns, unpack_rows
from fascnet.errors import LabelError


def count_runs(flat: NDArray[np.bool_]) -> list[int]:
    counts, value = [0], False
    for one in flat.tolist():
        if one != value:
            counts.append(0)
            value = one
        counts[-1] += 1
    return counts


def pack_letters(counts: list[int]) -> str:
    """COCO's packing, written anew from its description: differences to two before, 5 bits a letter."""
    text = ""
    for index, count in enumerate(counts):
        rest = count - counts[index - 2] if index > 2 else count
        more = True
        while more:
            bits = rest & 31
            rest >>= 5
            more = rest != -1 if bits & 16 else rest != 0
            text += chr(48 + (bits | 32 if more else bits))
    return text


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 2**31), st.floats(0, 1))
def test_masks_come_back(width: int, height: int, seed: int, share: float) -> None:
    mask = np.random.default_rng(seed).random((height, width)) < share
    assert np.array_equal(unpack_rows(pack_rows(mask), width, height, "t"), mask)
    assert pack_rows(mask) == count_runs(mask.reshape(-1))
    columns = count_runs(mask.T.reshape(-1))
    assert np.array_equal(unpack_columns(columns, width, height, "t"), mask)
    assert np.array_equal(unpack_columns(pack_letters(columns), width, height, "t"), mask)


def test_a_known_mask() -> None:
    mask = unpack_columns([6, 1, 40, 4, 5, 4, 5, 4, 21], 9, 10, "t")
    assert mask.shape == (10, 9) and mask.sum() == 13
    # Column by column: the seventh pixel is column 0, row 6.
    assert mask[6, 0] and mask[7:10, 4].all() and not mask[:7, 4].any()
    assert np.array_equal(unpack_columns("61X13mN000`0", 9, 10, "t"), mask)


@pytest.mark.parametrize(
    "counts",
    [[3], [5], [2, -1, 3], [10**18], [0] * 50, [2, 2.0], [True, 3], [4, 1], []],
)
def test_lengths_that_do_not_cover_the_mask_are_refused(counts: list[int]) -> None:
    for unpack in (unpack_rows, unpack_columns):
        with pytest.raises(LabelError, match="do not add up"):
            unpack(counts, 2, 2, "f.json annotation 3")


@pytest.mark.parametrize("text", ["é", "o", "~" * 9, "ooooooooooooooo1", "\x00"])
def test_letters_that_mean_nothing_are_refused(text: str) -> None:
    with pytest.raises(LabelError, match=r"mask|add up"):
        unpack_columns(text, 2, 2, "t")


def test_sizes_are_checked_before_memory_is_taken() -> None:
    for width, height in ((10**9, 10**9), (0, 5), (-3, 5), (20_000, 20_000)):
        with pytest.raises(LabelError, match="is none"):
            unpack_rows([width * height], width, height, "t")
