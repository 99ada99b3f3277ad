from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from fascnet.inference import second_look
from fascnet.inference.second_look import SecondLook
from fascnet.inference.streaming import arrange_stream, stack_chunk
from fascnet.models.blocks import State
from fascnet.models.preprocessing import Preprocessor, Tick
from fascnet.training.second_sight import FirstLook, SecondSight
from fascnet.types import EventDefinition
from tests.data.tiny import make_frames
from tests.models.test_unet import make_network

N_TICKS, LOOK_AHEAD = 90, 2
IMAGES = make_frames(N_TICKS, 0, range(10, 16))[:, :44, :60]
DT_S = np.full(N_TICKS, 1 / 30)
NEVER, ALWAYS = EventDefinition(1.0, 1.0), EventDefinition(1e-6, 1e-6)


def show(found: EventDefinition) -> np.ndarray:
    sight = SecondSight(FirstLook(make_network(LOOK_AHEAD), SecondLook(found)), Preprocessor(), ["a"])
    pieces = [(IMAGES[a:b], DT_S[a:b]) for a, b in itertools.pairwise((0, 7, 40, N_TICKS))]
    shown = np.concatenate(list(sight.show(pieces)))
    assert shown.dtype == np.float16
    assert shown.shape[::2] == (N_TICKS + sight.n_behind, 11) and shown.shape[3] == 15
    return shown


def look_once() -> np.ndarray:
    """What the front end says of the clip as `predict` streams it, lead-in and end."""
    network = make_network(LOOK_AHEAD)
    ticks = [Tick(image, float(dt_s)) for image, dt_s in zip(IMAGES, DT_S, strict=True)]
    stream, n_before = arrange_stream(ticks, LOOK_AHEAD, 8)
    state: State = {}
    with torch.inference_mode():
        chunks = [stack_chunk(chunk, torch.device("cpu")) for chunk in stream]
        seen = [network.front_end(network.scale(images), dt_s, state) for images, dt_s in chunks]
    return torch.cat(seen, dim=1)[0, n_before:, :, :11, :15].numpy()


def test_without_quiet_seconds_it_is_what_the_first_look_sees() -> None:
    once = look_once()
    np.testing.assert_allclose(show(ALWAYS), once, atol=5e-3 * np.abs(once).max())


def test_modes_that_say_nothing_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(second_look, "fit_modes", lambda velocity, *_: torch.zeros_like(velocity))
    once = look_once()
    np.testing.assert_allclose(show(NEVER), once, atol=5e-3 * np.abs(once).max())


def test_what_the_modes_say_is_taken_away_from_what_moves_and_from_nothing_else() -> None:
    network = make_network()
    moves = [network.front_end.GROUPS[name] for name in ("velocity", "displacement")]
    stays = [network.front_end.GROUPS[name] for name in ("confidence", "grey", "probe")]
    once, again = look_once(), show(NEVER)
    for part in moves:
        assert np.abs(again[:, part] - once[:, part]).max() > 0.01
    for part in stays:
        np.testing.assert_allclose(again[:, part], once[:, part], atol=5e-3)


def test_first_looks_are_told_apart_by_their_names() -> None:
    first = FirstLook(make_network(LOOK_AHEAD), SecondLook(NEVER))
    a, b = (SecondSight(first, Preprocessor(), [name]) for name in "ab")
    assert list(a.identity) != list(b.identity)


def test_no_tick_shows_nothing() -> None:
    first = FirstLook(make_network(LOOK_AHEAD), SecondLook(NEVER))
    assert list(SecondSight(first, Preprocessor(), []).show([])) == []
