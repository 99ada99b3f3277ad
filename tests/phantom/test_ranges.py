from __future__ import annotations

import json
from dataclasses import dataclass, field

import pytest

from fascnet.errors import SettingError
from fascnet.phantom.ranges import Range, check_ranges, list_group, read_group


@dataclass(frozen=True, slots=True)
class Knobs:
    gain_db: Range = (-3.0, 3.0)
    rate: Range = (1.0, 2.0)
    freeze_share: float = 0.5
    looks: int = 3

    def __post_init__(self) -> None:
        check_ranges(self, {"gain_db": (-20.0, 20.0), "looks": (1, 9)})


@dataclass(frozen=True, slots=True)
class Scanner:
    knobs: Knobs = field(default_factory=Knobs)
    lines: int = 4


def test_lists_become_tuples_and_compare() -> None:
    knobs = read_group(Knobs, {"gain_db": [-1, 2], "looks": 5}, "knobs")
    assert knobs == Knobs(gain_db=(-1, 2), looks=5)
    assert hash(knobs) == hash(Knobs(gain_db=(-1, 2), looks=5))


def test_what_is_left_out_keeps_its_default() -> None:
    assert read_group(Knobs, {}, "knobs") == Knobs()


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("gain_db", [3.0, -3.0], "must not exceed"),
        ("gain_db", [-20.1, 0.0], "between -20 and 20"),
        ("gain_db", [0.0, 21], "between -20 and 20"),
        ("gain_db", [0.0], "two numbers"),
        ("gain_db", [0.0, 1.0, 2.0], "two numbers"),
        ("gain_db", 3.0, "two numbers"),
        ("gain_db", "ab", "two numbers"),
        ("gain_db", None, "two numbers"),
        ("gain_db", ["a", "b"], "give a number"),
        ("gain_db", [0.0, float("nan")], "give a number"),
        ("gain_db", [False, True], "give a number"),
        ("rate", [-0.1, 1.0], "between 0 and 10"),
        ("freeze_share", 1.01, "between 0 and 1"),
        ("freeze_share", -0.01, "between 0 and 1"),
        ("freeze_share", float("inf"), "between 0 and 1"),
        ("freeze_share", True, "between 0 and 1"),
        ("freeze_share", [0.0, 1.0], "between 0 and 1"),
        ("looks", 2.5, "whole number"),
        ("looks", 0, "between 1 and 9"),
        ("looks", "3", "between 1 and 9"),
    ],
)
def test_a_wrong_value_is_refused_with_the_full_name_of_its_key(key: str, value: object, told: str) -> None:
    with pytest.raises(SettingError, match=rf"^here\.knobs\.{key}=.*{told}"):
        read_group(Knobs, {key: value}, "here.knobs")


@pytest.mark.parametrize("value", [[-20, 20], [-20.0, -20.0], (0, 0)])
def test_bounds_belong_to_the_range(value: list[float]) -> None:
    assert Knobs(gain_db=value).gain_db == tuple(value)  # type: ignore[arg-type]


def test_an_unknown_key_is_refused_with_the_nearest() -> None:
    with pytest.raises(
        SettingError, match=r"^knobs\.gain_dB: there is no such setting; did you mean gain_db\?"
    ):
        read_group(Knobs, {"gain_dB": [0, 1]}, "knobs")
    with pytest.raises(SettingError, match=r"knobs\.7: .*choose from freeze_share, gain_db, looks, rate"):
        read_group(Knobs, {7: 1}, "knobs")


@pytest.mark.parametrize("values", [None, 3, "standard", [1, 2]])
def test_a_group_is_a_mapping(values: object) -> None:
    with pytest.raises(SettingError, match=r"^phantom\.scan=.*mapping"):
        read_group(Knobs, values, "phantom.scan")


def test_values_are_listed_plainly_group_by_group() -> None:
    plain = list_group(Scanner(Knobs(gain_db=(-1.0, 2.0))))
    assert plain == {
        "knobs": {"gain_db": [-1.0, 2.0], "rate": [1.0, 2.0], "freeze_share": 0.5, "looks": 3},
        "lines": 4,
    }
    assert json.loads(json.dumps(plain)) == plain
    assert read_group(Knobs, plain["knobs"], "knobs") == Knobs(gain_db=(-1.0, 2.0))
