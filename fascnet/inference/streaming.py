"""Runs a network over a stream of ticks at constant memory, in validation and prediction alike."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fascnet.models.blocks import State
from fascnet.models.motion import END_OF_CLIP
from fascnet.models.preprocessing import Tick
from fascnet.models.unet import FasciculationUNet

LEAD_IN_TICKS = 12
"""0.4 s at 30 Hz, the warm-up for which training windows within a clip do not count either."""


def stream_probabilities(
    network: FasciculationUNet,
    ticks: Iterable[Tick],
    chunk_ticks: int,
    device: torch.device,
    autocast: torch.dtype | None = None,
) -> Iterator[NDArray[np.float32]]:
    """Yield heatmaps (t, h, w) float32 0-1, one for every tick, in order.

    A network that has seen nothing yet takes the first movement for an event, so the clip is led in by its
    own first ticks, backwards. The network answers `look_ahead` ticks late; its answers about ticks before
    the clip are dropped, and the clip's end is followed by as many empty ticks.

    Args:
        network: in evaluation mode, on `device`.
        ticks: the working clip, lazily.
        chunk_ticks: ticks per call of the network; changes speed and delay, never the result.
        device: where the network is.
        autocast: reduced precision for the convolutions (CUDA), or None.
    """
    state: State | None = None
    stream, n_before = arrange_stream(ticks, network.look_ahead, chunk_ticks)
    to_drop = network.look_ahead + n_before
    for chunk in stream:
        images, dt_s = stack_chunk(chunk, device)
        probabilities, state = run_chunk(network, images, dt_s, state, autocast)
        answers = probabilities[to_drop:] if to_drop < len(probabilities) else probabilities[:0]
        to_drop = max(0, to_drop - len(probabilities))
        if len(answers):
            yield answers


def arrange_stream(
    ticks: Iterable[Tick], look_ahead: int, chunk_ticks: int
) -> tuple[Iterator[list[Tick]], int]:
    """Put the lead-in before a clip and the empty ticks behind it; return chunks, and the lead-in's length.

    Args:
        ticks: the working clip, lazily.
        look_ahead: how many empty ticks.
        chunk_ticks: ticks a chunk.
    """
    rest = iter(ticks)
    first = list(islice(rest, LEAD_IN_TICKS + 1))
    lead_in = play_backwards(first)
    if lead_in:
        # Time runs on from the mirrored second tick into the first.
        first[0] = Tick(first[0].image, first[1].dt_s)
    stream = _add_end(chain(lead_in, first, rest), look_ahead)
    return _gather(stream, chunk_ticks), len(lead_in)


def stack_chunk(chunk: Sequence[Tick], device: torch.device) -> tuple[Tensor, Tensor]:
    """Return images uint8 (1, T, H, W) and `dt_s` (1, T) of some ticks, on a device."""
    images = torch.from_numpy(np.stack([tick.image for tick in chunk])[None]).to(device)
    return images, torch.tensor([[tick.dt_s for tick in chunk]], dtype=torch.float32).to(device)


def play_backwards(first: Sequence[Tick]) -> list[Tick]:
    """Return the ticks after the first in reverse order, on the same clock."""
    spacing_s = [0.0, *(tick.dt_s for tick in reversed(first[2:]))]
    return [Tick(tick.image, dt_s) for tick, dt_s in zip(reversed(first[1:]), spacing_s, strict=False)]


def run_chunk(
    network: FasciculationUNet,
    images: Tensor,
    dt_s: Tensor,
    state: State | None,
    autocast: torch.dtype | None,
) -> tuple[NDArray[np.float32], State]:
    """Run one chunk (1, T, H, W) and return probabilities (T, h, w) on the CPU, and the new state."""
    with torch.inference_mode(), reduce_precision(images.device, autocast):
        logits, state = network(images, dt_s, state)
        probabilities = torch.sigmoid(logits[0].float()).cpu().numpy()
    return probabilities, state


def reduce_precision(device: torch.device, autocast: torch.dtype | None) -> torch.autocast:
    """Return a context in which convolutions run in a reduced precision; None changes nothing."""
    return torch.autocast(device.type, dtype=autocast, enabled=autocast is not None)


def _add_end(ticks: Iterable[Tick], n: int) -> Iterator[Tick]:
    """Repeat the last image `n` times, marked as behind the end."""
    last: Tick | None = None
    for tick in ticks:
        last = tick
        yield tick
    if last is not None:
        yield from (Tick(last.image, END_OF_CLIP) for _ in range(n))


def _gather(ticks: Iterable[Tick], size: int) -> Iterator[list[Tick]]:
    chunk: list[Tick] = []
    for tick in ticks:
        chunk.append(tick)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
