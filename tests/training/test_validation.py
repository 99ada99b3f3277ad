from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from fascnet.evaluation.figures.pixels import PixelHistogram
from fascnet.inference.scores import ClipPool
from fascnet.inference.streaming import stream_probabilities
from fascnet.training import validation
from fascnet.training.validation import Review, count_cells, match_clip, stream_clip
from fascnet.types import ClipCalibration, Event, EventDefinition, Labels, Point
from tests.data.tiny import make_frames, make_labels, make_working_clip
from tests.models.test_unet import make_network

CPU = torch.device("cpu")
TWITCH = range(18, 27)


def review(
    monkeypatch: pytest.MonkeyPatch,
    folder: Path,
    heatmaps: NDArray[np.float32],
    labels: Labels,
    onset_threshold: float = 0.5,
) -> Review:
    clip = make_working_clip(folder, make_frames(len(heatmaps), 0, TWITCH), labels)
    monkeypatch.setattr(validation, "stream_probabilities", lambda *_: np.array_split(heatmaps, 4))
    result = Review(EventDefinition(onset_threshold, 0.3))
    result.add(clip, stream_clip(clip, make_network(), CPU))
    return result


def blank(n: int = 45) -> NDArray[np.float32]:
    return np.full((n, 16, 16), 0.01, np.float32)


def test_a_hit_is_a_hit_for_the_definitions_that_find_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    heatmaps = blank()
    heatmaps[18:27, 8:12, 4:8] = 0.8
    labels = make_labels("w", 45, TWITCH)
    result = review(monkeypatch, tmp_path, heatmaps, labels)
    assert result.counts.tolist() == [1, 0, 0, 1.5 / 60]
    assert result.summarise()["event_f1"] == 1.0
    stricter = review(monkeypatch, tmp_path, heatmaps, labels, onset_threshold=0.9)
    assert stricter.counts.tolist() == [0, 0, 1, 1.5 / 60]
    assert stricter.summarise()["event_recall"] == 0.0


def test_mm_go_by_the_shape_of_stored_pixels(tmp_path: Path) -> None:
    """30 px beside a point are 3 mm of square pixels of 0.1 mm, and 9 mm of those thrice as wide."""
    square = make_working_clip(tmp_path, make_frames(45, 0, TWITCH), make_labels("w", 45, TWITCH))
    here = Event(0.6, 0.9, region=Point(10, 10))
    square = replace(square, labels=Labels("w", "r", ((0.0, 1.5),), (here,)))
    beside = [replace(here, region=Point(40, 10))]
    for aspect, hits in ((1.0, 1), (3.0, 0)):
        clip = replace(square, grid=replace(square.grid, mm_per_px=0.1, pixel_aspect=aspect))
        assert len(match_clip(clip, beside).matches) == hits


def test_an_event_elsewhere_is_a_false_alarm_and_a_miss(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    heatmaps = blank()
    heatmaps[36:42, 8:12, 4:8] = 0.8
    figures = review(monkeypatch, tmp_path, heatmaps, make_labels("w", 45, TWITCH)).summarise()
    assert (figures["event_precision"], figures["event_recall"]) == (0.0, 0.0)
    assert figures["false_alarms_per_min"] == pytest.approx(40.0)


def test_unexamined_seconds_are_not_scored(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    heatmaps = blank()
    heatmaps[36:42, 8:12, 4:8] = 0.8
    result = review(monkeypatch, tmp_path, heatmaps, Labels("w", "r", ((0.0, 1.0),), ()))
    assert result.counts.tolist() == [0, 0, 0, 1 / 60]
    assert result.pixels.average_precision() is None


def test_a_clip_is_judged_by_its_examined_seconds(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A twitch that nobody looked for makes the clip neither positive nor a hard negative."""
    heatmaps = blank()
    heatmaps[18:27, 8:12, 4:8] = 0.9
    twitching = make_labels("w", 45, TWITCH)
    result = review(monkeypatch, tmp_path, heatmaps, replace(twitching, examined=((0.0, 0.5),)))
    assert result.clip_truths == [False]
    assert result.clip_logits[0] < -4
    whole = review(monkeypatch, tmp_path, heatmaps, twitching)
    assert whole.clip_truths == [True] and whole.clip_logits[0] > -1


def test_what_a_click_does_not_say_of_cells_is_not_known(tmp_path: Path) -> None:
    """Cells of the whole twitching disc are probable; only those near the click are known to be right."""
    labels = make_labels("w", 45, TWITCH)
    clicked = replace(labels, events=(replace(labels.events[0], region=Point(24.0, 40.0)),))
    heatmaps = blank()
    heatmaps[18:27, 4:16, 1:12] = 0.9
    clip = make_working_clip(tmp_path, make_frames(45, 0, TWITCH), clicked)
    cells = PixelHistogram()
    list(count_cells(clip, [heatmaps], cells))
    at = int(0.9 * cells.bins)
    assert cells.positive[at] > 0
    assert cells.negative[at] == 0


def test_clips_are_told_apart_by_their_pooled_logit(tmp_path: Path) -> None:
    network = make_network()
    still = make_working_clip(tmp_path, make_frames(20, 1, None), make_labels("a", 20, None), name="a")
    moving = make_working_clip(tmp_path, make_frames(45, 0, TWITCH), name="b")
    result = Review(EventDefinition())
    result.add(still, stream_clip(still, network, CPU))
    assert math.isnan(result.summarise()["clip_auroc"])
    result.add(moving, stream_clip(moving, network, CPU))
    assert result.summarise()["clip_auroc"] in {0.0, 1.0}
    assert result.clip_truths == [False, True]
    pool = ClipPool()
    for chunk in stream_probabilities(network, list(validation._read_ticks(moving)), 3, CPU):
        for heatmap in chunk:
            pool.push(heatmap)
    assert result.clip_logits[1] == pytest.approx(pool.finish(), abs=1e-5)


@pytest.mark.parametrize(("looked_until_s", "surest"), [(1.5, 0.8), (0.5, 0.0)])
def test_an_event_speaks_for_its_clip_where_somebody_looked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, looked_until_s: float, surest: float
) -> None:
    heatmaps = blank()
    heatmaps[18:27, 8:12, 4:8] = 0.8
    labels = replace(make_labels("w", 45, None), examined=((0.0, looked_until_s),))
    result = review(monkeypatch, tmp_path, heatmaps, labels)
    assert result.clip_surest == pytest.approx([surest])
    (score,) = result.score_clips(ClipCalibration(1.0, 0.0, 2.0))
    assert score == pytest.approx(1 / (1 + math.exp(-result.clip_logits[0] - 2.0 * surest)))


def test_nothing_reviewed_is_not_a_number() -> None:
    figures = Review(EventDefinition()).summarise()
    assert all(math.isnan(value) or value == 0 for value in figures.values())
