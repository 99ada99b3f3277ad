"""The `key=value` arguments of these scripts, read and refused in one way."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from fascnet.errors import SettingError


def read_key_values(
    arguments: Sequence[str], defaults: Mapping[str, str], needed: Sequence[str] = ()
) -> dict[str, str]:
    """Return the settings with what was given in the place of their defaults.

    Args:
        arguments: `key=value` each.
        defaults: every key there is, and its value where none is given.
        needed: keys that must be given.

    Raises:
        SettingError: an argument that is no `key=value`, an unknown key, one given twice, or one missing.
    """
    given: dict[str, str] = {}
    for argument in arguments:
        key, _, value = argument.partition("=")
        if key not in defaults or not value:
            raise SettingError(f"{argument}: give KEY=VALUE with a key of {', '.join(defaults)}")
        if key in given:
            raise SettingError(f"{key} is given twice")
        given[key] = value
    if missing := [key for key in needed if key not in given]:
        raise SettingError(f"give {', '.join(f'{key}=…' for key in missing)}")
    return {**defaults, **given}


def read_whole(settings: Mapping[str, str], key: str, least: int = 0) -> int:
    """Return a setting that is a whole number of at least `least`.

    Raises:
        SettingError: it is none.
    """
    text = settings[key]
    if not (text.isascii() and text.isdecimal()) or int(text) < least:
        raise SettingError(f"{key}={text}: give a whole number of {least} or more")
    return int(text)


def read_number(settings: Mapping[str, str], key: str, *, above: float | None = None) -> float:
    """Return a setting that is a finite number of 0 or more, or above `above`.

    Raises:
        SettingError: it is none.
    """
    try:
        value = float(settings[key])
    except ValueError:
        value = float("nan")
    if not (math.isfinite(value) and (value >= 0 if above is None else value > above)):
        raise SettingError(
            f"{key}={settings[key]}: give a number {'of 0 or more' if above is None else f'above {above:g}'}"
        )
    return value
