from __future__ import annotations

import numpy as np
from sklearn.metrics import roc_curve

from fascnet.evaluation.figures.calibration import cut_equal_width, tabulate_reliability
from fascnet.evaluation.report.clip_plots import (
    ClipCurve,
    draw_clip_precision_recall,
    draw_reliability,
    draw_roc,
)
from fascnet.evaluation.uncertainty.bootstrap import draw_weights

from .figures import NONE, figure, list_texts

RNG = np.random.default_rng(0)
SCORE = np.round(RNG.random(60), 2)
TRUTH = RNG.random(60) < 0.8 * SCORE


def make_curve(name="net", score=SCORE, truth=TRUTH):
    return ClipCurve(
        name, figure(0.8, 0.6, 0.9), figure(0.7, 0.5, 0.9), figure(0.85), figure(0.8), score, truth
    )


def test_the_line_is_the_roc_of_scikit_learn():
    line = max(draw_roc([make_curve()], 0.5).picture.axes[0].lines, key=lambda line: len(line.get_xdata()))
    false, true, _ = roc_curve(TRUTH, SCORE, drop_intermediate=False)
    assert np.allclose(line.get_xdata(), false) and np.allclose(line.get_ydata(), true)


def test_the_published_raters_stand_in_the_roc_and_are_named():
    plot = draw_roc([make_curve()], 0.5)
    stars = [line for line in plot.picture.axes[0].lines if line.get_marker() == "*"]
    assert np.allclose([stars[0].get_xdata()[0], stars[0].get_ydata()[0]], [0.015, 0.909])
    text = list_texts(plot).replace("\n", " ")
    assert "11 raters, clip: fasciculation or artefact (Vlazak & Kraemer-Best 2014)" in text
    assert "none was measured here" in plot.caption


def test_a_rater_is_a_mark_and_one_class_only_is_no_plot():
    rater = ClipCurve("anna", figure(0.9), figure(1.0), NONE, NONE, np.empty(0), np.empty(0, dtype=bool))
    plot = draw_roc([make_curve(), rater], 0.5)
    assert "anna" in list_texts(plot).splitlines()
    assert draw_clip_precision_recall([rater]) is None
    one_class = ClipCurve("net", figure(0.9), NONE, NONE, figure(1.0), SCORE, np.ones(60, dtype=bool))
    assert draw_roc([one_class], 0.5) is None and draw_clip_precision_recall([one_class]) is None


def test_precision_and_recall_shows_what_chance_gives():
    plot = draw_clip_precision_recall([make_curve()])
    assert f"chance: {TRUTH.mean():.2f} of the 60 clips are positive" in list_texts(plot)


def test_reliability_shows_every_bin_with_clips_and_every_clip_in_the_histogram():
    weights = draw_weights(12, 50, 0)
    rows = tabulate_reliability(SCORE, TRUTH, np.arange(60) % 12, weights, cut_equal_width())
    plot = draw_reliability(rows, SCORE, TRUTH, "net", figure(0.1, 0.05, 0.2), figure(0.08))
    above, below = plot.picture.axes
    assert len(above.containers) == sum(row.mean_score is not None for row in rows)
    assert sum(patch.get_height() for patch in below.patches) == 60
    assert "ECE 0.10 (0.05 to 0.20), 60 clips" in plot.caption
    assert "would show 0.08 by chance" in plot.caption
    assert draw_reliability([], np.empty(0), np.empty(0, dtype=bool), "net", NONE, NONE) is None
