from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from fascnet.inference.streaming import LEAD_IN_TICKS, play_backwards, stream_probabilities
from fascnet.models.motion import END_OF_CLIP
from fascnet.models.preprocessing import Tick
from fascnet.models.unet import FasciculationUNet
from tests.models.test_unet import make_network

CPU = torch.device("cpu")


def make_ticks(n: int) -> list[Tick]:
    images = np.random.default_rng(0).integers(0, 256, (n, 32, 36), dtype=np.uint8)
    return [Tick(image, 0.0 if k == 0 else 1 / 30) for k, image in enumerate(images)]


def run(network: FasciculationUNet, ticks: list[Tick], chunk_ticks: int) -> NDArray[np.float32]:
    return np.concatenate(list(stream_probabilities(network, ticks, chunk_ticks, CPU)))


@pytest.mark.parametrize("look_ahead", [0, 1, 4])
@pytest.mark.parametrize("n_ticks", [1, 2, 3, 4, 5, 11])
@pytest.mark.parametrize("chunk_ticks", [1, 3, 4, 5, 64])
def test_one_heatmap_for_every_tick(look_ahead: int, n_ticks: int, chunk_ticks: int) -> None:
    heatmaps = run(make_network(look_ahead), make_ticks(n_ticks), chunk_ticks)
    assert heatmaps.shape == (n_ticks, 8, 9)
    assert heatmaps.dtype == np.float32
    assert (heatmaps >= 0).all() and (heatmaps <= 1).all()


@pytest.mark.parametrize("chunk_ticks", [1, 2, 7, 16, 29, 200])
def test_chunks_change_nothing(chunk_ticks: int) -> None:
    network, ticks = make_network(3), make_ticks(30)
    assert np.abs(run(network, ticks, chunk_ticks) - run(network, ticks, 30)).max() < 1e-5


def test_heatmap_t_is_what_the_network_says_look_ahead_ticks_later() -> None:
    network, ticks = make_network(3), make_ticks(9)
    order = [*range(8, 0, -1), *range(9), 8, 8, 8]
    images = np.stack([ticks[k].image for k in order])
    dt_s = torch.tensor([[0.0] + [1 / 30] * 16 + [END_OF_CLIP] * 3], dtype=torch.float32)
    with torch.no_grad():
        logits, _ = network(torch.from_numpy(images)[None], dt_s)
    assert np.abs(run(network, ticks, 4) - torch.sigmoid(logits)[0, 8 + 3 :].numpy()).max() < 1e-6


def test_the_lead_in_keeps_the_recordings_clock() -> None:
    image = np.zeros((4, 4), np.uint8)
    first = [Tick(image + k, dt_s) for k, dt_s in enumerate((0.0, 0.1, 0.2, 0.0, 0.4))]
    played = play_backwards(first)
    assert [int(tick.image[0, 0]) for tick in played] == [4, 3, 2, 1]
    assert [tick.dt_s for tick in played] == [0.0, 0.4, 0.0, 0.2]
    assert play_backwards(first[:1]) == []


def test_no_tick_no_heatmap() -> None:
    assert list(stream_probabilities(make_network(), [], 4, CPU)) == []


def test_ticks_are_taken_a_chunk_at_a_time() -> None:
    pulled = 0

    def count() -> Iterator[Tick]:
        nonlocal pulled
        for tick in make_ticks(400):
            pulled += 1
            yield tick

    most_waiting = answered = 0
    for heatmaps in stream_probabilities(make_network(4), count(), 8, CPU):
        answered += len(heatmaps)
        most_waiting = max(most_waiting, pulled - answered)
    assert answered == 400
    assert most_waiting <= 8 + 4 + LEAD_IN_TICKS + 1


def test_nothing_is_left_in_the_network_between_clips() -> None:
    network, ticks = make_network(), make_ticks(12)
    first = run(network, ticks, 5)
    run(network, make_ticks(40), 5)
    assert np.array_equal(run(network, ticks, 5), first)
