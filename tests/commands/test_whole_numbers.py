from __future__ import annotations

import pytest

from fascnet.commands.whole_numbers import check_whole
from fascnet.errors import SettingError


@pytest.mark.parametrize("value", [1, 5, 2**40])
def test_a_number_within_its_bounds_is_returned(value):
    assert check_whole("check: seed", value, 1) == value
    assert check_whole("check: seed", value, 1, 2**40) == value


@pytest.mark.parametrize("value", [0, 11, 2.0, "2", True, None])
def test_anything_else_is_one_line_with_key_and_bounds(value):
    with pytest.raises(SettingError) as caught:
        check_whole("check: folds", value, 1, 10)
    assert str(caught.value) == f"check: folds={value} must be a whole number from 1 to 10"


def test_without_an_upper_bound_the_message_names_none():
    with pytest.raises(SettingError, match=r"^predict: chunk_frames=0 must be a whole number from 1$"):
        check_whole("predict: chunk_frames", 0, 1)
