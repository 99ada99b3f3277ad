from __future__ import annotations

import krippendorff
import numpy as np
import pytest
from statsmodels.stats.inter_rater import aggregate_raters, fleiss_kappa

from fascnet.evaluation.raters.group_agreement import score_group
from fascnet.evaluation.uncertainty.bootstrap import draw_weights
from fascnet.types import Event, Labels

RATERS = ("anna", "bert", "carl")
WHOLE = ((0.0, 10.0),)


def draw_study(seed: int, n_clips: int = 40):
    """Clips of ten seconds in which each rater marks whole seconds; returns labels and ratings (n, 3)."""
    rng = np.random.default_rng(seed)
    clips, seconds, wholes = {}, [], []
    for number in range(n_clips):
        truth = rng.random(10) < 0.25 * (number % 2)
        marks = np.stack([truth ^ (rng.random(10) < 0.1 * (number % 2)) for _ in RATERS], axis=1)
        clips[f"c{number:02d}"] = {
            rater: Labels(
                f"c{number:02d}",
                rater,
                WHOLE,
                tuple(Event(s + 0.2, s + 0.6) for s in np.flatnonzero(marks[:, k]).tolist()),
            )
            for k, rater in enumerate(RATERS)
        }
        seconds.append(marks)
        wholes.append(marks.any(axis=0))
    return clips, np.concatenate(seconds).astype(int), np.array(wholes).astype(int)


def test_equals_statsmodels_and_krippendorff() -> None:
    clips, seconds, wholes = draw_study(0)
    subjects = {clip_id: number // 4 for number, clip_id in enumerate(clips)}
    found = score_group(clips, RATERS, subjects, frozenset(), draw_weights(10, 100, 0))
    for unit, ratings in (("seconds", seconds), ("clips", wholes)):
        figures = found[unit]
        expected = fleiss_kappa(aggregate_raters(ratings)[0])
        assert figures["fleiss_kappa"].value == pytest.approx(expected, abs=1e-9)
        alpha = krippendorff.alpha(ratings.T, level_of_measurement="nominal")
        assert figures["krippendorff_alpha"].value == pytest.approx(alpha, abs=1e-9)
        assert figures["fleiss_kappa"].n == len(ratings)


def test_clips_of_one_rater_and_ignored_answers_do_not_count() -> None:
    clips, _, _ = draw_study(1, 10)
    weights = draw_weights(1, 10, 0)
    subjects = dict.fromkeys(clips, 0)
    alone = {"x": {"anna": clips["c00"]["anna"]}}
    both = score_group({**clips, **alone}, RATERS, {**subjects, "x": 0}, frozenset(), weights)
    assert both["clips"]["ac1"].n == 10
    unsure = Labels("c00", "anna", WHOLE, (Event(1, 2, certainty="possible"),))
    ignored = score_group(
        {"c00": {**clips["c00"], "anna": unsure}}, RATERS[:2], {"c00": 0}, frozenset({"possible"}), weights
    )
    assert ignored["clips"]["ac1"].n == 0 and ignored["seconds"]["ac1"].n == 9


def test_one_rater_is_no_group() -> None:
    assert score_group({}, ["anna"], {}, frozenset(), draw_weights(1, 10, 0)) == {}
