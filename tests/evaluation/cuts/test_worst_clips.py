from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from fascnet.errors import SettingError
from fascnet.evaluation.cuts.worst_clips import measure_cost, rank_worst_clips
from fascnet.types import Event

from ..outcomes import draw_outcomes, make_outcome


def test_a_worked_example():
    truth = [Event(1, 1.3), Event(3, 3.3)]
    clips = [
        make_outcome("sure", 0, [], [Event(1, 1.3, score=0.9), Event(5, 5.3, score=0.95)]),
        make_outcome("blind", 1, truth, []),
        make_outcome("perfect", 2, truth, truth),
        make_outcome("shy", 3, [], [Event(5, 5.3, score=0.3), Event(1, 1.3, score=0.4)]),
        make_outcome("rater", 4, truth, [Event(8, 8.3)]),
    ]
    worst = rank_worst_clips(clips)
    assert [(clip.clip_id, clip.cost) for clip in worst] == [
        ("rater", 3.0),
        ("blind", 2.0),
        ("sure", pytest.approx(1.85)),
        ("shy", pytest.approx(0.7)),
    ], "a clip without an error is not listed"
    assert worst[3].false_alarms == ((1, 1.3, 0.4), (5, 5.3, 0.3)), "most confident first"
    assert worst[1].missed == ((1, 1.3), (3, 3.3)) and worst[1].truth is True and worst[3].truth is False


def test_equal_costs_go_by_errors_then_by_name():
    half = [Event(1, 1.3, score=0.5), Event(3, 3.3, score=0.5)]
    clips = [
        make_outcome("b", 0, [Event(1, 1.3)], []),
        make_outcome("a", 0, [Event(1, 1.3)], []),
        make_outcome("two", 0, [], half),
    ]
    assert [clip.clip_id for clip in rank_worst_clips(clips)] == ["two", "a", "b"]


@pytest.mark.parametrize("seed", range(5))
def test_order_does_not_depend_on_the_order_of_clips_and_costs_add_up(seed):
    outcomes, _ = draw_outcomes(seed)
    whole = rank_worst_clips(outcomes, limit=1000)
    shuffled = [outcomes[i] for i in np.random.default_rng(seed).permutation(len(outcomes))]
    assert rank_worst_clips(shuffled, limit=1000) == whole
    assert rank_worst_clips(outcomes, limit=7) == whole[:7]
    assert all(a.cost >= b.cost for a, b in pairwise(whole))
    assert sum(len(clip.missed) for clip in whole) == sum(len(o.matching.missed) for o in outcomes)
    scores = [o.found[j].score for o in outcomes for j in o.matching.false]
    misses = sum(len(o.matching.missed) for o in outcomes)
    assert sum(clip.cost for clip in whole) == pytest.approx(misses + sum(scores), abs=1e-9)


def test_cost_does_not_depend_on_the_order_of_errors():
    events = [Event(i, i + 0.5, score=s) for i, s in enumerate((0.1, 0.2, 0.3, 0.7, 0.6))]
    assert measure_cost([], events) == measure_cost([], events[::-1])


def test_limits():
    outcomes, _ = draw_outcomes(0)
    assert rank_worst_clips(outcomes, limit=0) == [] and rank_worst_clips([]) == []
    with pytest.raises(SettingError, match="worst_clips"):
        rank_worst_clips(outcomes, limit=-1)
