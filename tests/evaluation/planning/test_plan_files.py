from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import pytest

from fascnet.errors import OutputError
from fascnet.evaluation.planning.plan import make_plan
from fascnet.evaluation.planning.plan_files import write_plan
from fascnet.evaluation.planning.question import NonInferiorityQuestion, StudyQuestion

QUESTION = StudyQuestion("recall", 0.85, 6.0, 0.5, 0.2, subjects=(10, 20), studies=5, resamples=20)


def test_json_and_tables_say_the_same(tmp_path: Path) -> None:
    plan = make_plan(replace(QUESTION, non_inferiority=NonInferiorityQuestion(margin=0.1)))
    paths = write_plan(plan, tmp_path / "new")
    assert [path.name for path in paths] == ["study_design.json", "widths.csv", "powers.csv"]
    plain = json.loads(paths[0].read_text())
    with paths[1].open() as file:
        rows = list(csv.DictReader(file))
    for row, tried in zip(rows, plain["tried_widths"], strict=True):
        assert row["subjects"] == str(tried["subjects"])
        for name in ("expected_width", "width_90", "closed_form_width", "defined_share"):
            assert float(row[name]) == pytest.approx(tried[name], abs=1e-5)
    with paths[2].open() as file:
        assert [row["subjects"] for row in csv.DictReader(file)] == ["10", "20"]


def test_a_table_without_rows_is_not_written(tmp_path: Path) -> None:
    assert [path.name for path in write_plan(make_plan(QUESTION), tmp_path)] == [
        "study_design.json",
        "widths.csv",
    ]


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="file"):
        write_plan(make_plan(QUESTION), tmp_path / "file")
