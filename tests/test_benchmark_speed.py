"""How `scripts/benchmark_speed.py` times, compares and judges; the measurement itself is run by hand."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import numpy as np
import pytest

from fascnet.errors import SettingError

pytestmark = pytest.mark.usefixtures("scripts_on_path")


def load(name):
    return importlib.import_module(f"speed.{name}")


def make_windows(cpu_ms):
    window = load("rounds").Window
    return {
        name: [None if ms is None else window(ms / 1000, 10 * ms / 1000) for ms in times]
        for name, times in cpu_ms.items()
    }


def test_a_ratio_is_the_median_of_the_ratios_within_rounds():
    rounds = load("rounds")
    windows = make_windows({"anchor": [10, 20, 90], "net": [5, 10, 30], "slow": [100, None, None]})
    ratio = rounds.compare(windows, "anchor", "net", by_clock=False)
    # Not the ratio of medians over all rounds: the third was slow for both.
    assert (ratio.median, ratio.low, ratio.high, ratio.rounds) == pytest.approx((2, 2, 2.5, 3))
    only = rounds.compare(windows, "slow", "net", by_clock=True)
    assert (only.median, only.rounds) == (pytest.approx(20), 1)
    assert rounds.compare(make_windows({"a": [None], "b": [1]}), "a", "b", by_clock=False) is None
    assert rounds.measure_spread(windows["anchor"], by_clock=False) == pytest.approx(9)
    assert rounds.measure_per_frame(windows["slow"], by_clock=False) == pytest.approx(0.1)


def test_rounds_are_shuffled_warm_and_leave_slow_candidates_out():
    candidate, rounds = load("candidate"), load("rounds")
    calls = []

    def make(name, n_rounds):
        def run(images):
            calls.append(name)
            yield from (np.zeros(image.shape, np.float32) for image in images)

        return candidate.Candidate(name, run, 4, rounds=n_rounds)

    fast = [make(name, 99) for name in "abcdefgh"]
    images = {"256x256": [np.zeros((8, 8), np.uint8)] * 4}
    before = rounds.WINDOW_S
    rounds.WINDOW_S = 0.0
    try:
        windows = rounds.time_rounds([*fast, make("slow", 1)], images, 3, seed=0)
    finally:
        rounds.WINDOW_S = before
    assert calls[:17] == [*"aabbccddeeffgghh", "slow"]
    orders = [calls[17:26], calls[26:34], calls[34:]]
    assert sorted(orders[0]) == sorted([*"abcdefgh", "slow"]) and orders[1] != orders[2]
    assert sorted(orders[1]) == sorted(orders[2]) == [*"abcdefgh"]
    assert [window is None for window in windows["slow"]] == [False, True, True]


def test_frames_that_cost_nothing_do_not_count(monkeypatch):
    candidate, rounds = load("candidate"), load("rounds")
    clock_s = [0.0]
    monkeypatch.setattr(rounds.time, "process_time", lambda: clock_s[0])
    monkeypatch.setattr(rounds.time, "perf_counter", lambda: clock_s[0])

    def run(images):
        yield np.zeros(images[0].shape, np.float32)
        for image in images[1:]:
            clock_s[0] += 0.25
            yield np.zeros(image.shape, np.float32)

    images = [np.zeros((8, 8), np.uint8)] * 2
    all_count = rounds.time_window(candidate.Candidate("x", run, 2), images)
    one_free = rounds.time_window(candidate.Candidate("x", run, 2, n_free=1), images)
    assert all_count.cpu_s == pytest.approx(0.125)
    assert one_free.cpu_s == one_free.wall_s == pytest.approx(0.25)


@pytest.mark.parametrize(("key", "value", "quick", "word"), [
    ("G1", 1.3, False, "reached"), ("G1", 1.29, False, "missed"), ("G1", 0.92, True, "reached"),
    ("G1", 0.90, True, "missed"), ("G8", 2.0, False, "reached"), ("G8", 2.1, False, "missed"),
    ("G8", 2.8, True, "reached"), ("G10", 15, True, "missed"), ("G2", None, False, "not judged"),
])  # fmt: skip
def test_a_floor_is_a_floor_and_a_ceiling_a_ceiling(key, value, quick, word):
    goals = load("goals")
    assert goals.judge(key, value, goals.Terms(quick, gates_passed=True, judged=True)).word == word


def test_a_wrong_answer_has_no_speed_and_two_threads_no_verdict():
    goals = load("goals")
    assert goals.judge("G1", 9.0, goals.Terms(False, gates_passed=False, judged=True)).word == "invalid"
    assert goals.judge("G1", 9.0, goals.Terms(False, gates_passed=True, judged=False)).word == "not judged"


@pytest.mark.parametrize(("short", "long", "word"), [
    (60, 91, "reached"), (60, 95, "missed"), (60, 55, "reached"),
    (1000, 1090, "reached"), (1000, 1110, "missed"),
])  # fmt: skip
def test_memory_may_grow_by_a_tenth_or_by_32_mib(short, long, word):
    goals = load("goals")
    assert goals.judge_growth(short, long, goals.Terms(False, gates_passed=True, judged=True)).word == word


@pytest.mark.parametrize(("maps", "message"), [
    ([np.zeros((8, 8), np.float32)], "1 heatmaps for 2"),
    ([np.zeros((2, 2), np.float32)] * 2, "not float32 of the input"),
    ([np.zeros((8, 8))] * 2, "not float32 of the input"),
])  # fmt: skip
def test_the_contract_is_checked(maps, message):
    candidate = load("candidate")
    with pytest.raises(SettingError, match=message):
        candidate.check_contract(
            candidate.Candidate("x", lambda images: iter(maps), 2), [np.zeros((8, 8), np.uint8)] * 2
        )


def test_every_classical_candidate_keeps_the_contract_and_sees_movement():
    candidate, classical, frames = load("candidate"), load("classical"), load("frames")
    still = frames.draw_images(1, 64, 64)[0]
    images = [still, still, np.roll(still, 2, axis=0)]
    images[2][:, 32:] = still[:, 32:]
    for each in classical.list_classical(quick=False):
        candidate.check_contract(each, images)
        first, same, moved = each.run(images)
        assert not first.any() or each.name == "MOG2"
        assert moved.max() > same.max(), each.name


def test_generated_frames_are_the_same_each_time():
    frames = load("frames")
    one, two = frames.draw_images(3, 40, 50), frames.draw_images(3, 40, 50)
    assert all((a == b).all() for a, b in zip(one, two, strict=True)) and (one[0] != one[1]).any()
    assert frames.HeldRecording(one).info.n_frames == 3


def test_rows_that_are_missing_or_invalid_are_named():
    report, gates, candidate = load("report"), load("gates"), load("candidate")
    goals, rounds, pipeline = load("goals"), load("rounds"), load("pipeline")
    network = candidate.Candidate("network, chunk 8", lambda images: iter(()), 1)
    terms = goals.Terms(False, gates_passed=False, judged=True)
    result = report.Result(
        mode="full", threads=1, settings={}, machine={"processor": "x", "cores": 2},
        load_before={"load_1min": 0.0}, load_after={"load_1min": 0.0}, spread=1.0,
        gates=[gates.Gate("streaming = offline", 0.5, 1e-5, passed=False)], windows={},
        rows=[report.make_row(network, rounds.Ratio(2, 1, 3, 3)),
              report.make_row(candidate.Missing("DynUNet", "not installed"))],
        stages=[], end_to_end=pipeline.EndToEnd(20.0, 10.0), peaks_mib={"stream": {300: 50.0}},
        verdicts=[goals.judge("G1", 2.0, terms)],
    )  # fmt: skip
    page = report.write_markdown(result)
    assert "| DynUNet | not installed | not installed |" in page
    assert "INVALID: a gate failed" in page and "FAILED" in page and "| invalid (a gate failed) |" in page
    assert result.end_to_end.ratio == 2


def test_a_whole_clip_is_only_tried_where_it_fits():
    memory = load("memory")
    assert memory.fits({100: 10.0, 300: 30.0}, 1000)
    # A GiB a frame: no machine that runs this has 500 GiB to spare.
    assert not memory.fits({100: 100_000.0, 300: 300_000.0}, 1000) or not Path("/proc/meminfo").is_file()


def test_a_process_that_fails_is_one_line(tmp_path):
    script = tmp_path / "fails.py"
    script.write_text("import sys\nsys.exit('no such clip')")
    with pytest.raises(SettingError, match=r"fails\.py: no such clip"):
        load("memory").run_process([sys.executable, str(script)])
