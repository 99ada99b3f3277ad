from __future__ import annotations

import numpy as np

from fascnet.evaluation.figures.rates import measure_limits
from fascnet.evaluation.report.count_plots import draw_counts, draw_differences

from .figures import NONE, figure, list_texts

REFERENCE, FOUND = np.array([0.0, 0, 0, 3, 5, 2]), np.array([0.0, 0, 1, 3, 4, 2])
BOOTSTRAP = {"bias": figure(0.0, -0.5, 0.5), "loa_low": figure(-1.5, -2, -1), "loa_high": figure(1.5, 1, 2)}


def test_limits_come_from_the_bootstrap_where_clips_share_subjects():
    plot = draw_differences(REFERENCE, FOUND, BOOTSTRAP, "net", independent=False)
    assert "upper limit +1.50 (+1.00 to +2.00)" in list_texts(plot)
    assert "by resampling subjects" in plot.caption


def test_limits_are_exact_with_a_clip_a_subject():
    plot = draw_differences(REFERENCE, FOUND, BOOTSTRAP, "net", independent=True)
    limits = measure_limits(REFERENCE, FOUND)
    assert f"upper limit {limits.high:+.2f} ({limits.high_ci[0]:+.2f} to" in list_texts(plot)
    assert "Carkeet 2015" in plot.caption


def test_places_with_several_clips_are_one_dot_that_tells_how_many():
    plot = draw_counts(REFERENCE, FOUND, figure(0.9), figure(0.8), "net")
    dots = plot.picture.axes[0].collections[0]
    assert len(dots.get_offsets()) == 5
    assert "2" in [text.get_text() for text in plot.picture.axes[0].texts]
    assert dots.get_sizes().max() > 4 * dots.get_sizes().min()


def test_too_few_clips_give_no_plot_and_equal_counts_no_error():
    assert draw_differences(REFERENCE[:1], FOUND[:1], BOOTSTRAP, "net", independent=True) is None
    assert draw_counts(np.empty(0), np.empty(0), NONE, NONE, "net") is None
    same = np.zeros(4)
    assert draw_differences(same, same, BOOTSTRAP, "net", independent=True) is not None
    assert "ICC(2,1) not defined" in draw_counts(same, same, NONE, NONE, "net").caption
