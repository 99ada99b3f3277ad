from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import pytest

from fascnet.commands.argument_types import check_arguments, describe_type, fits
from fascnet.errors import SettingError

TRAINER = "fascnet.training.fit.TrainerSettings"
PREPROCESSOR = "fascnet.models.preprocessing.Preprocessor"


@pytest.mark.parametrize(
    ("value", "hint", "wanted"),
    [
        (3, int, True),
        (3.0, int, False),
        (True, int, False),
        ("3", int, False),
        (3, float, True),
        (True, float, False),
        (float("nan"), float, False),
        (float("inf"), float, False),
        (None, float, False),
        (None, float | None, True),
        (1, bool, False),
        ("a", str | Path | None, True),
        ("a", Path, True),
        (4, str, False),
        ([1, 2.5], tuple[float, float], True),
        ([1], tuple[float, float], False),
        ([1, "a"], tuple[float, float], False),
        ([1, 2, 3], tuple[int, ...], True),
        (3, tuple[float, float], False),
        ([4, 8], Sequence[int], True),
        ("ab", Sequence[int], False),
        ({"a": 1}, Mapping[str, float], True),
        ({"a": "b"}, Mapping[str, float], False),
        ("x", Literal["x", "y"], True),
        ("z", Literal["x", "y"], False),
        ({"_target_": "anything"}, Path | int, True),
        (object(), Any, True),
    ],
)
def test_fits(value: object, hint: Any, wanted: bool) -> None:
    assert fits(value, hint) is wanted


def test_types_in_words() -> None:
    assert describe_type(float | None) == "a number or null"
    assert describe_type(tuple[float, float]) == "[a number, a number]"
    assert describe_type(str | Path) == "text or a path"


def test_names_the_key_of_a_nested_node() -> None:
    check_arguments({"_target_": TRAINER, "epochs": 3, "max_minutes": None}, "trainer")
    with pytest.raises(SettingError, match=r"^trainer\.epochs=abc must be a whole number$"):
        check_arguments({"_target_": TRAINER, "epochs": "abc"}, "trainer")
    node = {"inner": {"_target_": PREPROCESSOR, "pitch_mm": "wide"}}
    with pytest.raises(SettingError, match=r"^data\.inner\.pitch_mm=wide must be a number$"):
        check_arguments(node, "data")


def test_targets_that_do_not_exist_are_left_to_the_builder() -> None:
    check_arguments({"_target_": "fascnet.nowhere.Nothing", "epochs": "abc"}, "trainer")
