"""How the scripts read their `key=value` arguments."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from fascnet.errors import SettingError

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "scripts"))

from key_values import read_key_values, read_number, read_whole

DEFAULTS = {"output": "", "clips": "40", "reach_mm": "6"}


def test_what_was_given_stands_in_the_place_of_its_default():
    settings = read_key_values(["clips=3", "output=a=b"], DEFAULTS, needed=("output",))
    assert settings == {"output": "a=b", "clips": "3", "reach_mm": "6"}
    assert read_whole(settings, "clips", least=1) == 3
    assert read_number(settings, "reach_mm", above=0) == 6.0
    assert DEFAULTS["clips"] == "40"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["clip=3"], "clip=3: give KEY=VALUE with a key of output, clips, reach_mm"),
        (["clips"], "clips: give KEY=VALUE with a key of"),
        (["clips="], "clips=: give KEY=VALUE with a key of"),
        (["clips=3", "clips=4"], "clips is given twice"),
        (["clips=3"], "give output=…"),
    ],
)
def test_what_is_no_setting_is_refused_in_one_line(arguments, message):
    with pytest.raises(SettingError) as refused:
        read_key_values(arguments, DEFAULTS, needed=("output",))
    assert f"{refused.value}".startswith(message) and "\n" not in f"{refused.value}"


@pytest.mark.parametrize("text", ["-1", "1.5", "two", "²", "0"])
def test_whole_numbers_are_whole_and_not_too_small(text):
    with pytest.raises(SettingError, match="give a whole number of 1 or more"):
        read_whole({"clips": text}, "clips", least=1)


@pytest.mark.parametrize("text", ["-1", "nan", "inf", "two"])
def test_numbers_are_finite_and_not_negative(text):
    with pytest.raises(SettingError, match=r"give a number of 0 or more"):
        read_number({"time_s": text}, "time_s")


def test_a_number_can_have_to_be_above_a_bound():
    assert read_number({"time_s": "0"}, "time_s") == 0
    with pytest.raises(SettingError, match="give a number above 0"):
        read_number({"time_s": "0"}, "time_s", above=0)
