from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from fascnet.data.whole_file import write_whole
from fascnet.errors import OutputError
from fascnet.phantom.data_set.set_folder import TABLE_FILE, SetFolder

RECIPE = {"seed": 3, "clips": 2, "settings": {"fps": [25.0, 30.0]}}
ORDER = {"s000_c0000": 0, "s001_c0001": 1, "s000_c0002": 2}
PATTERNS = ("clips/s*_c*.avi", "labels/s*_c*.json", "manifest.csv")


def open_set(output: Path, recipe: dict[str, object] = RECIPE, overwrite: bool = False) -> SetFolder:
    folder = SetFolder(output, "recipe.json", PATTERNS)
    folder.prepare(recipe, overwrite)
    return folder


def write(path: Path, text: str = "x") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def list_files(output: Path) -> set[str]:
    return {path.relative_to(output).as_posix() for path in output.rglob("*") if path.is_file()}


def make_row(clip_id: str, what: str = "quiet") -> dict[str, str]:
    return {"clip_id": clip_id, "what": what}


def test_a_new_folder_gets_its_recipe(tmp_path: Path) -> None:
    folder = open_set(tmp_path / "deep" / "set")
    tree = json.loads((tmp_path / "deep" / "set" / "recipe.json").read_text(encoding="utf-8"))
    assert tree.pop("made_by").startswith("fascnet ")
    assert tree == RECIPE
    assert folder.rows == {}


def test_the_same_set_goes_on_with_its_rows(tmp_path: Path) -> None:
    open_set(tmp_path).add(make_row("s000_c0000", "a, b\n'c'"), ORDER)
    assert open_set(tmp_path).rows == {"s000_c0000": make_row("s000_c0000", "a, b\n'c'")}


def test_the_table_is_in_the_plan_s_order_however_clips_end(tmp_path: Path) -> None:
    first, second = open_set(tmp_path / "first"), open_set(tmp_path / "second")
    for clip_id in ORDER:
        first.add(make_row(clip_id), ORDER)
    for clip_id in reversed(ORDER):
        second.add(make_row(clip_id), ORDER)
    tables = [(tmp_path / name / TABLE_FILE).read_bytes() for name in ("first", "second")]
    assert tables[0] == tables[1]
    assert [row["clip_id"] for row in csv.DictReader(tables[0].decode().splitlines())] == list(ORDER)


def test_a_clip_made_again_has_one_row(tmp_path: Path) -> None:
    folder = open_set(tmp_path)
    folder.add(make_row("s000_c0000", "old"), ORDER)
    folder.add(make_row("s000_c0000", "new"), ORDER)
    assert open_set(tmp_path).rows == {"s000_c0000": make_row("s000_c0000", "new")}


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"seed": 4}, "another seed;"),
        ({"settings": {"fps": [25.0, 31.0]}}, "another settings;"),
        ({"seed": 4, "clips": 5}, "another seed and clips;"),
    ],
)
def test_another_recipe_is_refused_by_its_keys(tmp_path: Path, change: dict[str, object], named: str) -> None:
    open_set(tmp_path).add(make_row("s000_c0000"), ORDER)
    before = {path: (tmp_path / path).read_bytes() for path in list_files(tmp_path)}
    with pytest.raises(OutputError, match=f"{named} choose another output or set overwrite=true"):
        open_set(tmp_path, {**RECIPE, **change})
    assert {path: (tmp_path / path).read_bytes() for path in list_files(tmp_path)} == before


def test_overwrite_removes_what_a_run_writes_and_nothing_else(tmp_path: Path) -> None:
    open_set(tmp_path).add(make_row("s000_c0000"), ORDER)
    own = ["clips/s000_c0000.avi", "labels/s000_c0000.truth.json", "manifest.csv"]
    others = [
        "notes.txt",
        "clips/mine.avi",
        "clips/s000_c0000.txt",
        "labels/anna.json",
        "clips/deeper/s000_c0000.avi",
        "manifest.csv.bak",
    ]
    for name in [*own, *others]:
        write(tmp_path / name)
    folder = open_set(tmp_path, {**RECIPE, "seed": 4}, overwrite=True)
    assert folder.rows == {}
    assert list_files(tmp_path) == {*others, "recipe.json"}
    assert json.loads((tmp_path / "recipe.json").read_text(encoding="utf-8"))["seed"] == 4


def test_overwrite_of_the_same_set_keeps_it(tmp_path: Path) -> None:
    open_set(tmp_path).add(make_row("s000_c0000"), ORDER)
    write(tmp_path / "clips" / "s000_c0000.avi")
    assert list(open_set(tmp_path, overwrite=True).rows) == ["s000_c0000"]
    assert (tmp_path / "clips" / "s000_c0000.avi").is_file()


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_folder_with_something_else_is_never_touched(tmp_path: Path, overwrite: bool) -> None:
    write(tmp_path / "thesis.tex")
    with pytest.raises(OutputError, match="not empty"):
        open_set(tmp_path, overwrite=overwrite)
    with pytest.raises(OutputError, match="is a file"):
        open_set(tmp_path / "thesis.tex", overwrite=overwrite)
    assert list_files(tmp_path) == {"thesis.tex"}


def test_somebody_else_s_recipe_is_no_set_of_ours(tmp_path: Path) -> None:
    """The same keys, not written by us."""
    write(tmp_path / "recipe.json", json.dumps(RECIPE))
    with pytest.raises(OutputError, match="choose another output"):
        open_set(tmp_path)


@pytest.mark.parametrize("text", ["", "{", "[1, 2]", "\x00"])
def test_a_damaged_recipe_is_told(tmp_path: Path, text: str) -> None:
    write(tmp_path / "recipe.json", text)
    with pytest.raises(OutputError, match="choose another output"):
        open_set(tmp_path)
    assert list_files(tmp_path) == {"recipe.json"}


def test_a_damaged_table_is_told_with_its_remedy(tmp_path: Path) -> None:
    open_set(tmp_path).add(make_row("s000_c0000"), ORDER)
    write(tmp_path / TABLE_FILE, "name,what\na,b\n")
    with pytest.raises(OutputError, match=f"{TABLE_FILE}: .*remove it"):
        open_set(tmp_path)
    (tmp_path / TABLE_FILE).unlink()
    assert open_set(tmp_path).rows == {}


def test_what_a_killed_run_left_half_written_is_swept_away(tmp_path: Path) -> None:
    open_set(tmp_path).add(make_row("s000_c0000"), ORDER)
    whole = list_files(tmp_path)
    for name in ("clips/s001_c0001.avi", "labels/s001_c0001.truth.json", TABLE_FILE, "recipe.json"):
        with pytest.raises(ZeroDivisionError), write_whole(tmp_path / name) as part:
            raise ZeroDivisionError
        # As a killed process leaves it.
        write(part)
    other = write(tmp_path / "clips" / ".mine.part")
    open_set(tmp_path)
    assert list_files(tmp_path) - {other.relative_to(tmp_path).as_posix()} == whole
    assert other.is_file()


def test_a_run_killed_before_its_recipe_can_begin_again(tmp_path: Path) -> None:
    write(tmp_path / ".recipe.json.123.part")
    assert open_set(tmp_path).rows == {}
