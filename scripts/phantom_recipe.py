"""The recipe of a phantom folder, read and refused in one way."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from fascnet.errors import SettingError
from fascnet.phantom.generate import RECIPE_FILE


def read_recipe(folder: Path, keys: Iterable[str]) -> dict[str, Any]:
    """Read what a phantom folder was drawn from.

    Args:
        folder: as `fascnet phantom` writes it.
        keys: what has to be in it.

    Raises:
        SettingError: it is not there, or no such recipe.
    """
    path = folder / RECIPE_FILE
    try:
        recipe = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SettingError(f"{path}: {error}; give a folder that fascnet phantom has written") from error
    missing = set(keys) - set(recipe if isinstance(recipe, dict) else ())
    if missing:
        raise SettingError(f"{path}: holds no {', '.join(sorted(missing))}; give a folder of fascnet phantom")
    return dict(recipe)
