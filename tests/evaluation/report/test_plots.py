from __future__ import annotations

from dataclasses import replace

from PIL import Image

from fascnet.evaluation.report.plots import draw_plots, pick_pairs

from .figures import figure

ALL = {
    "froc",
    "event_precision_recall",
    "timing",
    "roc",
    "clip_precision_recall",
    "reliability",
    "bland_altman",
    "counts",
    "count_agreement",
    "agreement",
    "event_kappa",
    "interchangeability_f1",
    "subgroups",
    "recall_by_amplitude",
    "false_alarms_by_confounder",
}


def test_every_plot_is_drawn_with_a_caption_and_words_for_those_who_cannot_see_it(benchmark, tmp_path):
    plots = draw_plots(benchmark, tmp_path)
    assert {plot.name for plot in plots} == ALL and len(plots) == len(ALL)
    for plot in plots:
        assert plot.path == tmp_path / f"{plot.name}.png"
        assert plot.caption.endswith(".") and plot.alt, plot.name
        with Image.open(plot.path) as image:
            assert image.width == 832 and "Software" not in image.info
    again = draw_plots(benchmark, tmp_path / "again")
    assert [plot.path.read_bytes() for plot in plots] == [plot.path.read_bytes() for plot in again]


def test_without_data_nothing_is_drawn_and_nothing_fails(benchmark, tmp_path):
    empty = tuple(
        replace(
            result,
            outcomes=(),
            reliability=(),
            figures={
                section: {name: figure(None) for name in figures}
                for section, figures in result.figures.items()
            },
        )
        for result in benchmark.results
    )
    bare = replace(
        benchmark,
        results=empty,
        agreement={},
        interchangeability=None,
        subgroups=(),
        by_amplitude={},
        by_confounder={},
    )
    assert draw_plots(bare, tmp_path) == []


def test_pairs_are_found_in_either_order():
    agreement = {"b_vs_a": {"event_kappa": figure(0.1)}, "a_vs_c": {"event_kappa": figure(0.2)}}
    pairs = pick_pairs(["a", "b", "c"], agreement, "event_kappa")
    assert {pair: found.value for pair, found in pairs.items()} == {("a", "b"): 0.1, ("a", "c"): 0.2}
    assert pick_pairs(["a", "b"], agreement, "f1") == {}
