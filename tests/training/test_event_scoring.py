from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fascnet.inference.event_scores import weigh_evidence
from fascnet.inference.place_evidence import LEAST_P
from fascnet.training import event_scoring
from fascnet.training.event_scoring import (
    Candidates,
    choose_least_score,
    choose_scored_definition,
    collect_candidates,
    fit_weights,
    score_left_out,
)
from fascnet.training.heatmap_spool import HeatmapSpool
from fascnet.types import EventDefinition, Labels
from tests.data.tiny import FPS, make_frames, make_labels, make_working_clip

LOOSE = EventDefinition(0.3, 0.3, min_on_s=0.067, min_off_s=0.034, min_cells=4)


def draw_candidates(n: int, seed: int) -> Candidates:
    """True ones are longer and lie in quieter places; strength and recurrence tell nothing."""
    rng = np.random.default_rng(seed)
    evidence = rng.normal(0, 1, (n, 4)) * [1, 2, 1, 1] + [0, 5, -6, -5]
    is_true = rng.random(n) < 1 / (1 + np.exp(-(1.5 * evidence[:, 1] - evidence[:, 2] - 13.5)))
    return Candidates(evidence, is_true, rng.integers(0, 10, n).astype(np.str_), int(is_true.sum()) + 3)


def test_finds_the_weights_that_made_the_data() -> None:
    some = draw_candidates(4000, 0)
    assert fit_weights(some.evidence, some.is_true) == pytest.approx([-13.5, 0, 1.5, -1, 0], abs=0.6)


def test_separable_candidates_do_not_become_certain() -> None:
    evidence = np.repeat([[0.0, 0, 0, 0], [1.0, 0, 0, 0]], 10, axis=0)
    weights = fit_weights(evidence, np.arange(20) >= 10)
    assert np.isfinite(weights).all()
    assert abs(weights).max() < 30


def test_what_lasts_longer_or_lies_quieter_is_never_less_likely() -> None:
    some = draw_candidates(400, 2)
    turned = fit_weights(some.evidence * [1, -1, -1, 1], some.is_true)
    assert (turned[2], turned[3]) == (0.0, 0.0)


def test_a_subject_does_not_speak_for_itself() -> None:
    """One subject's labels are turned round: fitted with it, its own scores would give in a little."""
    some = draw_candidates(300, 1)
    own = some.subjects == "3"
    turned = replace(some, is_true=np.where(own, ~some.is_true, some.is_true))
    assert score_left_out(turned)[own] == pytest.approx(score_left_out(some)[own])
    assert score_left_out(turned)[~own] != pytest.approx(score_left_out(some)[~own])


@pytest.mark.parametrize(
    ("scores", "expected"),
    [((0.9, 0.8, 0.31, 0.2), 0.5), ((0.9, 0.8, 0.71, 0.2), 0.725), ((0.4, 0.3, 0.1, 0.1), 0.3)],
)
def test_of_least_scores_as_good_the_one_nearest_to_a_half_is_taken(
    scores: tuple[float, ...], expected: float
) -> None:
    is_true = np.array([True, True, False, False])
    some = Candidates(np.zeros((4, 4)), is_true, np.array(["a"] * 4), 2)
    f1, least = choose_least_score(some, np.array(scores))
    assert f1 == 1.0
    assert least == pytest.approx(expected)


def test_a_least_score_that_is_clearly_better_is_taken_instead_of_a_half() -> None:
    is_true = np.array([True] * 10 + [False] * 10)
    scores = np.array([0.9] * 10 + [0.6] * 10)
    some = Candidates(np.zeros((20, 4)), is_true, np.array(["a"] * 20), 10)
    assert choose_least_score(some, scores) == (1.0, pytest.approx(0.625))


def make_study(folder: Path, spool: HeatmapSpool, n_clips: int) -> list:
    """Each clip's heatmap shows its twitch for nine ticks, and a small flash elsewhere that is none."""
    clips = []
    for k in range(n_clips):
        labels = make_labels(f"c{k}", 60, range(18, 27))
        clip = make_working_clip(folder, make_frames(60, 0, None), labels, name=f"c{k}")
        clip = replace(clip, source=replace(clip.source, subject_id=f"s{k % 7}"))
        heatmaps = np.full((60, 16, 16), 0.01, np.float32)
        heatmaps[18:27, 8:12, 4:8] = 0.6 + 0.01 * (k % 5)
        heatmaps[40 + k % 3 : 44, 1:3, 11:14] = 0.6 + 0.01 * (k % 4)
        spool.begin((16, 16))
        spool.append(heatmaps)
        clips.append(clip)
    return clips


def test_candidates_are_matched_with_the_labels(tmp_path: Path) -> None:
    with HeatmapSpool() as spool:
        clips = make_study(tmp_path, spool, 3)
        found = collect_candidates(spool, clips, LOOSE)
    assert found.is_true.tolist() == [True, False] * 3
    assert found.n_labelled == 3
    assert found.evidence[0, :2] == pytest.approx(weigh_evidence(153 / 255, 9 / FPS)[:2], abs=0.02)
    # Everything else is at 0.01, three bytes of 255.
    assert found.evidence[0, 2:] == pytest.approx(np.log(3 / 255 + LEAST_P), abs=0.02)


def test_what_lies_where_nobody_looked_is_neither_true_nor_false(tmp_path: Path) -> None:
    with HeatmapSpool() as spool:
        clips = make_study(tmp_path, spool, 1)
        late = replace(clips[0].labels, examined=((1.2, 2.0),))
        found = collect_candidates(spool, [replace(clips[0], labels=late)], LOOSE)
    assert found.is_true.tolist() == [False], "the flash; the twitch before it is left out"
    assert found.n_labelled == 0


def test_what_thresholds_cannot_tell_apart_the_scores_do(tmp_path: Path) -> None:
    with HeatmapSpool() as spool:
        clips = make_study(tmp_path, spool, 28)
        chosen = choose_scored_definition(spool, clips)
        assert chosen is not None
        definition, f1 = chosen
        assert f1 == 1.0
        assert definition.min_score > 0.1
        found = collect_candidates(spool, clips, definition)
        assert found.is_true.tolist() == [True] * 28


@pytest.mark.parametrize(("first", "join_cells"), [(0.93, 0), (0.92, 2)])
def test_of_definitions_that_are_nearly_as_good_the_loosest_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: float, join_cells: int
) -> None:
    reached = iter([first, 0.938, *[0.9] * 34])
    monkeypatch.setattr(event_scoring, "choose_least_score", lambda *_: (next(reached), 0.4))
    with HeatmapSpool() as spool:
        chosen = choose_scored_definition(spool, make_study(tmp_path, spool, 28))
    assert chosen is not None
    definition, f1 = chosen
    assert (definition.onset_threshold, definition.join_cells) == (0.3, join_cells)
    assert f1 == (first if join_cells == 0 else 0.938)


def test_too_few_candidates_or_subjects_fit_nothing(tmp_path: Path) -> None:
    with HeatmapSpool() as spool:
        few = make_study(tmp_path, spool, 6)
        assert choose_scored_definition(spool, few) is None
    with HeatmapSpool() as spool:
        one = [replace(c, source=replace(c.source, subject_id="s")) for c in make_study(tmp_path, spool, 28)]
        assert choose_scored_definition(spool, one) is None


def test_a_clip_without_events_gives_no_candidates(tmp_path: Path) -> None:
    clip = make_working_clip(tmp_path, make_frames(20, 0, None), Labels("w", "r", ((0.0, 1.0),), ()))
    with HeatmapSpool() as spool:
        spool.begin((16, 16))
        spool.append(np.zeros((20, 16, 16), np.float32))
        found = collect_candidates(spool, [clip], LOOSE)
    assert (found.evidence.shape, found.n_labelled) == ((0, 4), 0)
