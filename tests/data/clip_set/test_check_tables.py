from __future__ import annotations

import csv
import json
from pathlib import Path

from fascnet.data.clip_set.check_tables import CHECK_FORMAT, CLIP_COLUMNS, PROBLEM_COLUMNS, write_check

from .reviewed import review_set


def test_a_row_a_clip_and_a_row_a_problem(tmp_path: Path) -> None:
    review = review_set(tmp_path / "set")
    paths = write_check(review, tmp_path / "out")
    assert [path.name for path in paths] == ["check.json", "clips.csv", "problems.csv"]
    tree = json.loads(paths[0].read_text())
    clips, problems = (list(csv.DictReader(path.open(encoding="utf-8"))) for path in paths[1:])

    assert list(clips[0]) == list(CLIP_COLUMNS) and list(problems[0]) == list(PROBLEM_COLUMNS)
    assert [row["clip_id"] for row in clips] == ["a", "b", "c", "d"]
    first, _, unreadable, unscaled = clips
    assert (first["status"], first["n_frames"], first["raters"]) == ("ok", "45", "anna bert")
    assert (first["fasciculations"], first["confounders"], first["errors"]) == ("1", "1", "1")
    assert [float(first[f"box_{k}"]) for k in ("x0", "y0", "x1", "y1")] == list(review.facts["a"].box)
    assert (first["mm_per_px_from"], first["scale_confidence"]) == ("manifest", "1.0")
    assert first["area_from"] == review.facts["a"].area_from != ""
    assert unreadable["area_from"] == unreadable["area_confidence"] == unreadable["scale_confidence"] == ""
    assert unreadable["status"] == "failed" and unreadable["fps"] == unreadable["width_px"] == ""
    assert unscaled["mm_per_px"] == "" and unscaled["warnings"] == "1"

    kinds = [row["kind"] for row in problems]
    assert sorted(kinds) == sorted(["unreadable", "copy_across", "no_labels", "no_scale"])
    assert tree["format"] == CHECK_FORMAT and (tree["errors"], tree["warnings"], tree["notes"]) == (2, 2, 0)
    assert {kind: n for kind, n in tree["kinds"].items() if n} == dict.fromkeys(kinds, 1)
    assert [problem["what"] for problem in tree["problems"]] == [row["what"] for row in problems]
    assert (tree["clips"], tree["subjects"], tree["readable"], tree["minutes"]) == (4, 4, 3, 0.075)
    assert {row["rater"] for row in tree["balance"]} == {"anna", "bert", ""}


def test_no_folder_of_the_machine_is_written(tmp_path: Path) -> None:
    for path in write_check(review_set(tmp_path / "set"), tmp_path / "out"):
        assert f"{tmp_path}" not in path.read_text(encoding="utf-8")
