from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from fascnet.baselines.difference import DifferencePredictor
from fascnet.commands.baseline_choice import build_baseline
from fascnet.errors import SettingError
from fascnet.evaluation import baseline_tuning
from fascnet.evaluation.baseline_tuning import GRIDS, MATCHING, choose_best, list_trials, run_trials
from fascnet.inference.events import EventFinder
from fascnet.types import Box, ClipSource, Event, Labels

from ..baselines.twitching import TWITCH_S, TwitchingRecording

CLIPS = [ClipSource(name, Path(f"{name}.avi"), name) for name in ("twitching", "quiet", "unlabelled")]
LABELS = {
    "twitching": Labels(
        "twitching", "truth", ((0.0, 2.0),), (Event(*TWITCH_S, region=Box(70.0, 38.0, 90.0, 58.0)),)
    ),
    "quiet": Labels("quiet", "truth", ((0.0, 2.0),), ()),
}


@pytest.fixture
def opened(monkeypatch):
    names = []

    def open_clip(clip):
        names.append(clip.clip_id)
        amplitude = {"twitching": 3.0, "quiet": 0.0}[clip.clip_id]
        return TwitchingRecording(amplitude_px=amplitude, drift_px=0.0, noise_grey=3.0)

    monkeypatch.setattr(baseline_tuning, "open_clip", open_clip)
    return names


def test_chooses_what_finds_the_twitch_alone(opened):
    trials = list_trials(
        DifferencePredictor(min_off_s=0.3),
        {"k_mad": (900.0, 1.0, 5.0), "lag": (1, 2), "min_on_s": (0.067, 9.0)},
    )
    assert len(trials) == 12
    run_trials(trials, CLIPS, LABELS)
    assert opened == ["twitching", "twitching", "quiet", "quiet"], "measured once for each lag"
    best = choose_best(trials)
    assert best.changed["k_mad"] == 5.0 and best.changed["min_on_s"] == 0.067
    figures = best.figures()
    assert figures["f1"] == figures["precision"] == figures["recall"] == figures["clip_auroc"] == 1
    assert figures["false_alarms_per_min"] == 0 and best.sums[3] == pytest.approx(4 / 60)
    blind = trials[0].figures()
    assert blind["recall"] == 0 and np.isnan(blind["precision"])
    jumpy = next(trial for trial in trials if trial.changed["k_mad"] == 1.0).figures()
    assert jumpy["false_alarms_per_min"] > 10


def test_figures_equal_those_of_each_setting_alone(opened):
    trials = list_trials(DifferencePredictor(), {"k_mad": (4.0, 8.0), "offset_share": (0.4, 1.0)})
    run_trials(trials, CLIPS, LABELS)
    for trial in trials:
        found = 0
        for clip in CLIPS[:2]:
            recording = baseline_tuning.open_clip(clip)
            stream = trial.detector.stream(recording)
            rule = trial.detector.event_definition
            finder = EventFinder(rule, stream.fps, stream.shape, stream.box, stream.mm_per_px)
            found += sum(len(finder.push(heatmap)) for chunk in stream.chunks for heatmap in chunk)
            found += len(finder.finish())
        assert trial.sums[0] + trial.sums[1] == found


def test_of_equals_the_first_wins(opened):
    trials = list_trials(DifferencePredictor(), {"k_mad": (900.0, 950.0)})
    run_trials(trials, CLIPS, LABELS)
    assert choose_best(trials) is trials[0]


def test_refuses_what_a_detector_refuses():
    with pytest.raises(SettingError, match="k_mad is 0"):
        list_trials(DifferencePredictor(), {"k_mad": (0.0,)})


@pytest.mark.parametrize("name", GRIDS)
def test_grids_are_of_settings_in_range(name):
    trials = list_trials(build_baseline(name), GRIDS[name])
    assert 1 < len(trials) <= 64
    assert len({tuple(dataclasses.astuple(trial.detector)) for trial in trials}) == len(trials)


def test_matches_as_the_network_is_validated():
    assert (MATCHING.name, MATCHING.mode, MATCHING.max_distance_mm) == ("overlap_6mm", "overlap", 6.0)
