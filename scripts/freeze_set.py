"""Freezes a phantom set: copies its recipe and hashes into the package. For maintainers, once a version.

    python scripts/freeze_set.py SET_FOLDER NAME

The set must be made on the CPU with `frozen=null`; its clips are not copied.
"""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from phantom_recipe import read_recipe

from fascnet.errors import SettingError
from fascnet.phantom.data_set.frozen_set import COLUMNS, RECIPE_KEYS
from fascnet.phantom.data_set.set_folder import TABLE_FILE

_FROZEN = Path(__file__).resolve().parents[1] / "fascnet" / "phantom" / "frozen"


def freeze(folder: Path, name: str) -> None:
    """Write `NAME.json` and `NAME.csv` into the package; refuses to change a set that is already frozen."""
    try:
        recipe = read_recipe(folder, RECIPE_KEYS)
    except SettingError as error:
        sys.exit(f"freeze_set: {error}")
    with (folder / TABLE_FILE).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    if len(rows) != recipe["clips"]:
        sys.exit(f"{folder}: {len(rows)} of {recipe['clips']} clips are done; finish the run first")
    if recipe["device"] != "cpu":
        sys.exit(f"{folder}: was made on {recipe['device']}; a frozen set is made on the CPU")
    target = _FROZEN / f"{name}.json"
    if target.exists():
        sys.exit(f"{target}: exists; a frozen set never changes, choose a new name")
    _FROZEN.mkdir(exist_ok=True)
    with (_FROZEN / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    target.write_text(
        json.dumps({key: recipe[key] for key in RECIPE_KEYS}, indent=1) + "\n", encoding="utf-8"
    )


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    freeze(Path(sys.argv[1]), sys.argv[2])
