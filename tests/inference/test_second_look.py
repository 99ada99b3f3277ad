from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from fascnet.errors import SettingError
from fascnet.inference import second_look
from fascnet.inference.second_look import SecondLook, find_stretches, look_twice
from fascnet.inference.streaming import stream_probabilities
from fascnet.models.preprocessing import Tick, WorkingGrid
from fascnet.models.unet import FasciculationUNet
from fascnet.types import ClipCalibration, EventDefinition
from tests.models.test_unet import make_network

CPU = torch.device("cpu")
GRID = WorkingGrid(32, 36, 30.0, (0, 0, 36, 32), 0.15, None)
NO_EVENT = EventDefinition(1.0, 1.0)
ALWAYS = EventDefinition(1e-6, 1e-6)
LOOK = SecondLook(NO_EVENT, noticed=0)
"""Looks at all ticks again."""


def make_ticks(n: int) -> list[Tick]:
    """Speckle that shakes to and fro, each tick a little differently."""
    rng = np.random.default_rng(0)
    speckle = rng.integers(0, 256, (48, 52), dtype=np.uint8)
    moves = rng.integers(0, 3, (n, 2))
    images = [np.ascontiguousarray(speckle[y : y + 32, x : x + 36]) for y, x in moves]
    return [Tick(image, 0.0 if k == 0 else 1 / 30) for k, image in enumerate(images)]


def run(network: FasciculationUNet, ticks: list[Tick], second: SecondLook) -> NDArray[np.float32]:
    return np.concatenate(list(look_twice(network, ticks, CPU, second, GRID)))


def look_once(network: FasciculationUNet, ticks: list[Tick]) -> NDArray[np.float32]:
    return np.concatenate(list(stream_probabilities(network, ticks, 8, CPU)))


@pytest.mark.parametrize("look_ahead", [0, 4])
@pytest.mark.parametrize("n_ticks", [1, 3, 16, 61, 90])
def test_one_heatmap_for_every_tick(look_ahead: int, n_ticks: int) -> None:
    heatmaps = run(make_network(look_ahead), make_ticks(n_ticks), LOOK)
    assert heatmaps.shape == (n_ticks, 8, 9) and heatmaps.dtype == np.float32
    assert (heatmaps >= 0).all() and (heatmaps <= 1).all()


def test_without_quiet_seconds_the_first_look_stands_alone() -> None:
    network, ticks = make_network(2), make_ticks(100)
    assert np.abs(run(network, ticks, SecondLook(ALWAYS, noticed=0)) - look_once(network, ticks)).max() < 1e-3
    assert np.abs(run(network, ticks, LOOK) - look_once(network, ticks)).max() > 1e-3


def test_modes_that_say_nothing_give_the_same_look_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second look runs on what was kept of the first: lead-in, order and end are the same."""
    monkeypatch.setattr(second_look, "fit_modes", lambda velocity, *_: torch.zeros_like(velocity))
    network, ticks = make_network(3), make_ticks(100)
    assert np.abs(run(network, ticks, LOOK) - look_once(network, ticks)).max() < 2e-3


def test_as_many_modes_are_taken_away_as_the_model_says(monkeypatch: pytest.MonkeyPatch) -> None:
    learned: list[int] = []

    def learn(displacement: torch.Tensor, _: torch.Tensor, n_modes: int) -> torch.Tensor:
        learned.append(n_modes)
        return torch.zeros(n_modes, *displacement.shape[1:])

    monkeypatch.setattr(second_look, "learn_modes", learn)
    for n_modes in (1, 5):
        run(make_network(2), make_ticks(80), SecondLook(NO_EVENT, noticed=0, n_modes=n_modes))
    assert learned == [1, 5]
    with pytest.raises(SettingError, match="n_modes is 0"):
        SecondLook(NO_EVENT, n_modes=0)


def test_another_network_may_judge_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """The mean is of what either says; the second sees without the modes, which here say nothing."""
    monkeypatch.setattr(second_look, "fit_modes", lambda velocity, *_: torch.zeros_like(velocity))
    network, other, ticks = make_network(3), make_network(3), make_ticks(100)
    with torch.no_grad():
        other.head.weight.mul_(-2.0)
    mean = np.concatenate(list(look_twice(network, ticks, CPU, LOOK, GRID, again=other)))
    logits = [np.log(p) - np.log1p(-p) for p in (look_once(network, ticks), look_once(other, ticks), mean)]
    np.testing.assert_allclose(logits[2], 0.5 * (logits[0] + logits[1]), atol=2e-2)
    assert np.abs(logits[0] - logits[1]).max() > 0.1


def test_the_mean_is_calibrated() -> None:
    network, ticks = make_network(2), make_ticks(80)
    plain = run(network, ticks, LOOK).astype(np.float64)
    surer = run(network, ticks, SecondLook(NO_EVENT, ClipCalibration(1.2, 0.4), 0))
    assert np.log(surer / (1 - surer)) == pytest.approx(1.2 * np.log(plain / (1 - plain)) + 0.4, abs=1e-4)


def test_ticks_and_cells_of_events_are_left_out() -> None:
    found = second_look._Findings(np.ones(100, bool), [(10, 20, np.eye(8, 9, dtype=bool))], [])
    free = found.mask(8, 16, (8, 10))
    assert free.shape == (16, 8, 10)
    assert not free[2:12, 0, 0].any() and free[:2].all() and free[12:].all() and free[..., 9].all()
    assert found.mask(-12, 16, (8, 9)).all()
    assert not found.mask(16, 16, (8, 9))[3, 3, 3]


def test_nothing_is_learned_around_what_the_first_look_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A motor unit that fires again and again must not be taken for background."""
    learned: list[int] = []

    def learn(displacement: torch.Tensor, *_: object) -> torch.Tensor:
        learned.append(len(displacement))
        return torch.zeros(second_look.N_MODES, *displacement.shape[1:])

    monkeypatch.setattr(second_look, "learn_modes", learn)
    network, ticks = make_network(2), make_ticks(150)
    heatmaps = look_once(network, ticks)
    highest = heatmaps.max(axis=(1, 2))
    level = float(np.sort(highest)[-2:].mean())  # only the tick with the hottest cell is an event
    found = EventDefinition(level, level, min_on_s=0.01, min_off_s=0.01)
    run(network, ticks, LOOK)
    run(network, ticks, SecondLook(found, noticed=0))
    tick = int(highest.argmax())
    hidden = range(max(0, tick - 8), min(150, tick + 1 + 30))
    assert learned == [150, 150 - len(hidden)]


def test_only_what_was_noticed_is_looked_at_again() -> None:
    """Around the hottest tick both looks count, elsewhere the first alone: whether or not they agree."""
    network, ticks = make_network(2), make_ticks(300)
    once = look_once(network, ticks)
    highest = once.max(axis=(1, 2))
    look = SecondLook(NO_EVENT, noticed=float(np.sort(highest)[-2:].mean()))
    differs = np.abs(run(network, ticks, look) - once).max(axis=(1, 2)) > 1e-4
    tick = int(highest.argmax())
    assert differs[max(0, tick - 15) : tick + 16].sum() > 10
    assert not differs[: max(0, tick - 15)].any() and not differs[tick + 16 :].any()


def test_a_look_from_within_a_clip_has_warmed_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """The network answers about the middle as if it had seen the clip from its start."""
    monkeypatch.setattr(second_look, "fit_modes", lambda velocity, *_: torch.zeros_like(velocity))
    monkeypatch.setattr(second_look, "find_stretches", lambda *_: [(120, 150), (220, 251)])
    network, ticks = make_network(4), make_ticks(260)
    twice, once = run(network, ticks, LOOK), look_once(network, ticks)
    assert once[220:251].std() > 0.001
    assert np.abs(twice - once).max() < 1e-3


def test_where_nothing_was_noticed_nothing_is_learned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(second_look, "learn_modes", lambda *_: pytest.fail("no second look was due"))
    network, ticks = make_network(2), make_ticks(100)
    heatmaps = run(network, ticks, SecondLook(NO_EVENT, noticed=1))
    assert np.abs(heatmaps - look_once(network, ticks)).max() < 1e-3


@pytest.mark.parametrize(
    ("ticks", "stretches"),
    [
        ([], []),
        ([0], [(0, 11)]),
        ([50, 51, 55], [(40, 66)]),
        ([299], [(289, 300)]),
        ([20, 89], [(10, 100)]),  # 48 ticks between them: a look of its own would start there anyway
        ([20, 90], [(10, 31), (80, 101)]),
    ],
)
def test_stretches_have_margins_and_join(ticks: list[int], stretches: list[tuple[int, int]]) -> None:
    noticed = np.zeros(300, bool)
    noticed[ticks] = True
    assert find_stretches(noticed, 10) == stretches


def test_no_tick_no_heatmap() -> None:
    assert list(look_twice(make_network(), [], CPU, LOOK, GRID)) == []
