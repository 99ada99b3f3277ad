"""Ranges to draw from: how a group of them is read from a config, checked, and written down again."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any, TypeVar

from fascnet.errors import SettingError

Range = tuple[float, float]
"""(low, high), both included."""

Group = TypeVar("Group")

_SHARE: Range = (0.0, 1.0)
_ANY: Range = (0.0, 10.0)


def check_ranges(group: object, bounds: Mapping[str, Range]) -> None:
    """Check every field of a frozen dataclass of ranges, shares and numbers, and turn lists into tuples.

    Args:
        group: the dataclass; fields annotated `Range` hold two numbers, `int` a whole number, `float` one.
        bounds: the smallest and largest value of each field. A field ending in `_share` lies in 0-1, another
            without bounds in 0-10.

    Raises:
        SettingError: a value is outside its bounds or of another form; it starts with the field's name.
    """
    for spec in fields(group):  # type: ignore[arg-type]  # any dataclass
        value = getattr(group, spec.name)
        low, high = bounds.get(spec.name, _SHARE if spec.name.endswith("_share") else _ANY)
        if spec.type == "Range":
            # YAML gives lists; a tuple keeps the settings hashable and comparable.
            object.__setattr__(group, spec.name, _check_range(spec.name, value, low, high))
        elif spec.type in ("int", "float"):
            _check_number(spec.name, value, low, high)
            if spec.type == "int" and int(value) != value:
                raise SettingError(f"{spec.name}={value}: give a whole number")


def read_group(kind: type[Group], values: object, where: str) -> Group:
    """Build a dataclass of ranges from plain values, such as a node of a composed config.

    Args:
        kind: the dataclass.
        values: a mapping of its fields; fields that are absent keep their defaults.
        where: the node's name, for messages.

    Raises:
        SettingError: a key is unknown, or a value is outside its bounds; it names the key.
    """
    if not isinstance(values, Mapping):
        raise SettingError(f"{where}={values}: give a mapping of settings")
    known = [spec.name for spec in fields(kind)]  # type: ignore[arg-type]  # any dataclass
    for key in values:
        if key not in known:
            near = difflib.get_close_matches(str(key), known, n=1)
            choices = f"did you mean {near[0]}?" if near else f"choose from {', '.join(sorted(known))}"
            raise SettingError(f"{where}.{key}: there is no such setting; {choices}")
    try:
        return kind(**values)
    except SettingError as error:
        raise SettingError(f"{where}.{error}") from error


def list_group(group: object) -> dict[str, Any]:
    """Return a group's values as plain lists and numbers, nested groups as mappings."""
    plain: dict[str, Any] = {}
    for spec in fields(group):  # type: ignore[arg-type]  # any dataclass
        value = getattr(group, spec.name)
        if isinstance(value, tuple):
            plain[spec.name] = list(value)
        else:
            plain[spec.name] = list_group(value) if hasattr(value, "__dataclass_fields__") else value
    return plain


def _check_range(name: str, value: object, low: float, high: float) -> Range:
    if not isinstance(value, Sequence) or isinstance(value, str) or len(value) != 2:
        raise SettingError(f"{name}={value}: give two numbers, [low, high]")
    for bound in value:
        _check_number(name, bound, low, high)
    if value[0] > value[1]:
        raise SettingError(f"{name}={list(value)}: the first number must not exceed the second")
    return (value[0], value[1])


def _check_number(name: str, value: object, low: float, high: float) -> None:
    sound = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if not sound or not low <= value <= high:  # type: ignore[operator]  # a number, as just checked
        raise SettingError(f"{name}={value}: give a number between {low:g} and {high:g}")
