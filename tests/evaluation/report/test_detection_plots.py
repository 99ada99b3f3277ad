from __future__ import annotations

import numpy as np

from fascnet.evaluation.cuts.detection_limit import AMPLITUDE_CUTS_UM, estimate_detection_limit
from fascnet.evaluation.report.canvas import save_plot
from fascnet.evaluation.report.detection_plots import Bounds, NoiseGroup, draw_detection_limit
from fascnet.evaluation.uncertainty.bootstrap import draw_weights

from ..cuts.test_detection_limit import SUBJECTS, make_outcomes
from .figures import list_texts

NO_BOUNDS = Bounds(np.empty(0), {}, np.empty(0), np.empty(0), 2.0)


def make_limit(limit_um):
    amplitudes_um = np.random.default_rng(0).permutation(np.linspace(60, 600, 240))
    outcomes = make_outcomes(amplitudes_um, amplitudes_um >= limit_um)
    return estimate_detection_limit(outcomes, draw_weights(SUBJECTS, 100, 0))


def test_marks_lines_and_bounds_stand_where_they_were_measured(tmp_path):
    every = make_limit(150)
    groups = [
        NoiseGroup("below -35", -40.0, make_limit(120), 0.5),
        NoiseGroup("-35 and more", -25.0, make_limit(250), None),
    ]
    noise_db = np.linspace(-45, -18, 5)
    bounds = Bounds(
        noise_db, {1.0: np.full(5, 0.3), 0.95: np.full(5, 1.0)}, np.array([-40.0]), np.array([0.7]), 2.0
    )
    plot = draw_detection_limit(every, groups, AMPLITUDE_CUTS_UM, bounds)
    above, below = plot.picture.axes
    places = [line.get_xdata()[0] for line in above.lines if line.get_marker() == "o"]
    # A mark in every bin of amplitude that holds a twitch, rising, each inside of its bin; none below 50 µm.
    inside = np.searchsorted(AMPLITUDE_CUTS_UM, places, side="right")
    assert inside.tolist() == list(range(2, 9))
    heights = [line.get_ydata()[0] for line in below.lines if line.get_marker() == "s"]
    assert all(abs(height - 120) < 4 for height in heights) and len(heights) == 2
    assert {"echoes, ρ = 1", "echoes, ρ = 0.95", "all clips, recall 0.9"} <= set(list_texts(plot).split("\n"))
    assert "recall 0.5 from 15" in plot.alt
    assert save_plot(plot, tmp_path).path.stat().st_size > 10_000


def test_without_noise_or_events():
    plot = draw_detection_limit(make_limit(150), [], AMPLITUDE_CUTS_UM, NO_BOUNDS)
    assert len(plot.picture.axes) == 2
    nothing = estimate_detection_limit([], draw_weights(1, 10, 0))
    assert draw_detection_limit(nothing, [], AMPLITUDE_CUTS_UM, NO_BOUNDS) is None


def test_a_limit_that_is_not_reached_is_left_out():
    never = make_limit(10_000)
    plot = draw_detection_limit(never, [NoiseGroup("all", -30.0, never, None)], AMPLITUDE_CUTS_UM, NO_BOUNDS)
    assert not [line for line in plot.picture.axes[1].lines if line.get_marker() == "s"]
    assert "not defined" in plot.alt
