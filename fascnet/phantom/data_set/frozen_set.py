"""Frozen, versioned sets: recipe and hash of every clip are in the package, the clips are made anywhere.

A set is made on the CPU from its seed. On the same kind of processor the frames are the same bit for bit;
where an instruction set rounds differently, single greys may differ by one, which the means of a clip show to
be harmless.
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from fascnet.errors import SettingError
from fascnet.phantom.data_set.frame_digest import GREY_TOLERANCE, MEANS
from fascnet.phantom.data_set.label_digest import LABEL_TOLERANCE, SUMS

Rows = Mapping[str, Mapping[str, str]]

COLUMNS = ("clip_id", "frames", *MEANS, "frames_sha256", "n_twitches", "confounders", *SUMS, "labels_sha256")
"""Cells of a frozen clip; the same names stand in `clips.csv` of a set."""

RECIPE_KEYS = ("generator_version", "clips", "seed", "device", "split_fractions", "settings")


@dataclass(frozen=True, slots=True)
class FrozenComparison:
    """How a set that was made compares with the frozen one: clip_ids.

    Attributes:
        identical: frames and labels equal bit for bit.
        rounded: equal but for rounding on this hardware.
        different: other frames or labels; results on this set are not comparable.
        missing: clips of the frozen set that were not made.
    """

    identical: tuple[str, ...]
    rounded: tuple[str, ...]
    different: tuple[str, ...]
    missing: tuple[str, ...]

    @property
    def is_sound(self) -> bool:
        """Whether results on this set may be called results on the frozen one."""
        return not self.different and not self.missing


def list_frozen() -> list[str]:
    """Return the names of the frozen sets in the package."""
    folder = files("fascnet.phantom") / "frozen"
    if not folder.is_dir():
        return []
    return sorted(
        entry.name.removesuffix(".json") for entry in folder.iterdir() if entry.name.endswith(".json")
    )


def check_recipe(name: str, recipe: Mapping[str, Any]) -> None:
    """Check that a recipe is the frozen one.

    Args:
        name: of the frozen set.
        recipe: as `generate_phantom` writes it to `phantom.json`.

    Raises:
        SettingError: there is no such set, or something of the recipe was changed.
    """
    wanted = json.loads(_read(name, "json"))
    changed = sorted(_find_changes({key: recipe.get(key) for key in RECIPE_KEYS}, wanted))
    if changed:
        raise SettingError(
            f"frozen={name}: {', '.join(changed)} differ from the frozen set; leave them as they are, or set "
            "frozen=null for a set of your own"
        )


def compare_frozen(name: str, rows: Rows) -> FrozenComparison:
    """Compare the rows of a set's `clips.csv` with the frozen ones."""
    frozen = {row["clip_id"]: row for row in csv.DictReader(_read(name, "csv").splitlines())}
    groups: dict[str, list[str]] = {"identical": [], "rounded": [], "different": [], "missing": []}
    for clip_id, wanted in frozen.items():
        groups[_compare_clip(rows.get(clip_id), wanted)].append(clip_id)
    return FrozenComparison(**{group: tuple(clips) for group, clips in groups.items()})


def _compare_clip(found: Mapping[str, str] | None, wanted: Mapping[str, str]) -> str:
    if found is None:
        return "missing"
    if (
        found["frames_sha256"] == wanted["frames_sha256"]
        and found["labels_sha256"] == wanted["labels_sha256"]
    ):
        return "identical"
    is_near = (
        all(found[name] == wanted[name] for name in ("frames", "n_twitches", "confounders"))
        and all(abs(float(found[mean]) - float(wanted[mean])) <= GREY_TOLERANCE for mean in MEANS)
        and all(math.isclose(float(found[s]), float(wanted[s]), rel_tol=LABEL_TOLERANCE) for s in SUMS)
    )
    return "rounded" if is_near else "different"


def _find_changes(found: object, wanted: object, prefix: str = "") -> set[str]:
    """Name the keys in which two trees differ."""
    if isinstance(found, Mapping) and isinstance(wanted, Mapping):
        names = set(found) | set(wanted)
        return set().union(
            *(
                _find_changes(found.get(n), wanted.get(n), f"{prefix}.{n}" if prefix else str(n))
                for n in names
            )
        )
    return set() if found == wanted else {prefix}


def _read(name: str, suffix: str) -> str:
    names = list_frozen()
    if name not in names:
        raise SettingError(f"frozen={name}: there is no such set; choose {' or '.join(['null', *names])}")
    return (files("fascnet.phantom") / "frozen" / f"{name}.{suffix}").read_text(encoding="utf-8")
