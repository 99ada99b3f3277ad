"""What is an event? Streaming hysteresis in space and time, at constant memory.

A cell is *active* at a tick when its probability reaches `offset_threshold`. Active cells that touch
(8 neighbours), or lie within `join_cells` of each other, form a component of that tick. A component
continues a live event when it overlaps a cell which that event covered not longer than `min_off_s` ago; a
component that overlaps two live events joins them. An event counts when one of its cells reached
`onset_threshold`, it lasted at least `min_on_s`, covered `min_cells` at one tick and its score reaches
`min_score`. Where the score depends on what the place shows at other times, it is given once the clip has
ended (`fascnet.inference.place_evidence`), and no event is dropped for its score before. Two foci that never
touch are two events, also when they twitch at the same moment.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from fascnet.errors import SettingError
from fascnet.inference.event_scores import (
    Evidence,
    has_weights,
    looks_at_places,
    score_evidence,
    weigh_evidence,
)
from fascnet.models.preprocessing import WorkingGrid
from fascnet.types import Event, EventDefinition, PixelBox, Point

TOP_CELLS = 4
"""An event's strength: the mean of this many of its strongest cells at a tick, largest over its ticks."""

TICK_TOLERANCE = 0.05
"""Durations are compared to within this share of a tick: 0.067 s means two frames at 30 Hz, not three."""

_EIGHT_NEIGHBOURS = np.ones((3, 3), dtype=bool)


@dataclass(frozen=True, slots=True)
class Footprint:
    """The cells that an event covered, packed: one bit a cell.

    Attributes:
        bits: the cells, row by row, as `numpy.packbits` packs them.
        shape: (h, w) of the heatmap.
    """

    bits: bytes
    shape: tuple[int, int]

    def cells(self) -> NDArray[np.bool_]:
        """Return the cells as bool (h, w)."""
        n = self.shape[0] * self.shape[1]
        packed = np.frombuffer(self.bits, dtype=np.uint8)
        return np.unpackbits(packed, count=n).astype(bool).reshape(self.shape)


@dataclass(frozen=True, slots=True)
class _Trace:
    """What is remembered of an event that ended."""

    footprint: Footprint
    evidence: Evidence
    first_tick: int
    stop_tick: int


@dataclass(slots=True, eq=False)
class _LiveEvent:
    """What is remembered of an event: a few numbers and the cells it covered, never its history."""

    first_tick: int
    last_tick: int
    covered: NDArray[np.bool_]
    highest: float = 0.0
    strength: float = 0.0
    peak_sum: float = -1.0
    peak_tick: int = 0
    peak_row: float = 0.0
    peak_col: float = 0.0
    peak_cells: int = 0
    most_cells: int = 0


class EventFinder:
    """Finds the events of one clip, tick by tick.

    The result depends on the sequence of heatmaps only, never on how they were chunked.

    Args:
        definition: thresholds and durations.
        fps: heatmaps per second.
        shape: (h, w) of each heatmap.
        box: the part of the recording that the heatmap covers, stored pixels.
        mm_per_px: spacing of the stored pixels, downwards, or None when unknown (then `area_mm2` stays None).
        pixel_aspect: width of a stored pixel over its height.

    Raises:
        SettingError: a threshold or duration is out of range.
    """

    def __init__(
        self,
        definition: EventDefinition,
        fps: float,
        shape: tuple[int, int],
        box: PixelBox,
        mm_per_px: float | None = None,
        pixel_aspect: float = 1.0,
    ) -> None:
        _check_definition(definition)
        self.definition = definition
        self.fps = fps
        self.shape = shape
        self.box = box
        self.mm_per_px = mm_per_px
        self.pixel_aspect = pixel_aspect
        # Silence of `min_off_s` or more ends an event; an event is at least continued by the very next tick.
        bridged = math.ceil(definition.min_off_s * fps - TICK_TOLERANCE) - 1
        self._reach = 1 + max(0, bridged)
        self._ticks = 0
        self._live: dict[int, _LiveEvent] = {}
        self._next_id = 0
        self._owner = np.full(shape[0] * shape[1], -1, dtype=np.int64)
        self._last_active = np.full(shape[0] * shape[1], -(2**40), dtype=np.int64)
        self._waiting: list[Event] = []
        self._traces: dict[tuple[float | None, object], _Trace] = {}

    @classmethod
    def on_grid(cls, definition: EventDefinition, grid: WorkingGrid) -> Self:
        """Start on heatmaps of a working clip."""
        return cls(definition, grid.rate_hz, grid.cells, grid.box, grid.chosen_mm_per_px, grid.pixel_aspect)

    def footprint(self, event: Event) -> Footprint:
        """Return the cells that an event of this finder covered."""
        return self._traces[event.peak_s, event.region].footprint

    def evidence(self, event: Event) -> Evidence:
        """Return what speaks for an event of this finder while it lasts."""
        return self._traces[event.peak_s, event.region].evidence

    def measure_covered(self, events: Iterable[Event]) -> float:
        """Return the share of the cells that any of these events of this finder covered, 0-1."""
        covered = np.zeros(self.shape, dtype=bool)
        for event in events:
            covered |= self.footprint(event).cells()
        return float(covered.mean())

    def ticks(self, event: Event) -> tuple[int, int]:
        """Return the first tick of an event of this finder, and the one after its last."""
        trace = self._traces[event.peak_s, event.region]
        return trace.first_tick, trace.stop_tick

    def push(self, heatmap: NDArray[np.floating]) -> list[Event]:
        """Take the heatmap of the next tick.

        Args:
            heatmap: probabilities 0-1, (h, w).

        Returns:
            Events that are now finished, in order of onset.
        """
        tick = self._ticks
        self._ticks += 1
        flat = np.asarray(heatmap).reshape(-1)
        active = heatmap >= self.definition.offset_threshold
        if active.any():
            self._take_active(active, flat, tick)
        ended = [key for key, event in self._live.items() if tick - event.last_tick >= self._reach]
        for key in ended:
            self._close(self._live.pop(key))
        # An event padded beyond what has been seen waits: the clip may end before its padded offset.
        ready = [event for event in self._waiting if event.offset_s <= tick / self.fps]
        self._waiting = [event for event in self._waiting if event.offset_s > tick / self.fps]
        return sorted(ready, key=lambda event: (event.onset_s, event.offset_s))

    def finish(self, end_s: float | None = None) -> list[Event]:
        """End the clip.

        Args:
            end_s: where the clip ends, if known better than by the last tick; offsets are clipped to it.

        Returns:
            The remaining events, in order of onset, clipped to the clip.
        """
        for key in list(self._live):
            self._close(self._live.pop(key))
        end = self._ticks / self.fps if end_s is None else end_s
        rest = [_clip_offset(event, end) for event in self._waiting]
        self._waiting = []
        return sorted(rest, key=lambda event: (event.onset_s, event.offset_s))

    def _take_active(self, active: NDArray[np.bool_], flat: NDArray[np.floating], tick: int) -> None:
        joined = self._join_parts(active) if self.definition.join_cells else active
        components, count = ndimage.label(joined, structure=_EIGHT_NEIGHBOURS)
        cells = np.flatnonzero(active)
        component = np.asarray(components).reshape(-1)[cells] - 1
        recent = self._last_active[cells] >= tick - self._reach
        pairs = np.unique(np.stack([component[recent], self._owner[cells][recent]], axis=1), axis=0)
        belongs = self._join(count, pairs, tick)
        key_of_cell = belongs[component]
        self._owner[cells] = key_of_cell
        self._last_active[cells] = tick
        order = np.argsort(key_of_cell, kind="stable")
        keys, starts = np.unique(key_of_cell[order], return_index=True)
        for key, own in zip(keys, np.split(cells[order], starts[1:]), strict=True):
            self._grow(self._live[int(key)], own, flat[own].astype(np.float64), tick)

    def _join_parts(self, active: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Widen what is active so that parts within `join_cells` touch."""
        reach = self.definition.join_cells
        wide = cv2.dilate(active.astype(np.uint8), np.ones((reach + 1, reach + 1), np.uint8))
        return wide.astype(bool)

    def _join(self, count: int, pairs: NDArray[np.int64], tick: int) -> NDArray[np.int64]:
        """Say which live event each component belongs to; events that share one are joined."""
        belongs = np.full(count, -1, dtype=np.int64)
        absorbed: dict[int, int] = {}
        for component, owner in pairs:
            key = int(owner)
            while key in absorbed:
                key = absorbed[key]
            mine = int(belongs[component])
            if mine < 0:
                belongs[component] = key
            elif mine != key:
                keep, give = min(mine, key), max(mine, key)
                absorbed[give] = keep
                _absorb(self._live[keep], self._live.pop(give))
                belongs[belongs == give] = keep
                self._owner[self._owner == give] = keep
        for component in np.flatnonzero(belongs < 0):
            self._live[self._next_id] = _LiveEvent(tick, tick, np.zeros(self._owner.size, dtype=bool))
            belongs[component] = self._next_id
            self._next_id += 1
        return belongs

    def _grow(
        self, event: _LiveEvent, cells: NDArray[np.int64], values: NDArray[np.float64], tick: int
    ) -> None:
        event.last_tick = tick
        event.covered[cells] = True
        event.highest = max(event.highest, float(values.max()))
        top = values if values.size <= TOP_CELLS else np.partition(values, -TOP_CELLS)[-TOP_CELLS:]
        event.strength = max(event.strength, float(top.mean()))
        event.most_cells = max(event.most_cells, cells.size)
        total = float(values.sum())
        if total > event.peak_sum:
            rows, cols = np.divmod(cells, self.shape[1])
            event.peak_sum, event.peak_tick, event.peak_cells = total, tick, cells.size
            event.peak_row = float((rows * values).sum() / total)
            event.peak_col = float((cols * values).sum() / total)

    def _close(self, event: _LiveEvent) -> None:
        rule = self.definition
        n_ticks = event.last_tick + 1 - event.first_tick
        if event.highest < rule.onset_threshold or n_ticks < rule.min_on_s * self.fps - TICK_TOLERANCE:
            return
        if event.most_cells < rule.min_cells:
            return
        evidence = weigh_evidence(event.strength, n_ticks / self.fps)
        # As it is: the limits of the evidence would make equals of a classical detector's surest events.
        score = score_evidence(evidence, rule) if has_weights(rule) else event.strength
        if score < rule.min_score and not looks_at_places(rule):
            return
        x0, y0, x1, y1 = self.box
        cell_w_px, cell_h_px = (x1 - x0) / self.shape[1], (y1 - y0) / self.shape[0]
        area_px = event.peak_cells * cell_w_px * cell_h_px
        onset_s = max(0.0, event.first_tick / self.fps - rule.pad_onset_s)
        found = Event(
            onset_s=onset_s,
            offset_s=(event.last_tick + 1) / self.fps + rule.pad_offset_s,
            peak_s=max(onset_s, event.peak_tick / self.fps - rule.pad_peak_s),
            # Pixel centres are whole numbers, so the middle of a span of pixels lies half a pixel lower.
            region=Point(
                x0 + (event.peak_col + 0.5) * cell_w_px - 0.5,
                y0 + (event.peak_row + 0.5) * cell_h_px - 0.5,
            ),
            score=score,
            area_px=area_px,
            area_mm2=None if self.mm_per_px is None else area_px * self.pixel_aspect * self.mm_per_px**2,
        )
        # Packed: an event is then remembered in less than a kilobyte.
        footprint = Footprint(np.packbits(event.covered).tobytes(), self.shape)
        self._traces[found.peak_s, found.region] = _Trace(
            footprint, evidence, event.first_tick, event.last_tick + 1
        )
        self._waiting.append(found)


def _absorb(keep: _LiveEvent, give: _LiveEvent) -> None:
    """Join two events. Ticks before they touched stay summed apart: no history is kept."""
    keep.first_tick = min(keep.first_tick, give.first_tick)
    keep.last_tick = max(keep.last_tick, give.last_tick)
    keep.covered |= give.covered
    keep.highest = max(keep.highest, give.highest)
    keep.strength = max(keep.strength, give.strength)
    keep.most_cells = max(keep.most_cells, give.most_cells)
    if give.peak_sum > keep.peak_sum:
        keep.peak_sum, keep.peak_tick, keep.peak_cells = give.peak_sum, give.peak_tick, give.peak_cells
        keep.peak_row, keep.peak_col = give.peak_row, give.peak_col


def _clip_offset(event: Event, end_s: float) -> Event:
    # An event of the last tick can begin after the end that the frames' times give; it keeps its one tick.
    return dataclasses.replace(event, offset_s=min(event.offset_s, end_s)) if end_s > event.onset_s else event


def _check_definition(rule: EventDefinition) -> None:
    if not 0.0 < rule.offset_threshold <= rule.onset_threshold <= 1.0:
        raise SettingError(
            f"event definition: offset_threshold {rule.offset_threshold} and onset_threshold "
            f"{rule.onset_threshold}: need 0 < offset <= onset <= 1; mend the model file or the settings"
        )
    for name in ("min_on_s", "min_off_s", "pad_onset_s", "pad_offset_s", "pad_peak_s"):
        value = getattr(rule, name)
        if not 0.0 <= value < math.inf:
            raise SettingError(f"event definition: {name} is {value}; give seconds from 0 upwards")
    if not 0.0 <= rule.min_score <= 1.0:
        raise SettingError(f"event definition: min_score is {rule.min_score}; give 0 to 1")
    for name in [f.name for f in dataclasses.fields(rule) if f.name.startswith("score_")]:
        if not math.isfinite(getattr(rule, name)):
            raise SettingError(f"event definition: {name} is {getattr(rule, name)}; give a number")
    for name, least in (("join_cells", 0), ("min_cells", 1)):
        value = getattr(rule, name)
        if type(value) is not int or not least <= value <= 10_000:
            raise SettingError(f"event definition: {name} is {value}; give a whole number from {least}")
