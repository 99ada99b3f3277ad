from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from fascnet.data.labelling.targets import rasterise_truth
from fascnet.data.training_input.working_clip import WorkingClip
from fascnet.inference.second_look import SecondLook
from fascnet.models.unet import FasciculationUNet
from fascnet.training.heatmap_spool import HeatmapSpool
from fascnet.training.start import Start
from fascnet.training.tuning import (
    choose_definition,
    choose_operating_point,
    tune_looks,
    tune_on_validation,
)
from fascnet.training.validation import stream_clip
from fascnet.types import ClipCalibration, EventDefinition
from tests.data.tiny import make_frames, make_working_clip
from tests.models.test_unet import make_network


def test_chooses_by_f1_and_of_equals_the_strictest(tmp_path: Path) -> None:
    """A perfect heatmap of 0.65: thresholds up to 0.6 find the twitch, those above find nothing."""
    clip = make_working_clip(tmp_path, make_frames(45, 0, range(18, 27)))
    with HeatmapSpool() as spool:
        spool.begin(clip.grid.cells)
        spool.append(make_perfect(clip, 0.65))
        definition = choose_definition(spool, [clip])
    assert definition.onset_threshold == 0.6
    assert definition.min_on_s == 0.2
    assert definition.offset_threshold <= definition.onset_threshold


def make_perfect(clip: WorkingClip, p: float) -> np.ndarray:
    truth, _ = rasterise_truth(clip.labels, clip.times_s, clip.grid.box, clip.grid.cells)
    return np.where(truth, np.float32(p), np.float32(0.01))


def test_cells_become_probabilities_and_the_network_runs_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = make_working_clip(tmp_path, make_frames(45, 0, range(18, 27)))
    heatmaps = make_perfect(clip, 0.65)
    runs = []

    def run(*_: object) -> list[np.ndarray]:
        runs.append(1)
        return [heatmaps[:20], heatmaps[20:]]

    monkeypatch.setattr("fascnet.training.validation.stream_probabilities", run)
    network = make_network()
    bias = float(network.head.get_parameter("bias")[0].detach())
    tuned = tune_on_validation(network, [clip], torch.device("cpu"))
    assert len(runs) == 1
    # Cells at 0.65 always twitch: they are surer than they said.
    assert tuned.definition.onset_threshold > 0.65
    assert float(network.head.get_parameter("bias")[0].detach()) != bias
    figures = tuned.figures
    assert (figures["event_f1"], figures["event_precision"], figures["event_recall"]) == (1.0, 1.0, 1.0)
    assert figures["pixel_ap"] == pytest.approx(1.0, abs=0.01)
    assert tuned.calibration == ClipCalibration()
    assert tuned.operating_point == {}


def test_too_few_clips_do_not_replace_what_many_have_chosen(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clip, network = make_working_clip(tmp_path, make_frames(45, 0, range(18, 27))), make_network()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    chosen = EventDefinition(0.3, 0.18, min_score=0.45, score_intercept=-0.9, score_strength=1.1)
    earlier = Start((), "salt", (), (), chosen, ClipCalibration(0.9, -1.5), {"clip_threshold": 0.64})
    tuned = tune_on_validation(network, [clip], torch.device("cpu"), earlier)
    assert (tuned.definition, tuned.calibration) == (chosen, ClipCalibration(0.9, -1.5))
    assert tuned.operating_point == {"clip_threshold": 0.64}
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert "1 validation clips of 1 subjects are too few" in caplog.text
    # A model whose scores were never fitted has nothing to keep.
    plain = replace(earlier, definition=EventDefinition())
    assert tune_on_validation(network, [clip], torch.device("cpu"), plain).definition != plain.definition


def make_scored(**changed: float) -> EventDefinition:
    return EventDefinition(0.3, 0.18, min_score=0.45, score_intercept=-0.9, score_strength=1.1, **changed)


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[SecondLook | None]:
    """How each run over the clips looked at them; the heatmaps are those of a first look."""
    seen: list[SecondLook | None] = []

    def stream(clip: WorkingClip, network: FasciculationUNet, device: torch.device, second=None, again=None):
        seen.append(second)
        return stream_clip(clip, network, device)

    monkeypatch.setattr("fascnet.training.tuning.stream_clip", stream)
    return seen


def test_a_trained_network_is_tuned_on_one_look_and_then_on_two(
    tmp_path: Path, looks: list[SecondLook | None]
) -> None:
    clip, network = make_working_clip(tmp_path, make_frames(45, 0, range(18, 27))), make_network()
    one = tune_looks(network, [clip], torch.device("cpu"), None, second_look=False, trained=True)
    assert one.second_look is None and looks == [None]
    bias = network.head.get_parameter("bias").detach().clone()
    two = tune_looks(network, [clip], torch.device("cpu"), None, second_look=True, trained=True)
    assert looks[1] is None and looks[2] is not None and two.second_look is not None
    assert looks[2].definition == two.second_look.definition
    # Calibrated already, the head of one look hardly changes; that of two not at all.
    assert torch.allclose(network.head.get_parameter("bias"), bias, atol=0.5)
    assert looks[2].calibration == ClipCalibration()
    assert two.second_look.calibration != ClipCalibration()


@pytest.mark.parametrize(("asked", "taken"), [(None, 3), (6, 6)])
@pytest.mark.parametrize("trained", [False, True])
def test_as_many_modes_are_taken_away_as_before_unless_told_otherwise(
    tmp_path: Path, looks: list[SecondLook | None], trained: bool, asked: int | None, taken: int
) -> None:
    clip, network = make_working_clip(tmp_path, make_frames(45, 0, range(18, 27))), make_network()
    second = SecondLook(make_scored(), n_modes=3)
    earlier = Start((), "salt", (), (), make_scored(), ClipCalibration(), {}, second)
    tuned = tune_looks(
        network, [clip], torch.device("cpu"), earlier, second_look=False, trained=trained, n_modes=asked
    )
    assert tuned.second_look is not None and looks[-1] is not None
    assert tuned.second_look.n_modes == looks[-1].n_modes == taken


@pytest.mark.parametrize("looks_twice", [False, True])
def test_an_untrained_network_keeps_its_first_look(
    tmp_path: Path, looks: list[SecondLook | None], looks_twice: bool
) -> None:
    clip, network = make_working_clip(tmp_path, make_frames(45, 0, range(18, 27))), make_network()
    second = SecondLook(make_scored(score_unrest=-2.0), ClipCalibration(1.2, 0.3)) if looks_twice else None
    earlier = Start((), "salt", (), (), make_scored(), ClipCalibration(0.9, -1.5), {}, second)
    before = network.head.get_parameter("bias").detach().clone()
    tuned = tune_looks(
        network, [clip], torch.device("cpu"), earlier, second_look=not looks_twice, trained=False
    )
    assert torch.equal(network.head.get_parameter("bias"), before)
    expected = make_scored() if second is None else second.definition
    assert [one.definition for one in looks if one is not None] == [expected] and len(looks) == 1
    # One clip is too few to choose anything anew.
    assert tuned.definition == make_scored()
    assert tuned.second_look == (SecondLook(make_scored()) if second is None else second)


def test_the_head_says_what_the_tuned_heatmaps_say(tmp_path: Path) -> None:
    """After tuning, on average over the cells, a network says what is true."""
    clip, network = make_working_clip(tmp_path, make_frames(45, 0, range(18, 27))), make_network()
    tune_on_validation(network, [clip], torch.device("cpu"))
    truth, valid = rasterise_truth(clip.labels, clip.times_s, clip.grid.box, clip.grid.cells)
    assert truth.any()
    assert valid.all()
    said = np.concatenate(list(stream_clip(clip, network, torch.device("cpu"))))
    assert said.mean() == pytest.approx(truth.mean(), rel=0.05)


def test_a_network_that_finds_nothing_is_tuned_all_the_same(tmp_path: Path) -> None:
    clip = make_working_clip(tmp_path, make_frames(20, 0, None))
    network = make_network()
    torch.nn.init.constant_(network.head.get_parameter("bias"), -20.0)
    tuned = tune_on_validation(network, [clip], torch.device("cpu"))
    assert tuned.definition.onset_threshold == 0.95
    assert tuned.figures["false_alarms_per_min"] == 0


def test_onsets_and_peaks_found_late_are_moved_to_the_labelled_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = make_working_clip(tmp_path, make_frames(45, 0, range(18, 27)))
    (event,) = clip.labels.events
    (unpeaked, peaked) = (
        replace(clip, labels=replace(clip.labels, events=(replace(event, peak_s=peak_s),)))
        for peak_s in (None, event.onset_s)
    )
    late = np.roll(make_perfect(clip, 0.95), 3, axis=0)

    def find_late(*_: object) -> list[np.ndarray]:
        return [late]

    monkeypatch.setattr("fascnet.training.validation.stream_probabilities", find_late)
    tuned = tune_on_validation(make_network(), [unpeaked], torch.device("cpu"))
    assert tuned.definition.pad_onset_s == pytest.approx(0.1, abs=0.034)
    assert tuned.definition.pad_peak_s == 0.0
    assert tuned.figures["event_f1"] == 1.0
    tuned = tune_on_validation(make_network(), [peaked], torch.device("cpu"))
    assert tuned.definition.pad_peak_s == pytest.approx(0.1, abs=0.034)


@pytest.mark.parametrize(
    ("negatives", "positives", "asked", "specificity", "sensitivity"),
    [
        ([0.1, 0.2, 0.3, 0.4], [0.5, 0.9], 0.985, 1.0, 1.0),
        ([0.1, 0.2, 0.3, 0.6], [0.5, 0.9], 0.985, 1.0, 0.5),
        ([0.1, 0.2, 0.3, 0.6], [0.5, 0.9], 0.75, 0.75, 1.0),
        ([0.1, 0.9], [], 0.985, 1.0, None),
    ],
)
def test_the_operating_point_keeps_the_specificity(
    negatives: list[float],
    positives: list[float],
    asked: float,
    specificity: float,
    sensitivity: float | None,
) -> None:
    truths = np.array([False] * len(negatives) + [True] * len(positives))
    point = choose_operating_point(np.array(negatives + positives), truths, asked)
    assert (point["specificity"], point["sensitivity"]) == (specificity, sensitivity)
    assert (point["n_negative"], point["n_positive"]) == (len(negatives), len(positives))
