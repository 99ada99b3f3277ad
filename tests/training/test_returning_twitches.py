from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fascnet.data.training_input.working_clip import WorkingClip
from fascnet.training.heatmap_spool import HeatmapSpool
from fascnet.training.returning_twitches import RETURN_THRESHOLD, add_returning, fit_prior
from fascnet.training.validation import find_events
from fascnet.types import EventDefinition
from tests.data.tiny import make_frames, make_labels, make_working_clip

SCORED = EventDefinition(
    0.3,
    0.18,
    min_on_s=0.067,
    min_off_s=0.034,
    min_cells=4,
    min_score=0.5,
    score_intercept=-9.0,
    score_unrest=-1.5,
)


def test_finds_the_prior_that_made_the_data() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, 4000)
    is_true = rng.random(4000) < 1 / (1 + np.exp(-(logits + 0.8)))
    assert fit_prior(logits, is_true) == pytest.approx(0.8, abs=0.1)


def test_few_that_are_all_true_make_no_certain_prior() -> None:
    assert 0.0 < fit_prior(np.zeros(3), np.ones(3, bool)) < 3.0


def make_study(folder: Path, spool: HeatmapSpool, weak_true: bool, n_clips: int = 11) -> list[WorkingClip]:
    """Each clip twitches surely at 0.6 s, and again at 2 s. Weak flashes stand at the same place: one at 2 s
    and a weaker one when nothing twitches, or only one when nothing does."""
    clips = []
    for k in range(n_clips):
        labels = make_labels(f"c{k}", 240, range(18, 27))
        sure = labels.events[0]
        again = replace(sure, onset_s=2.0, offset_s=2.3, peak_s=2.1)
        labels = replace(labels, events=(sure, again))
        clip = make_working_clip(folder, make_frames(240, 0, None), labels, name=f"c{k}")
        clip = replace(clip, source=replace(clip.source, subject_id=f"s{k}"))
        heatmaps = np.zeros((240, 16, 16), np.float32)
        heatmaps[18:27, 8:12, 4:8] = 0.9
        heatmaps[60:66, 8:12, 4:8] = 0.25 if weak_true else 0.0
        heatmaps[95:98, 8:12, 4:8] = 0.11 if weak_true else 0.25
        spool.begin((16, 16))
        spool.append(heatmaps)
        clips.append(clip)
    return clips


def test_weak_twitches_return_where_most_of_them_are_true(tmp_path: Path) -> None:
    stronger = replace(SCORED, score_strength=2.0, score_intercept=-6.5)
    with HeatmapSpool() as spool:
        clips = make_study(tmp_path, spool, weak_true=True)
        chosen = add_returning(spool, clips, stronger)
        onsets_s = [event.onset_s for event in find_events(spool, 0, clips[0], chosen)]
    assert chosen == replace(
        stronger, return_threshold=RETURN_THRESHOLD, score_return=pytest.approx(chosen.score_return)
    )
    assert onsets_s == pytest.approx([0.6, 2.0])


def test_where_they_are_false_nothing_returns(tmp_path: Path) -> None:
    with HeatmapSpool() as spool:
        clips = make_study(tmp_path, spool, weak_true=False)
        assert add_returning(spool, clips, SCORED) == SCORED


def test_too_few_decide_nothing(tmp_path: Path) -> None:
    stronger = replace(SCORED, score_strength=2.0, score_intercept=-6.5)
    with HeatmapSpool() as spool:
        clips = make_study(tmp_path, spool, weak_true=True, n_clips=5)
        assert add_returning(spool, clips, stronger) == stronger
