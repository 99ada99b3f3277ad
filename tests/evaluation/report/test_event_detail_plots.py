from __future__ import annotations

import numpy as np
import pytest

from fascnet.evaluation.report.event_detail_plots import (
    LONGEST_ERROR_S,
    draw_recall_by_amplitude,
    draw_timing,
)

from .figures import NONE, figure, list_texts


def count_bars(plot):
    return [round(patch.get_height()) for patch in plot.picture.axes[0].patches if patch.get_height() > 0]


def test_every_error_is_in_a_bar_also_those_beyond_the_axis():
    errors_s = np.array([-3.0, -0.04, 0.0, 0.01, 0.03, 0.2, 9.0])
    plot = draw_timing(errors_s, figure(0.01, 0.0, 0.03), "net", 1 / 30)
    bars = [p for p in plot.picture.axes[0].patches if p.get_width() == pytest.approx(1000 / 30)]
    assert sum(bar.get_height() for bar in bars) == len(errors_s)
    assert "2 errors beyond the axis" in plot.caption
    left, right = plot.picture.axes[0].get_xlim()
    assert left > -1300 * LONGEST_ERROR_S and right < 1300 * LONGEST_ERROR_S
    assert "median onset error +10 ms" in plot.alt and "57 % of 7 within 167 ms" in plot.alt


def test_bars_are_frames_centred_on_none():
    plot = draw_timing(np.array([0.0, 0.034, -0.03]), figure(0.0), "net", 1 / 30)
    lefts = [p.get_x() for p in plot.picture.axes[0].patches if p.get_width() == pytest.approx(1000 / 30)]
    assert any(left == pytest.approx(-500 / 30) for left in lefts)
    assert "±1 frame" in list_texts(plot)
    assert "±1 frame" not in list_texts(draw_timing(np.array([0.0, 0.3]), figure(0.1), "net", None))


def test_no_match_no_plot():
    assert draw_timing(np.empty(0), NONE, "net", None) is None


def test_recall_by_size_leaves_out_empty_bins_and_undefined_recalls():
    recalls = {
        "net": {"below 0.15": figure(0.1, 0.0, 0.3, n=9), "0.15 and more": figure(0.9, n=4), "unknown": NONE},
        "anna": {"below 0.15": NONE, "0.15 and more": figure(1.0, n=4), "unknown": NONE},
    }
    plot = draw_recall_by_amplitude(recalls)
    texts = list_texts(plot)
    assert "below 0.15\n9 events" in texts and "unknown" not in texts
    assert len(plot.picture.axes[0].containers) == 3
    assert "net: below 0.15 0.10 (0.00 to 0.30)" in plot.alt


def test_no_size_no_plot():
    assert draw_recall_by_amplitude({}) is None
    only_unknown = {"below 0.15": NONE, "unknown": figure(0.5)}
    assert draw_recall_by_amplitude({"net": only_unknown}) is None
