"""Watches the frames of a clip as they pass to the detector: the whole picture, and every block of it.

Memory is constant: a quarter of a second of small pictures, a few numbers a block, and a file on disk.
"""

from __future__ import annotations

import math
from collections import deque
from typing import Self

import numpy as np
from numpy.typing import NDArray

from fascnet.inference.movement.block_flow import (
    LEAST_TEXTURE,
    BlockFlow,
    SmallPicture,
    measure_change,
    measure_texture,
)
from fascnet.inference.movement.trace import MovementTrace
from fascnet.inference.movement.unscored import Look, RejectRule, UnscoredFinder
from fascnet.types import Frame, NotScored, PixelBox

MAX_RATE_HZ = 65.0
"""Frames that come faster than this are passed over: tremor has 12 Hz at most."""

STILL_LEVELS = 0.05
"""Mean change in grey levels below which two frames show one picture. Quiet muscle at 61 frames/s changes by
0.15 (1st percentile of four real clips); repeated frames by 0.04 or less once a codec has passed them."""

_LAG_S, _EVERY_S = 0.25, 0.1
"""How far back, and how often, the picture is compared with its own past."""

_USUAL_S, _LEAST_USUAL_S = 3.0, 0.5
"""Seconds over which a change of the whole picture counts as usual, and how many must have passed."""

_LEARN_S, _RELEARN_S = 3.0, 30.0
"""Time over which the texture of a block is learnt; slowly while it is lost, so that a new place is accepted
in the end."""

_LEAST_TISSUE = 4.0
"""Deviation in grey levels from which a block holds tissue that can be lost."""

_TEXTURE_LOST_SHARE = 0.45
"""A block has lost its tissue when its texture falls below this share of what it was."""

_DARK_SHARE = 0.6
"""Share of blocks without any texture that is a lost image even when there was none before."""


class MovementWatcher:
    """Sees every frame once, and says afterwards what cannot be scored and how each place moved.

    A context manager: it owns the trace on disk.

    Args:
        box: imaging area (x0, y0, x1, y1) in stored pixels, as the heatmap covers it.
        mm_per_px: spacing of the stored pixels, an assumed one if need be.
        rule: what cannot be scored; None when everything is.
        pixel_aspect: width of a stored pixel over its height.
    """

    def __init__(
        self, box: PixelBox, mm_per_px: float, rule: RejectRule | None, pixel_aspect: float = 1.0
    ) -> None:
        self.small = SmallPicture(box)
        self.trace = MovementTrace(self.small.grid)
        self._flow = BlockFlow(self.small.height, self.small.width)
        across_mm = pixel_aspect * mm_per_px * self.small.stored_px_x
        self._mm = np.array([across_mm, mm_per_px * self.small.stored_px_y], np.float32)
        self._rule = rule
        self.begin()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.trace.__exit__()

    def begin(self) -> None:
        """Start anew: the recording is decoded from its first frame again."""
        self.trace.clear()
        self._finder = None if self._rule is None else UnscoredFinder(self._rule)
        self._last: NDArray[np.uint8] | None = None
        self._seen_s = self._changed_s = self._first_s = -math.inf
        self._past: deque[tuple[float, NDArray[np.uint8]]] = deque()
        self._compared_s = -math.inf
        self._redraws: deque[tuple[float, float]] = deque()
        self._usual = np.zeros(self.small.grid, np.float32)

    def watch(self, frame: Frame) -> None:
        """Look at the next frame."""
        if frame.time_s - self._seen_s < 1.0 / MAX_RATE_HZ:
            return
        picture = self.small.take(frame.image)
        if self._last is None:
            self._usual = measure_texture(picture)
            self._keep(frame.time_s, picture)
            self._changed_s = self._first_s = frame.time_s
        else:
            self._compare(frame.time_s, picture, self._last)
        self._seen_s = frame.time_s

    def list_unscored(self, end_s: float) -> tuple[NotScored, ...]:
        """Return what cannot be scored of the clip, which ends at `end_s`; call it once, at the end."""
        return () if self._finder is None else self._finder.finish(end_s)

    def _compare(self, now_s: float, picture: NDArray[np.uint8], last: NDArray[np.uint8]) -> None:
        self._note_gap(now_s)
        change, redraw = measure_change(last, picture)
        if change <= STILL_LEVELS:
            if self._finder is not None:
                self._finder.push(Look(self._seen_s, now_s, is_still=True))
            return
        # A repeated frame hides movement for one step and doubles it at the next: the step is the longer one.
        before_s, elapsed_s = self._changed_s, now_s - self._changed_s
        moved = self._flow.measure(last, picture)
        shift = np.asarray(moved.shift_px, np.float32)
        relative = ((moved.blocks_px - shift) * self._mm / elapsed_s).astype(np.float32)
        self.trace.append((before_s + now_s) / 2, relative)
        if self._finder is not None:
            correlation = self._compare_with_past(now_s, picture)
            scale = float(self._mm.mean()) / elapsed_s
            self._finder.push(
                Look(
                    # Of a step that a freeze makes long, only the end is seen to move.
                    max(before_s, self._seen_s) if elapsed_s > _LAG_S else before_s,
                    now_s,
                    is_still=False,
                    rigid_mm_per_s=float(np.hypot(*(shift * self._mm))) / elapsed_s,
                    agreement=moved.agreement,
                    median_mm_per_s=moved.median_px * scale,
                    shift_px=float(np.hypot(*shift)),
                    redraw=redraw,
                    usual_redraw=self._note_redraw(now_s, redraw),
                    lost_share=self._note_texture(picture, elapsed_s),
                    correlation=correlation,
                    correlation_from_s=self._past[0][0] if self._past else now_s,
                )
            )
        self._keep(now_s, picture)
        self._changed_s = now_s

    def _note_gap(self, now_s: float) -> None:
        """Some recorders store nothing while the picture stands: nobody saw what went on until now."""
        if self._finder is None or self._rule is None or now_s - self._seen_s < self._rule.frozen_s:
            return
        end_s = now_s - 1.0 / MAX_RATE_HZ
        self._finder.push(Look(self._seen_s, end_s, is_still=True))
        self._seen_s = end_s

    def _keep(self, now_s: float, picture: NDArray[np.uint8]) -> None:
        self._last = picture
        if self._finder is not None:
            # Nobody else looks back, nor drops what is too old.
            self._past.append((now_s, picture))

    def _compare_with_past(self, now_s: float, picture: NDArray[np.uint8]) -> float | None:
        while len(self._past) > 1 and self._past[1][0] <= now_s - _LAG_S + 1e-6:
            self._past.popleft()
        if now_s - self._compared_s < _EVERY_S - 1e-6 or now_s - self._past[0][0] < 0.8 * _LAG_S:
            return None
        self._compared_s = now_s
        return self._flow.correlate(self._past[0][1], picture)

    def _note_redraw(self, now_s: float, redraw: float) -> float | None:
        """Return the largest redraw of the last seconds, then add this one. Keeps a falling sequence only."""
        while self._redraws and self._redraws[0][0] < now_s - _USUAL_S:
            self._redraws.popleft()
        enough = now_s - self._first_s >= _LEAST_USUAL_S and bool(self._redraws)
        usual = self._redraws[0][1] if enough else None
        while self._redraws and self._redraws[-1][1] <= redraw:
            self._redraws.pop()
        self._redraws.append((now_s, redraw))
        return usual

    def _note_texture(self, picture: NDArray[np.uint8], elapsed_s: float) -> float:
        """Return the share of blocks with tissue that have lost it, and learn what is usual."""
        texture = measure_texture(picture)
        if float((texture < LEAST_TEXTURE).mean()) >= _DARK_SHARE:
            return 1.0
        tissue = self._usual >= _LEAST_TISSUE
        lost = tissue & (texture < _TEXTURE_LOST_SHARE * self._usual)
        learn_s = np.where(lost, _RELEARN_S, _LEARN_S)
        self._usual += (1 - np.exp(-elapsed_s / learn_s)).astype(np.float32) * (texture - self._usual)
        return float(lost.sum()) / max(1, int(tissue.sum()))
