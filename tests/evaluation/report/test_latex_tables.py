from __future__ import annotations

import re
from dataclasses import replace

from fascnet.evaluation.figures.clip_scores import score_own_calls
from fascnet.evaluation.report.latex_source import MAX_ROWS
from fascnet.evaluation.report.latex_tables import (
    format_agreement_table,
    format_comparison_table,
    format_main_table,
    format_own_call_table,
    format_subgroup_table,
    write_latex_tables,
)

from .latex_check import COMMANDS, check_source


def test_the_main_table_has_every_source_with_value_and_interval(benchmark):
    text = format_main_table(benchmark)
    rows = check_source(text)
    assert set(re.findall(r"\\([a-z]+)", text)) <= COMMANDS | {"usepackage"}
    names = [row[0] for row in rows[1::2]]
    assert names == [r"net\_v2 \& 5\%", "bert (rater)", "carla (rater)", "dora (rater)"]
    f1 = benchmark.results[0].figures["events"]["f1"]
    column = rows[0].index("F1")
    assert rows[1][column] == f"{f1.value:.2f}"
    assert rows[2][column] == rf"{{\scriptsize {f1.ci95[0]:.2f} to {f1.ci95[1]:.2f}}}"
    # A rater gives no score.
    assert rows[3][rows[0].index("AUROC")] == "--"
    assert r"\label{tab:fascnet-main}" in text
    assert "``anna''" in text and "within 15 px of the reference region" in text
    assert "24 clips of 12 subjects" in text and "100 resamples, seed 0" in text


def test_own_calls_stand_in_a_table_of_those_who_make_them(benchmark):
    main = benchmark.results[0]
    calls = [None, True, *([False] * (len(main.outcomes) - 2))]
    outcomes = tuple(replace(o, called=call) for o, call in zip(main.outcomes, calls, strict=True))
    own = score_own_calls(outcomes, benchmark.study.weights)
    figures = {**main.figures, "clips": {**main.figures["clips"], **own}}
    called = replace(main, outcomes=outcomes, figures=figures)
    rows = check_source(format_own_call_table(replace(benchmark, results=(called, *benchmark.results[1:]))))
    assert [row[:3] for row in rows[1::2]] == [[r"net\_v2 \& 5\%", "23", "1"]]
    assert rows[1][4] == f"{own['own_specificity'].value:.2f}"


def test_the_agreement_table_has_every_pair_and_long_ones_come_in_parts(benchmark):
    rows = check_source(format_agreement_table(benchmark))
    assert rows[1][0] == r"anna and net\_v2 \& 5\%" and len(rows[1::2]) == 10
    one = benchmark.results[1]
    many = tuple(replace(one, source=replace(one.source, name=f"r{k}")) for k in range(8))
    pairs = {
        f"{a}_vs_{b}": next(iter(benchmark.agreement.values()))
        for a in ["anna", *(f"r{k}" for k in range(8))]
        for b in (f"r{k}" for k in range(8))
        if a < b
    }
    text = format_agreement_table(replace(benchmark, results=many, agreement=pairs))
    check_source(text)
    assert text.count(r"\begin{table*}") == -(-36 // MAX_ROWS) and text.count(r"\label") == 1
    assert "continued (2 of 2)" in text


def test_the_comparison_table_has_differences_intervals_and_adjusted_p(benchmark):
    text = format_comparison_table(benchmark)
    rows = check_source(text)
    first = benchmark.comparisons[0]
    column = rows[0].index("Event F1")
    assert rows[1][0] == f"minus {first.other}"
    assert rows[1][column] == f"{first.differences['f1'].value:.2f}".replace("-", "$-$")
    assert rows[3][column] == rf"{{\scriptsize $p={first.adjusted['f1'].holm:.3f}$}}"
    assert f"all {first.adjusted['f1'].family} comparisons" in text
    assert format_comparison_table(replace(benchmark, comparisons=())) == ""


def test_the_subgroup_table_marks_groups_that_are_too_small(benchmark):
    text = format_subgroup_table(benchmark)
    rows = check_source(text)
    labels = [row[0] for row in rows[1::2]]
    assert any(label.startswith("muscle: biceps") for label in labels)
    small = [
        group
        for subgroup in benchmark.subgroups
        for group, result in subgroup.groups.items()
        if result.size.warning
    ]
    assert sum(r"\textsuperscript{*}" in label for label in labels) == len(small)
    assert format_subgroup_table(replace(benchmark, subgroups=())) == ""


def test_files_are_written_for_what_there_is(benchmark, tmp_path):
    paths = write_latex_tables(benchmark, tmp_path)
    assert [path.name for path in paths] == ["main.tex", "agreement.tex", "comparisons.tex", "subgroups.tex"]
    bare = replace(benchmark, subgroups=(), comparisons=(), resamples=0)
    assert [path.name for path in write_latex_tables(bare, tmp_path / "b")] == ["main.tex", "agreement.tex"]
    assert "resamples" not in (tmp_path / "b" / "main.tex").read_text()


def test_letters_that_need_another_compiler_are_announced(benchmark):
    main = benchmark.results[0]
    named = replace(main, source=replace(main.source, name="モデル"))
    assert "lualatex" in format_main_table(replace(benchmark, results=(named,)))
    assert "lualatex" not in format_main_table(benchmark)
