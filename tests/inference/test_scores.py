from __future__ import annotations

import math

import numpy as np
import pytest

from fascnet.inference.scores import ClipPool, TimeCourse, calibrate, find_surest, pool_cells
from fascnet.models.pooling_rule import LOGIT_LIMIT
from fascnet.types import ClipCalibration, Event


def pool(heatmaps):
    clip_pool = ClipPool()
    values = [clip_pool.push(heatmap) for heatmap in heatmaps]
    return clip_pool, values


def logit(p):
    return math.log(p / (1 - p))


def test_constant_clip_gives_its_own_logit():
    clip_pool, values = pool(np.full((6, 5, 5), 0.2))
    assert clip_pool.finish() == pytest.approx(logit(0.2))
    assert values[0] is None
    assert values[1:] == pytest.approx([logit(0.2)] * 5)


def test_top_cells_of_the_best_three_ticks():
    heat = np.full((9, 4, 4), 0.01)
    heat[4:7, 0, :] = 0.9
    assert pool(heat)[0].finish() == pytest.approx(logit(0.9))


def test_one_hot_tick_or_cell_counts_less_than_a_twitch():
    twitch = np.full((9, 4, 4), 0.01)
    tick, cell = twitch.copy(), twitch.copy()
    twitch[3:6, 0, :] = tick[4, 0, :] = cell[3:6, 0, 0] = 0.99
    scores = [pool(heat)[0].finish() for heat in (twitch, tick, cell)]
    assert scores[1] < scores[0] - 2 and scores[2] < scores[0] - 2


def test_more_cells_are_pooled_on_larger_grids():
    heat = np.full((3, 100, 100), 0.01)
    heat[:, 0, :50] = 0.9
    assert pool(heat)[0].finish() == pytest.approx(logit(0.9))
    heat[:, 0, 49] = 0.01
    assert pool(heat)[0].finish() < logit(0.9) - 0.05


def test_saturated_cells_stay_finite():
    assert pool(np.ones((4, 2, 2)))[0].finish() == pytest.approx(LOGIT_LIMIT)
    assert pool(np.zeros((4, 2, 2)))[0].finish() == pytest.approx(-LOGIT_LIMIT)
    assert ClipPool().finish() is None


@pytest.mark.parametrize("ticks", [1, 2, 3, 17])
def test_equals_the_training_pool(ticks):
    torch = pytest.importorskip("torch")
    pool_clip_logit = pytest.importorskip("fascnet.models.pooling").pool_clip_logit

    logits = np.random.default_rng(ticks).normal(-2, 3, (ticks, 30, 40)).astype(np.float32)
    probabilities = 1.0 / (1.0 + np.exp(-logits.astype(np.float64)))
    trained = pool_clip_logit(torch.from_numpy(logits)[None], torch.ones(1, ticks, dtype=torch.bool))
    assert pool(probabilities)[0].finish() == pytest.approx(float(trained), abs=1e-4)


def test_calibration_is_a_sigmoid_that_never_overflows():
    assert calibrate(0.0, ClipCalibration()) == 0.5
    assert calibrate(2.0, ClipCalibration(1.5, -1.0)) == pytest.approx(1 / (1 + math.exp(-2.0)))
    assert calibrate(9.2, ClipCalibration(1e4)) == 1.0
    assert calibrate(-9.2, ClipCalibration(1e4)) == 0.0


def test_the_surest_event_speaks_for_its_clip():
    pulse = Event(0.0, 0.3, label="arterial_pulsation", score=0.99)
    twitches = [Event(1.0, 1.3, score=0.6), Event(2.0, 2.3, score=0.8), Event(3.0, 3.3)]
    assert find_surest([pulse]) == find_surest([]) == 0.0
    assert find_surest([pulse, *twitches]) == 0.8
    calibration = ClipCalibration(1.0, -3.0, surest_event=5.0)
    assert calibrate(0.0, calibration) == pytest.approx(1 / (1 + math.exp(3.0)))
    assert calibrate(0.0, calibration, 0.8) == pytest.approx(1 / (1 + math.exp(-1.0)))


def test_events_lift_the_curve_while_they_last():
    course = TimeCourse(0.1)
    for _ in range(20):
        course.append(-1.0)
    calibration = ClipCalibration(1.0, -1.0, surest_event=4.0)
    events = [
        Event(0.5, 0.8, score=0.6),
        Event(0.7, 1.0, score=1.0),
        Event(1.5, 1.7, label="pseudotremor", score=1.0),
    ]
    times_s, values = course.calibrated(calibration, events)
    levels = {"rest": logit_to_p(-2.0), "weak": logit_to_p(0.4), "sure": logit_to_p(2.0)}
    wanted = ["rest"] * 5 + ["weak"] * 2 + ["sure"] * 4 + ["rest"] * 9
    assert values == pytest.approx([levels[name] for name in wanted])
    assert times_s[-1] == pytest.approx(1.9)


def logit_to_p(z):
    return 1 / (1 + math.exp(-z))


def test_a_short_event_lifts_a_curve_of_coarse_steps():
    course = TimeCourse(0.1, capacity=4)
    for _ in range(32):
        course.append(-4.0)
    times_s, values = course.calibrated(ClipCalibration(surest_event=8.0), [Event(1.01, 1.04, score=1.0)])
    assert len(times_s) == 4
    assert values.max() == pytest.approx(logit_to_p(4.0))


def test_time_course_keeps_peaks_in_bounded_memory():
    course = TimeCourse(0.1, capacity=8)
    for k in range(100):
        course.append(1.0 if k == 57 else 0.0)
    times, values = course.values()
    assert len(times) == len(values) <= 8
    assert values.max() == 1.0
    assert times[values.argmax()] == pytest.approx(5.7, abs=0.8)
    assert (np.diff(times) > 0).all()


def test_short_time_course_is_exact():
    course = TimeCourse(0.5, start_s=1.0, capacity=8)
    for value in (0.1, 0.2, 0.3):
        course.append(value)
    times, values = course.values()
    assert times.tolist() == [1.0, 1.5, 2.0]
    assert values.tolist() == [0.1, 0.2, 0.3]


def test_an_interruption_is_the_end_of_one_clip_and_the_start_of_another():
    rng = np.random.default_rng(1)
    first, second = rng.uniform(0.1, 0.9, (2, 7, 5, 6))
    parts = []
    for heatmaps in (first, second):
        pool = ClipPool()
        for heatmap in heatmaps:
            pool.push(heatmap)
        parts.append(pool.finish())
    pool = ClipPool()
    for heatmap in first:
        pool.push(heatmap)
    pool.interrupt()
    pool.interrupt()
    for heatmap in second:
        pool.push_pooled(pool_cells(heatmap))
    assert pool.finish() == max(parts)
    assert ClipPool().finish() is None
