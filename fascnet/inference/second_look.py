"""A clip looked at twice: what moves all the time, learned between the looks, is taken away in the second.

The first look finds events; the ticks without any teach what the tissue does all the time
(`fascnet.models.background`); the second look sees the clip without that, and both are averaged. Between
the looks the measured motion waits in a temporary file, 2.2 MB a second of 64x64 cells: memory does not grow
with the clip. The second look is for the seconds in which the first saw anything at all; elsewhere it would
say "no" once more, for as much time.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from scipy.special import expit
from torch import Tensor

from fascnet.data.spool import Spool
from fascnet.errors import SettingError
from fascnet.inference.events import EventFinder
from fascnet.inference.heatmap_store import quantise
from fascnet.inference.place_evidence import score_places
from fascnet.inference.streaming import arrange_stream, reduce_precision, stack_chunk
from fascnet.models.background import HORIZON_TICKS, fit_modes, learn_modes
from fascnet.models.blocks import State
from fascnet.models.motion import N_MEASURED, MeasuredMotion
from fascnet.models.preprocessing import Tick, WorkingGrid
from fascnet.models.unet import FasciculationUNet
from fascnet.types import ClipCalibration, EventDefinition

N_MODES = 4
"""Fields that new models take away (docs/experiments.md)."""

BEFORE_S, AFTER_S, LEARNED_AFTER_S = 0.27, 0.67, 1.0
"""Around an event its cells are not asked what the tissue does, and whole ticks teach nothing: tissue takes
longer to come back than cells stay probable."""

GROWN_CELLS = 2
"""An event's cells are taken so much larger on all sides: tissue around them is dragged along."""

DOUBTFUL_SCORE = 0.2
"""Ticks of candidates that were dropped teach nothing either when they score so much."""

LEAST_TICKS = 60
"""Where fewer ticks are free of events, nothing is learned, and the first look stands alone."""

MOST_TICKS = 400
"""So many ticks, evenly drawn from all that are free of events, are learned from: memory is bounded."""

NOTICED = 0.02
"""What lies below it in the first look is not worth a second one (docs/experiments.md)."""

MARGIN_S = 0.5
"""So much before and after them is looked at again as well."""

WARM_UP_TICKS = 48
"""A look from within a clip starts so much earlier: the network remembers 44 ticks, the front end 36."""

CHUNK_TICKS = 16
"""Ticks per call of the network in both looks. Fixed: what is kept in half precision between them would show
how the clip was cut, in the fourth digit."""


@dataclass(frozen=True, slots=True)
class SecondLook:
    """What looking twice needs to know, stored in the model file.

    Attributes:
        definition: what makes an event in the first look.
        calibration: `slope` and `intercept` of the mean of both looks' logits: cells of probability p should
            twitch in a share of p.
        noticed: ticks in which a cell is so probable in the first look are looked at again; 0 is all of them.
        n_modes: fields that are taken away, 1-16.
    """

    definition: EventDefinition
    calibration: ClipCalibration = field(default_factory=ClipCalibration)
    noticed: float = NOTICED
    n_modes: int = N_MODES

    def __post_init__(self) -> None:
        if self.n_modes not in range(1, 17):
            raise SettingError(f"second look: n_modes is {self.n_modes}; give a whole number from 1 to 16")


@dataclass(frozen=True, slots=True, eq=False)
class _Findings:
    """What the first look found: where nothing twitched, and what deserves a second look.

    Attributes:
        teaches: (T,), the ticks that are free of events.
        events: first tick, the one after the last, and cells (h, w) in which events hide what the tissue
            does.
        stretches: first tick and the one after the last of what is looked at again, apart from each other.
    """

    teaches: NDArray[np.bool_]
    events: list[tuple[int, int, NDArray[np.bool_]]]
    stretches: list[tuple[int, int]]

    def mask(self, start: int, n_ticks: int, shape: tuple[int, int]) -> Tensor:
        """Return bool (n_ticks, h, w) from a tick on, on a grid as large or larger: no event is there."""
        free = np.ones((n_ticks, *shape), bool)
        for first, stop, cells in self.events:
            part = slice(max(0, first - start), max(0, stop - start))
            free[part, : cells.shape[0], : cells.shape[1]] &= ~cells
        return torch.from_numpy(free)


def look_twice(
    network: FasciculationUNet,
    ticks: Iterable[Tick],
    device: torch.device,
    second: SecondLook,
    grid: WorkingGrid,
    autocast: torch.dtype | None = None,
    again: FasciculationUNet | None = None,
) -> Iterator[NDArray[np.float32]]:
    """Yield heatmaps (t, h, w) float32 0-1, one for every tick, in order, once the clip has been read.

    Args:
        network: in evaluation mode, on `device`.
        ticks: the working clip, lazily.
        device: where the network is.
        second: what makes an event in the first look, and what the mean of both looks is worth.
        grid: of the working clip.
        autocast: reduced precision for the convolutions (CUDA), or None.
        again: judges in the second look, with the front end of `network`; None: `network` does.
    """
    with Spool("the motion of the clip") as motion, Spool("the first look at the clip") as logits:
        looks = _Looks(network, again or network, device, autocast, motion, logits, grid)
        looks.look(ticks)
        found = looks.sum_up(second)
        modes = looks.learn(found, second.n_modes)
        for mean in looks.read_logits() if modes is None else looks.look_again(found, modes):
            calibrated = second.calibration.slope * mean + second.calibration.intercept
            yield np.asarray(expit(calibrated), np.float32)


def show_again(
    network: FasciculationUNet, ticks: Iterable[Tick], second: SecondLook, grid: WorkingGrid
) -> Iterator[NDArray[np.float16]]:
    """Yield the channels (t, C, h, w) that the second look sees of all ticks, for a network to learn from.

    They are followed by those of as many empty ticks as the network looks ahead. Where the first look leaves
    too little to learn modes from, nothing is taken away.

    Args:
        network: looks first; in evaluation mode, on the CPU.
        ticks: the working clip, lazily.
        second: what makes an event in the first look.
        grid: of the working clip.
    """
    with Spool("the motion of the clip") as motion, Spool("the first look at the clip") as logits:
        looks = _Looks(network, network, torch.device("cpu"), None, motion, logits, grid)
        looks.look(ticks)
        found = looks.sum_up(replace(second, noticed=0.0))
        yield from looks.show_all(found, looks.learn(found, second.n_modes))


class _Looks:
    """Two looks at a clip; measured motion and the first logits, in half precision, in temporary files."""

    def __init__(
        self,
        network: FasciculationUNet,
        again: FasciculationUNet,
        device: torch.device,
        autocast: torch.dtype | None,
        motion: Spool,
        logits: Spool,
        grid: WorkingGrid,
    ) -> None:
        self._network, self._again = network, again
        self._device, self._autocast = device, autocast
        self._motion, self._logits = motion, logits
        self._grid = grid
        self._padded = grid.cells
        self._n_before = self._n_ticks = 0

    def look(self, ticks: Iterable[Tick]) -> None:
        """Look for the first time."""
        stream, self._n_before = arrange_stream(ticks, self._network.look_ahead, CHUNK_TICKS)
        state: State = {}
        to_drop = self._network.look_ahead + self._n_before
        for chunk in stream:
            images, dt_s = stack_chunk(chunk, self._device)
            with torch.inference_mode(), reduce_precision(self._device, self._autocast):
                measured = self._network.front_end.measure(self._network.scale(images), dt_s, state)
            joined = measured.join()[0]
            self._padded = (joined.shape[-2], joined.shape[-1])
            self._motion.append(_to_half(joined).tobytes())
            answers = self._judge(self._network, measured, state)[to_drop:]
            to_drop = max(0, to_drop - len(joined))
            self._logits.append(_to_half(answers).tobytes())
            self._n_ticks += len(answers)

    def _judge(self, network: FasciculationUNet, measured: MeasuredMotion, state: State) -> Tensor:
        """Return the logits (T, h, w) on the grid, `look_ahead` ticks late."""
        height, width = self._grid.cells
        with torch.inference_mode(), reduce_precision(self._device, self._autocast):
            logits = network.judge_motion(network.front_end.describe(measured, state), state)
        return logits[0, :, :height, :width]

    def sum_up(self, second: SecondLook) -> _Findings:
        """Find the events of the first look; say what they hide, and what is to be looked at again."""
        rate_hz = self._grid.rate_hz
        finder = EventFinder.on_grid(second.definition, self._grid)
        candidates, noticed = [], []
        for heatmaps in self._read_heatmaps():
            noticed += list(heatmaps.max(axis=(1, 2)) >= second.noticed)
            candidates += [event for heatmap in heatmaps for event in finder.push(heatmap)]
        candidates += finder.finish()
        kept, dropped = score_places(candidates, finder, map(quantise, self._read_heatmaps()))
        before, after, learned_after = (round(s * rate_hz) for s in (BEFORE_S, AFTER_S, LEARNED_AFTER_S))
        teaches = np.ones(self._n_ticks, bool)
        doubtful = [event for event in dropped if event.score is not None and event.score > DOUBTFUL_SCORE]
        for event in (*kept, *doubtful):
            first, stop = finder.ticks(event)
            teaches[max(0, first - before) : stop + learned_after] = False
        hidden = []
        for event in kept:
            first, stop = finder.ticks(event)
            cells = ndimage.binary_dilation(finder.footprint(event).cells(), iterations=GROWN_CELLS)
            hidden.append((max(0, first - before), stop + after, cells))
        stretches = find_stretches(np.array(noticed, bool), round(MARGIN_S * rate_hz))
        return _Findings(teaches, hidden, stretches)

    def learn(self, found: _Findings, n_modes: int) -> Tensor | None:
        """Learn what the tissue does all the time; None if nobody asks or few ticks are free of events."""
        ticks = np.flatnonzero(found.teaches)
        if len(ticks) < LEAST_TICKS or not found.stretches:
            return None
        chosen = np.zeros(self._n_ticks, bool)
        chosen[ticks[np.linspace(0, len(ticks) - 1, min(MOST_TICKS, len(ticks))).round().astype(int)]] = True
        displacement = torch.empty(int(chosen.sum()), 2, *self._padded)
        textured = torch.empty(len(displacement), *self._padded, dtype=torch.bool)
        n_taken = 0
        past = torch.zeros(HORIZON_TICKS - 1, 2, *self._padded)
        for start, joined in self._read_motion(1 - HORIZON_TICKS, self._n_ticks):
            measured = MeasuredMotion.split(joined)
            velocity = torch.cat([past, measured.residual[0, :, :2]])
            past = velocity[-(HORIZON_TICKS - 1) :]
            n_ticks = joined.shape[1]
            inside = [k for k in range(n_ticks) if start + k >= 0 and chosen[start + k]]
            if inside:
                summed = sum(velocity[lag : lag + n_ticks] for lag in range(HORIZON_TICKS))
                part = slice(n_taken, n_taken + len(inside))
                displacement[part] = torch.as_tensor(summed)[inside]
                textured[part] = measured.confidence[0, inside, 0] > self._network.front_end.regularisation
                n_taken += len(inside)
        return learn_modes(displacement, textured, n_modes)

    def look_again(self, found: _Findings, modes: Tensor) -> Iterator[NDArray[np.float32]]:
        """Yield the logits (t, h, w) of all ticks: of the first look, in stretches the mean of both."""
        n_done = 0
        for first, stop in found.stretches:
            yield from self.read_logits(n_done, first)
            n_done = first
            for again in self._look_without(modes, found, first, stop):
                (once,) = self.read_logits(n_done, n_done + len(again))
                yield 0.5 * (once + again)
                n_done += len(again)
        yield from self.read_logits(n_done)

    def read_logits(self, first: int = 0, stop: int | None = None) -> Iterator[NDArray[np.float32]]:
        """Yield the first look's logits (t, h, w) of some ticks, or all, `CHUNK_TICKS` at a time."""
        size = 2 * math.prod(self._grid.cells)
        stop = self._n_ticks if stop is None else stop
        for start in range(first, stop, CHUNK_TICKS):
            n = min(CHUNK_TICKS, stop - start)
            raw = np.frombuffer(self._logits.read(start * size, n * size), np.float16)
            yield raw.reshape(n, *self._grid.cells).astype(np.float32)

    def _look_without(
        self, modes: Tensor, found: _Findings, first: int, stop: int
    ) -> Iterator[NDArray[np.float32]]:
        """Yield the logits (t, h, w) of a stretch seen without the modes, at most `CHUNK_TICKS` at a time."""
        state: State = {}
        begin = max(-self._n_before, first - WARM_UP_TICKS)
        to_drop = self._network.look_ahead + first - begin
        for _, rest in self._take_away(modes, found, begin, stop):
            measured = MeasuredMotion.split(rest.join().to(self._device))
            answers = self._judge(self._again, measured, state)[to_drop:]
            to_drop = max(0, to_drop - rest.residual.shape[1])
            if len(answers):
                yield answers.float().cpu().numpy()

    def show_all(self, found: _Findings, modes: Tensor | None) -> Iterator[NDArray[np.float16]]:
        """Yield the channels (t, C, h, w) of all ticks and the empty ones behind, without modes if any."""
        state: State = {}
        height, width = self._grid.cells
        for start, rest in self._take_away(modes, found, -self._n_before, self._n_ticks):
            with torch.inference_mode():
                channels = self._network.front_end.describe(rest, state)[0, max(0, -start) :]
            if len(channels):
                yield _to_half(channels[..., :height, :width])

    def _take_away(
        self, modes: Tensor | None, found: _Findings, first: int, stop: int
    ) -> Iterator[tuple[int, MeasuredMotion]]:
        """Yield (tick, motion without the modes) up to a tick and the network's look-ahead after it."""
        for start, joined in self._read_motion(first, stop + self._network.look_ahead):
            measured = MeasuredMotion.split(joined)
            if modes is None:
                yield start, measured
                continue
            counted = measured.confidence[0, :, 0] > self._network.front_end.regularisation
            counted &= found.mask(start, joined.shape[1], self._padded)
            shared = fit_modes(measured.residual[0, :, :2], modes, counted)[None]
            yield start, measured._replace(residual=measured.residual - torch.cat([shared, shared], dim=2))

    def _read_heatmaps(self) -> Iterator[NDArray[np.float32]]:
        for logits in self.read_logits():
            yield self._grid.silence(expit(logits))

    def _read_motion(self, first: int, stop: int) -> Iterator[tuple[int, Tensor]]:
        """Yield (tick, (1, t, C, h, w)); the lead-in lies before tick 0, the empty ticks behind the last."""
        shape = (N_MEASURED, *self._padded)
        size = 2 * math.prod(shape)
        for start in range(max(first, -self._n_before), stop, CHUNK_TICKS):
            n = min(CHUNK_TICKS, stop - start)
            raw = np.frombuffer(self._motion.read((start + self._n_before) * size, n * size), np.float16)
            yield start, torch.from_numpy(raw.reshape(1, n, *shape).astype(np.float32))


def find_stretches(noticed: NDArray[np.bool_], margin_ticks: int) -> list[tuple[int, int]]:
    """Find what to look at again: what was noticed (T,), with a margin, in as few pieces as cost no more.

    Returns:
        First tick and the one after the last of each, in order; where they are not further apart than a
        look needs to warm up, they are one.
    """
    found: list[tuple[int, int]] = []
    for tick in np.flatnonzero(noticed):
        first, stop = max(0, int(tick) - margin_ticks), min(len(noticed), int(tick) + margin_ticks + 1)
        if found and first - found[-1][1] <= WARM_UP_TICKS:
            first = found.pop()[0]
        found.append((first, stop))
    return found


def _to_half(values: Tensor) -> NDArray[np.float16]:
    half: NDArray[np.float16] = values.to("cpu", torch.float16).contiguous().numpy()
    return half
