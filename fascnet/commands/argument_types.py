"""Checks a configuration's values against the types of the arguments that they become."""

from __future__ import annotations

import importlib
import inspect
import math
import types
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

from fascnet.errors import SettingError

_WORDS = {
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    str: "text",
    Path: "a path",
    type(None): "null",
}


def check_arguments(node: Mapping[str, Any], where: str) -> None:
    """Check a node with `_target_`, and those inside it, before anything is built.

    Args:
        node: the resolved node.
        where: its place in the configuration, for messages.

    Raises:
        SettingError: a value has another type than its argument, or is no finite number; one line names it.
    """
    for key, value in node.items():
        if isinstance(value, Mapping):
            check_arguments(value, f"{where}.{key}")
    if not isinstance(node.get("_target_"), str):
        return
    for key, hint in _read_hints(node["_target_"]).items():
        if key in node and not fits(node[key], hint):
            raise SettingError(f"{where}.{key}={node[key]} must be {describe_type(hint)}")


def _read_hints(name: str) -> dict[str, Any]:
    """Return the types of a target's arguments; none for an unknown target: building it says so better."""
    module, _, attribute = name.rpartition(".")
    try:
        signature = inspect.signature(getattr(importlib.import_module(module), attribute), eval_str=True)
    except (ImportError, AttributeError, ValueError, TypeError):
        return {}
    empty = inspect.Parameter.empty
    return {key: p.annotation for key, p in signature.parameters.items() if p.annotation is not empty}


def fits(value: object, hint: Any) -> bool:  # noqa: PLR0911 - one line a kind of type
    """Tell whether a plain value (from YAML) can be an argument of a type.

    A list stands for a tuple, text for a path, a whole number for a number; true and false are no numbers.
    """
    origin, inner = get_origin(hint), get_args(hint)
    if hint is Any or (isinstance(value, Mapping) and "_target_" in value):
        return True
    if origin in {Union, types.UnionType}:
        return any(fits(value, one) for one in inner)
    if origin is Literal:
        return value in inner
    if hint in {int, float}:
        kinds = int if hint is int else int | float
        return isinstance(value, kinds) and not isinstance(value, bool) and math.isfinite(value)
    if hint is Path:
        return isinstance(value, str | Path)
    if origin is tuple:
        if not isinstance(value, list | tuple):
            return False
        wanted = inner[:1] * len(value) if inner[-1:] == (...,) else inner
        return len(wanted) == len(value) and all(map(fits, value, wanted))
    if origin in {list, Sequence}:
        return isinstance(value, list | tuple) and all(fits(one, inner[0]) for one in value)
    if origin in {dict, Mapping}:
        return isinstance(value, Mapping) and all(fits(one, inner[1]) for one in value.values())
    return isinstance(value, hint) if isinstance(hint, type) else True


def describe_type(hint: Any) -> str:
    """Say what a value must be, in a user's words."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin in {Union, types.UnionType}:
        return " or ".join(dict.fromkeys(describe_type(one) for one in inner))
    if origin is Literal:
        return " or ".join(str(one) for one in inner)
    if origin is tuple:
        return f"[{', '.join(describe_type(one) for one in inner)}]"
    if origin in {list, Sequence}:
        return f"a list, each {describe_type(inner[0])}"
    if origin in {dict, Mapping}:
        return f"keys with {describe_type(inner[1])} each"
    return _WORDS.get(hint, "a node with _target_")
