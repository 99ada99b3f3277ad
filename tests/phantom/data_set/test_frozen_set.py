from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from fascnet.errors import SettingError
from fascnet.phantom.data_set import frozen_set
from fascnet.phantom.data_set.frame_digest import GREY_TOLERANCE, MEANS
from fascnet.phantom.data_set.frozen_set import (
    COLUMNS,
    RECIPE_KEYS,
    check_recipe,
    compare_frozen,
    list_frozen,
)

RECIPE = {
    "generator_version": 2,
    "clips": 3,
    "seed": 1,
    "device": "cpu",
    "split_fractions": {"test": 1.0},
    "settings": {"duration_s": [1.0, 1.0], "scan": {"fps": [20.0, 20.0], "persistence": [0.0, 0.4]}},
}


def make_row(clip_id: str, **changes: str) -> dict[str, str]:
    row = {name: f"{clip_id}-{name}" for name in COLUMNS}
    row |= {"clip_id": clip_id, "frames": "20", "n_twitches": "2", "confounders": "freeze"}
    row |= dict.fromkeys(MEANS, "50.000") | {"events_s": "8.000", "regions_px": "2000.0"}
    return {**row, **changes}


FROZEN = [make_row(clip_id) for clip_id in ("a", "b", "c")]


@pytest.fixture(autouse=True)
def frozen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package with one frozen set, `tiny-1`."""
    folder = tmp_path / "frozen"
    folder.mkdir()
    (folder / "tiny-1.json").write_text(json.dumps(RECIPE), encoding="utf-8")
    with (folder / "tiny-1.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(FROZEN)
    monkeypatch.setattr(frozen_set, "files", lambda package: tmp_path)
    return folder


def index(rows: list[dict[str, str]]) -> dict[str, dict[str, str]]:
    return {row["clip_id"]: row for row in rows}


def test_lists_the_sets(frozen: Path) -> None:
    (frozen / "other-2.json").write_text("{}", encoding="utf-8")
    assert list_frozen() == ["other-2", "tiny-1"]


def test_a_package_without_any_has_none(frozen: Path) -> None:
    for file in frozen.iterdir():
        file.unlink()
    frozen.rmdir()
    assert list_frozen() == []
    with pytest.raises(SettingError, match="frozen=tiny-1: there is no such set"):
        check_recipe("tiny-1", RECIPE)


def test_its_own_recipe_is_accepted_whatever_does_not_change_the_clips() -> None:
    check_recipe("tiny-1", {**RECIPE, "codec": "h264_lossless", "displacement": True})


def test_an_unknown_set_is_refused_with_those_there_are() -> None:
    for call in (lambda: check_recipe("tiny-2", RECIPE), lambda: compare_frozen("tiny-2", {})):
        with pytest.raises(SettingError, match=r"frozen=tiny-2: there is no such set; .*tiny-1"):
            call()


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda r: r.update(seed=2), "seed"),
        (lambda r: r.update(clips=4), "clips"),
        (lambda r: r.update(device="cuda"), "device"),
        (lambda r: r.update(generator_version=3), "generator_version"),
        (
            lambda r: r["split_fractions"].update(test=0.5, train=0.5),
            "split_fractions.test, split_fractions.train",
        ),
        (lambda r: r["settings"].update(duration_s=[1.0, 2.0]), "settings.duration_s"),
        (lambda r: r["settings"]["scan"].update(fps=[20.0, 25.0]), "settings.scan.fps"),
        (lambda r: r["settings"]["scan"].pop("persistence"), "settings.scan.persistence"),
        (lambda r: r["settings"]["scan"].update(gain_db=[0.0, 1.0]), "settings.scan.gain_db"),
        (lambda r: r["settings"].update(seed=1) or r.update(seed=9), "seed, settings.seed"),
    ],
)
def test_a_changed_recipe_is_refused_by_its_keys(change: Callable[[dict], object], named: str) -> None:
    recipe = json.loads(json.dumps(RECIPE))
    change(recipe)
    with pytest.raises(SettingError, match=rf"^frozen=tiny-1: {named} differ from the frozen set;"):
        check_recipe("tiny-1", recipe)


def test_the_same_rows_are_identical() -> None:
    found = compare_frozen("tiny-1", index([*FROZEN, make_row("one more")]))
    assert found.identical == ("a", "b", "c")
    assert found.is_sound


def test_identical_rounded_different_and_missing_are_told_apart() -> None:
    rounded = make_row("a", frames_sha256="new", labels_sha256="new", grey_mean="50.040")
    different = make_row("b", frames_sha256="new", grey_sd="50.060")
    found = compare_frozen("tiny-1", index([rounded, different]))
    assert (found.identical, found.rounded) == ((), ("a",))
    assert (found.different, found.missing) == (("b",), ("c",))
    assert not found.is_sound


@pytest.mark.parametrize("mean", MEANS)
@pytest.mark.parametrize("sign", [-1, 1])
def test_each_mean_has_its_tolerance(mean: str, sign: int) -> None:
    for size, group in ((0.8 * GREY_TOLERANCE, "rounded"), (1.2 * GREY_TOLERANCE, "different")):
        row = make_row("a", frames_sha256="new", **{mean: f"{50 + sign * size:.3f}"})
        found = compare_frozen("tiny-1", index([row, *FROZEN[1:]]))
        assert getattr(found, group) == ("a",)


@pytest.mark.parametrize(
    "change",
    [
        {"frames": "21"},
        {"n_twitches": "3"},
        {"confounders": "freeze+breathing"},
        {"events_s": "8.200"},
        {"regions_px": "2050.0"},
    ],
)
@pytest.mark.parametrize("changed_hash", ["frames_sha256", "labels_sha256"])
def test_what_rounding_cannot_explain_is_different(change: dict[str, str], changed_hash: str) -> None:
    row = make_row("a", **change, **{changed_hash: "new"})
    found = compare_frozen("tiny-1", index([row, *FROZEN[1:]]))
    assert found.different == ("a",)
    assert not found.is_sound


def test_a_missing_clip_alone_is_not_sound() -> None:
    assert not compare_frozen("tiny-1", index(FROZEN[:2])).is_sound


def test_rounded_alone_is_sound() -> None:
    for changes in (
        {"frames_sha256": "new"},
        {"labels_sha256": "new", "events_s": "8.001", "regions_px": "2003"},
    ):
        found = compare_frozen("tiny-1", index([make_row("a", **changes), *FROZEN[1:]]))
        assert found.rounded == ("a",) and found.is_sound


def test_a_recipe_holds_what_makes_the_clips() -> None:
    assert set(RECIPE_KEYS) == set(RECIPE)
