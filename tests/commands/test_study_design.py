from __future__ import annotations

import json
from pathlib import Path

import pytest

from fascnet.commands import study_design
from fascnet.commands.config import compose_config
from fascnet.errors import SettingError
from fascnet.evaluation.planning.question import NonInferiorityQuestion, StudyQuestion

from ..evaluation.planning.pilots import write_pilot

VALUES = ["value=0.85", "per_subject=6", "icc=0.2"]
SHORT = ["studies=30", "resamples=60"]


def run(*overrides: str) -> int:
    return study_design.run(compose_config("study-design", [*SHORT, *overrides]))


def test_searches_and_prints_one_row_a_width(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*VALUES, "widths=[0.2,0.3]", "dropout=0.5") == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert "sensitivity: value 0.85, per_subject 6 positive clips, cv 0.5, icc 0.2" in out
    rows = [line.split("│")[1:-1] for line in out.splitlines() if line.startswith("│")]
    assert [row[0].strip() for row in rows] == ["0.2", "0.3"]
    for row in rows:
        expected, recruit, assured, recruit_90 = (int(cell) for cell in row[1:])
        assert assured >= expected and recruit == 2 * expected and recruit_90 == 2 * assured


def test_given_sizes_and_non_inferiority(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    extra = ["subjects=[10,200]", "non_inferiority.margin=0.15", f"output={tmp_path / 'plan'}"]
    assert run(*VALUES, *extra) == 0
    out = capsys.readouterr().out
    assert "no worse by 0.15, shown in 80 % of studies: 200 subjects" in out
    assert "9 of 10" in out and str(tmp_path / "plan" / "study_design.json") in out
    plan = json.loads((tmp_path / "plan" / "study_design.json").read_text())
    assert [row["subjects"] for row in plan["non_inferiority"]["tried"]] == [10, 200]
    assert (tmp_path / "plan" / "widths.csv").is_file() and (tmp_path / "plan" / "powers.csv").is_file()


def test_more_than_searched_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    extra = ["widths=[0.01]", "most_subjects=10", "non_inferiority.margin=0.01"]
    assert run(*VALUES, *extra) == 0
    out = capsys.readouterr().out
    assert "> 10" in out and "more than 10 subjects" in out


def test_a_pilot_is_named_with_what_it_showed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_pilot(tmp_path)
    assert run("figure=recall", f"pilot={tmp_path}", "widths=[0.2]") == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "pilot_source model, pilot_subjects 12" in out
    assert "note: 12 subjects in the pilot" in out


def test_nothing_is_written_without_output(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(*VALUES, "subjects=[10]") == 0
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("overrides", "named"),
    [
        ([], "value: give what you expect"),
        (["value=2", *VALUES[1:]], "value: 2 must lie between 0 and 1"),
        ([*VALUES, "icc=a"], "icc=a must be a number or null"),
        ([*VALUES, "figure=dice"], "figure is 'dice'; choose sensitivity"),
        ([*VALUES, "widths=0.1"], "widths=0.1 must be a list"),
        ([*VALUES, "subjects=[1]"], "subjects: give sizes of 2 or more"),
        ([*VALUES, "studies=1.5"], "studies=1.5 must be a whole number"),
        ([*VALUES, "output=3"], "output=3 was read as a number"),
        ([*VALUES, "non_inferiority.power=true"], "non_inferiority.power=True must be a number"),
        ([*VALUES, "non_inferiority.margin=-1"], "non_inferiority.margin=-1 must be above 0"),
        (["pilot=nowhere"], "nowhere/metrics.json: cannot be read"),
    ],
)
def test_wrong_settings_are_one_line_that_names_the_key(overrides: list[str], named: str) -> None:
    with pytest.raises(SettingError) as found:
        run(*overrides)
    assert str(found.value).startswith("study-design: ") and named in str(found.value)
    assert "\n" not in str(found.value)


def test_every_field_of_the_question_stands_in_the_config() -> None:
    config = compose_config("study-design", VALUES)
    assert set(config) - {"output"} == {*StudyQuestion.__dataclass_fields__}
    assert set(config["non_inferiority"]) == {*NonInferiorityQuestion.__dataclass_fields__}
