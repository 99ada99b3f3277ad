"""A clip looked at twice: what moves all the time, learned between the looks, is taken away in the second.

The first look finds events; the ticks without any teach what the tissue does all the time
(`fascnet.models.background`); the second look sees the clip without that, and both are averaged. Between
the looks the measured motion waits in a temporary file, 2.2 MB a second of 64x64 cells: memory does not grow
with the clip.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from scipy.special import expit
from torch import Tensor

from fascnet.data.spool import Spool
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

N_MODES = 2
"""Fields that are taken away; with four the clips of `V4` were judged worse than with two
(docs/experiments.md)."""

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
    """

    definition: EventDefinition
    calibration: ClipCalibration = field(default_factory=ClipCalibration)


@dataclass(frozen=True, slots=True, eq=False)
class _Quiet:
    """Where nothing twitched in the first look.

    Attributes:
        teaches: (T,), the ticks that are free of events.
        events: first tick, the one after the last, and cells (h, w) in which events hide what the tissue
            does.
    """

    teaches: NDArray[np.bool_]
    events: list[tuple[int, int, NDArray[np.bool_]]]

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
) -> Iterator[NDArray[np.float32]]:
    """Yield heatmaps (t, h, w) float32 0-1, one for every tick, in order, once the clip has been read.

    Args:
        network: in evaluation mode, on `device`.
        ticks: the working clip, lazily.
        device: where the network is.
        second: what makes an event in the first look, and what the mean of both looks is worth.
        grid: of the working clip.
        autocast: reduced precision for the convolutions (CUDA), or None.
    """
    with Spool("the motion of the clip") as motion, Spool("the first look at the clip") as logits:
        look = _FirstLook(motion, logits, grid.cells)
        look.run(network, ticks, device, autocast)
        quiet = look.find_quiet(second, grid)
        modes = look.learn(quiet, network.front_end.regularisation)
        first = look.read_logits()
        if modes is None:
            means: Iterator[NDArray[np.float32]] = first
        else:
            again = look.look_again(network, modes, quiet, device, autocast)
            means = (0.5 * (one + two) for one, two in zip(first, again, strict=True))
        for mean in means:
            calibrated = second.calibration.slope * mean + second.calibration.intercept
            yield np.asarray(expit(calibrated), np.float32)


class _FirstLook:
    """The first look at a clip: measured motion and logits, in half precision, in two temporary files."""

    def __init__(self, motion: Spool, logits: Spool, cells: tuple[int, int]) -> None:
        self._motion, self._logits = motion, logits
        self._cells = cells
        self._padded = cells
        self._n_before = self._n_ticks = self._n_measured = 0

    def run(
        self,
        network: FasciculationUNet,
        ticks: Iterable[Tick],
        device: torch.device,
        autocast: torch.dtype | None,
    ) -> None:
        """Look at a clip for the first time."""
        stream, self._n_before = arrange_stream(ticks, network.look_ahead, CHUNK_TICKS)
        state: State = {}
        to_drop = network.look_ahead + self._n_before
        for chunk in stream:
            images, dt_s = stack_chunk(chunk, device)
            with torch.inference_mode(), reduce_precision(device, autocast):
                measured = network.front_end.measure(network.scale(images), dt_s, state)
                logits = network.judge_motion(network.front_end.describe(measured, state), state)[0]
            joined = measured.join()[0]
            self._padded = (joined.shape[-2], joined.shape[-1])
            self._motion.append(_to_half(joined).tobytes())
            self._n_measured += len(joined)
            answers = logits[to_drop:, : self._cells[0], : self._cells[1]]
            to_drop = max(0, to_drop - len(logits))
            self._logits.append(_to_half(answers).tobytes())
            self._n_ticks += len(answers)

    def read_logits(self) -> Iterator[NDArray[np.float32]]:
        """Yield the logits (t, h, w), `CHUNK_TICKS` at a time."""
        size = 2 * math.prod(self._cells)
        for first in range(0, self._n_ticks, CHUNK_TICKS):
            n = min(CHUNK_TICKS, self._n_ticks - first)
            raw = np.frombuffer(self._logits.read(first * size, n * size), np.float16)
            yield raw.reshape(n, *self._cells).astype(np.float32)

    def _read_motion(self) -> Iterator[tuple[int, Tensor]]:
        """Yield (tick of the clip, (1, t, C, h, w)) from the lead-in to the empty ticks at the end."""
        shape = (N_MEASURED, *self._padded)
        size = 2 * math.prod(shape)
        for first in range(0, self._n_measured, CHUNK_TICKS):
            n = min(CHUNK_TICKS, self._n_measured - first)
            raw = np.frombuffer(self._motion.read(first * size, n * size), np.float16)
            yield first - self._n_before, torch.from_numpy(raw.reshape(1, n, *shape).astype(np.float32))

    def find_quiet(self, second: SecondLook, grid: WorkingGrid) -> _Quiet:
        """Find the events of the first look; say which ticks are free of them, and which cells are not."""
        finder = EventFinder.on_grid(second.definition, grid)
        found = [event for chunk in self._read_heatmaps(grid) for h in chunk for event in finder.push(h)]
        found += finder.finish()
        kept, dropped = score_places(found, finder, map(quantise, self._read_heatmaps(grid)))
        before, after, learned_after = (round(s * grid.rate_hz) for s in (BEFORE_S, AFTER_S, LEARNED_AFTER_S))
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
        return _Quiet(teaches, hidden)

    def _read_heatmaps(self, grid: WorkingGrid) -> Iterator[NDArray[np.float32]]:
        for logits in self.read_logits():
            yield grid.silence(expit(logits))

    def learn(self, quiet: _Quiet, least_confidence: float) -> Tensor | None:
        """Learn what the tissue does all the time from the ticks without events; None where they are few."""
        ticks = np.flatnonzero(quiet.teaches)
        if len(ticks) < LEAST_TICKS:
            return None
        chosen = np.zeros(self._n_ticks, bool)
        chosen[ticks[np.linspace(0, len(ticks) - 1, min(MOST_TICKS, len(ticks))).round().astype(int)]] = True
        displacement = torch.empty(int(chosen.sum()), 2, *self._padded)
        textured = torch.empty(len(displacement), *self._padded, dtype=torch.bool)
        n_taken = 0
        past = torch.zeros(HORIZON_TICKS - 1, 2, *self._padded)
        for start, joined in self._read_motion():
            measured = MeasuredMotion.split(joined)
            velocity = torch.cat([past, measured.residual[0, :, :2]])
            past = velocity[-(HORIZON_TICKS - 1) :]
            n_ticks = joined.shape[1]
            inside = [k for k in range(n_ticks) if 0 <= start + k < self._n_ticks and chosen[start + k]]
            if inside:
                summed = sum(velocity[lag : lag + n_ticks] for lag in range(HORIZON_TICKS))
                part = slice(n_taken, n_taken + len(inside))
                displacement[part] = torch.as_tensor(summed)[inside]
                textured[part] = measured.confidence[0, inside, 0] > least_confidence
                n_taken += len(inside)
        return learn_modes(displacement, textured, N_MODES)

    def look_again(
        self,
        network: FasciculationUNet,
        modes: Tensor,
        quiet: _Quiet,
        device: torch.device,
        autocast: torch.dtype | None,
    ) -> Iterator[NDArray[np.float32]]:
        """Yield the logits (t, h, w) of a look without the modes, `CHUNK_TICKS` at a time."""
        state: State = {}
        to_drop = network.look_ahead + self._n_before
        waiting = np.zeros((0, *self._cells), np.float32)
        for start, joined in self._read_motion():
            measured = MeasuredMotion.split(joined)
            counted = measured.confidence[0, :, 0] > network.front_end.regularisation
            counted &= quiet.mask(start, joined.shape[1], self._padded)
            shared = fit_modes(measured.residual[0, :, :2], modes, counted)[None]
            rest = measured._replace(residual=measured.residual - torch.cat([shared, shared], dim=2))
            with torch.inference_mode(), reduce_precision(device, autocast):
                moved = MeasuredMotion.split(rest.join().to(device))
                logits = network.judge_motion(network.front_end.describe(moved, state), state)[0]
            answers = logits[to_drop:, : self._cells[0], : self._cells[1]].float().cpu().numpy()
            to_drop = max(0, to_drop - len(logits))
            waiting = np.concatenate([waiting, answers])
            while len(waiting) >= CHUNK_TICKS:
                yield waiting[:CHUNK_TICKS]
                waiting = waiting[CHUNK_TICKS:]
        if len(waiting):
            yield waiting


def _to_half(values: Tensor) -> NDArray[np.float16]:
    half: NDArray[np.float16] = values.to("cpu", torch.float16).contiguous().numpy()
    return half
