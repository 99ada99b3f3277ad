from __future__ import annotations

import pytest

from fascnet.evaluation.report.latex_source import MAX_ROWS, escape, format_table, quote, write_cell

from .latex_check import check_source


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("a_b & 5% #1 $x$", r"a\_b \& 5\% \#1 \$x\$"),
        ("{x}~^\\", r"\{x\}\textasciitilde{}\textasciicircum{}\textbackslash{}"),
        ("[0, 1]", "{[}0, 1{]}"),
        ("≥ 0.3 ± 1", r"$\geq$ 0.3 $\pm$ 1"),
        ("Müller\nb", "Müller b"),
        ('say "x"', "say ''x''"),
    ],
)
def test_names_are_printed_as_they_are(name, source):
    assert escape(name) == source


def test_a_cell_has_its_interval_and_p_below_it():
    assert write_cell(None, None) == ("--",)
    assert write_cell(-0.001, None) == ("0.00",)
    assert write_cell(-0.5, (-0.71, 0.2)) == ("$-$0.50", r"{\scriptsize $-$0.71 to 0.20}")
    assert write_cell(0.5, (0.1, 0.9), 0.0004)[2] == r"{\scriptsize $p<0.001$}"
    assert write_cell(0.5, (0.1, 0.9), 0.04)[2] == r"{\scriptsize $p=0.040$}"


def test_rows_are_as_deep_as_their_deepest_cell():
    rows = check_source(
        format_table("t", "c", ["a", "n", "b", "c"], [("x", ["3"], [("1", "2", "3"), ("4",)])])
    )
    assert rows == [["a", "n", "b", "c"], ["x", "3", "1", "4"], ["", "", "2", ""], ["", "", "3", ""]]


def test_a_long_table_comes_in_parts_with_one_label_and_an_empty_one_not_at_all():
    rows = [(f"r{k}", [], [("1",)]) for k in range(2 * MAX_ROWS + 1)]
    text = format_table("t", "c", ["a", "b"], rows)
    assert len(check_source(text)) == len(rows) + 3
    assert text.count(r"\label{tab:fascnet-t}") == 1 and "continued (3 of 3)" in text
    assert format_table("t", "c", ["a"], []) == ""


def test_the_check_itself_finds_faults():
    good = format_table("t", "c", ["a", "b"], [("x", [], [("1",)])])
    for fault in (
        good.replace("x & 1", "x & 1 & 2"),
        good.replace("\\end{table*}", ""),
        good + "{",
        good + "_",
    ):
        with pytest.raises(AssertionError):
            check_source(fault)
    assert quote("a_b") == r"``a\_b''"
