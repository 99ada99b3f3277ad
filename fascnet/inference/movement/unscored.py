"""Which seconds of a clip cannot be scored, and why: the probe moved, the image was lost, the picture froze.

A rule looks at the whole picture only, never at a heatmap, so that it holds for every detector. Twitches are
local: in 16 simulated clips no twitch moved the median of the picture faster than 1.5 mm/s, while the
quicker half of the knocks on the probe moved it at 4 to 34 mm/s (docs/reject.md).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields

from fascnet.errors import SettingError
from fascnet.types import NotScored

PROBE_MOVED = "probe_moved"
GROSS_MOVEMENT = "gross_movement"
PLANE_CHANGED = "plane_changed"
IMAGE_LOST = "image_lost"
FROZEN = "frozen"
REDRAWN = "redrawn"
REASONS = (PROBE_MOVED, GROSS_MOVEMENT, PLANE_CHANGED, IMAGE_LOST, FROZEN, REDRAWN)

_PLANE_CHANGES_SLOWLY = "plane_changes_slowly"
"""Kept apart from the quick changes, and reported as one with them."""

_MOST_STILL_SHIFT_PX = 0.15
"""A picture that is drawn anew stays where it is; small pixels."""


@dataclass(frozen=True, slots=True)
class Look:
    """What the whole picture did from one frame to the next.

    Attributes:
        start_s: time of the frame before that showed another picture.
        end_s: time of this frame.
        is_still: this frame shows the picture of the one before; all below is then without meaning.
        rigid_mm_per_s: speed of the picture as one.
        agreement: share of the picture that moves so, 0-1.
        median_mm_per_s: median speed of its parts, in any direction.
        shift_px: size of the shift, small pixels.
        redraw: lower quartile over blocks of the absolute change, grey levels.
        usual_redraw: the largest such value of the seconds before; None when too few have passed.
        lost_share: share of the blocks with tissue whose texture is gone, 0-1.
        correlation: with the picture a quarter of a second ago, its movement undone; None when not measured.
        correlation_from_s: time of that picture.
    """

    start_s: float
    end_s: float
    is_still: bool
    rigid_mm_per_s: float = 0.0
    agreement: float = 0.0
    median_mm_per_s: float = 0.0
    shift_px: float = 0.0
    redraw: float = 0.0
    usual_redraw: float | None = None
    lost_share: float = 0.0
    correlation: float | None = None
    correlation_from_s: float = 0.0


@dataclass(frozen=True, slots=True)
class RejectRule:
    """What makes a second of a clip one that cannot be scored.

    Args:
        probe_mm_per_s: the picture moves as one faster than this, 0.5-100 mm/s.
        probe_s: for at least so long, 0-5 s.
        probe_agreement: share of the picture that has to move along, 0.3-1.
        gross_mm_per_s: half of the picture moves faster than this, no matter where to, 1-200 mm/s.
        gross_s: for at least so long, 0-5 s.
        plane_correlation: detail of the picture correlates with that of 0.25 s ago, movement undone, no
            better than this, 0-1: the scanned plane is leaving the tissue.
        plane_s: for at least so long, 0-5 s.
        slow_plane_correlation: the same for a plane that changes slowly but goes on changing, as in a sweep;
            hand and body at rest swing it too, and it comes back.
        slow_plane_s: for at least so long, 0-5 s.
        lost_share: share of the picture whose texture is gone, 0.1-1.
        frozen_s: the picture stands still, or no frame comes, for at least so long, 0.1-10 s.
        redrawn_levels: the whole picture changes from one frame to the next by at least so many grey levels
            without moving, and `redrawn_ratio` times as much as in the 3 s before, 0.2-100.
        redrawn_ratio: see there, 1-100.
        settle_s: seconds left out after each of these, 0-1: a detector with a memory needs them.

    Raises:
        SettingError: a value is outside its range.
    """

    probe_mm_per_s: float = 4.0
    probe_s: float = 0.03
    probe_agreement: float = 0.6
    gross_mm_per_s: float = 10.0
    gross_s: float = 0.1
    plane_correlation: float = 0.75
    plane_s: float = 0.4
    slow_plane_correlation: float = 0.85
    slow_plane_s: float = 1.2
    lost_share: float = 0.3
    frozen_s: float = 0.3
    redrawn_levels: float = 1.5
    redrawn_ratio: float = 2.5
    settle_s: float = 0.15

    def __post_init__(self) -> None:
        for name, low, high in (
            ("probe_mm_per_s", 0.5, 100.0),
            ("probe_s", 0.0, 5.0),
            ("probe_agreement", 0.3, 1.0),
            ("gross_mm_per_s", 1.0, 200.0),
            ("gross_s", 0.0, 5.0),
            ("plane_correlation", 0.0, 1.0),
            ("plane_s", 0.0, 5.0),
            ("slow_plane_correlation", 0.0, 1.0),
            ("slow_plane_s", 0.0, 5.0),
            ("lost_share", 0.1, 1.0),
            ("frozen_s", 0.1, 10.0),
            ("redrawn_levels", 0.2, 100.0),
            ("redrawn_ratio", 1.0, 100.0),
            ("settle_s", 0.0, 1.0),
        ):
            value = getattr(self, name)
            if not (isinstance(value, int | float) and low <= value <= high):
                raise SettingError(f"reject: {name} is {value}; give a value from {low:g} to {high:g}")

    def describe(self) -> dict[str, float]:
        """Plain facts for `run.json`."""
        return {entry.name: float(getattr(self, entry.name)) for entry in fields(self)}


class UnscoredFinder:
    """Finds the seconds that cannot be scored, look by look; keeps what it found and nothing else.

    Args:
        rule: the thresholds.
    """

    _FLANK = 0.4
    """A movement that counts is left out from where it exceeds this share of the threshold."""

    def __init__(self, rule: RejectRule) -> None:
        self._rule = rule
        bridged_s = 0.1
        self._held = {
            PROBE_MOVED: _Held(PROBE_MOVED, rule.probe_s, bridged_s),
            GROSS_MOVEMENT: _Held(GROSS_MOVEMENT, rule.gross_s, bridged_s),
            PLANE_CHANGED: _Held(PLANE_CHANGED, rule.plane_s, 0.15),
            _PLANE_CHANGES_SLOWLY: _Held(PLANE_CHANGED, rule.slow_plane_s, 0.15),
            IMAGE_LOST: _Held(IMAGE_LOST, 0.1, 0.3),
            FROZEN: _Held(FROZEN, rule.frozen_s, 0.0),
            REDRAWN: _Held(REDRAWN, 0.0, 0.0),
        }

    def push(self, look: Look) -> None:
        """Take the next look."""
        rule, held = self._rule, self._held
        span = (look.start_s, look.end_s)
        held[FROZEN].push(*span, look.is_still, look.is_still)
        if look.is_still:
            return
        follows = look.agreement >= rule.probe_agreement
        held[PROBE_MOVED].push(
            *span,
            follows and look.rigid_mm_per_s >= self._FLANK * rule.probe_mm_per_s,
            look.rigid_mm_per_s >= rule.probe_mm_per_s,
        )
        held[GROSS_MOVEMENT].push(
            *span,
            look.median_mm_per_s >= self._FLANK * rule.gross_mm_per_s,
            look.median_mm_per_s >= rule.gross_mm_per_s,
        )
        if look.correlation is not None:
            for name, most in (
                (PLANE_CHANGED, rule.plane_correlation),
                (_PLANE_CHANGES_SLOWLY, rule.slow_plane_correlation),
            ):
                low = look.correlation <= most
                held[name].push(look.correlation_from_s, look.end_s, low, low)
        lost = look.lost_share >= rule.lost_share
        held[IMAGE_LOST].push(*span, lost, lost)
        redrawn = (
            look.usual_redraw is not None
            and look.redraw >= max(rule.redrawn_levels, rule.redrawn_ratio * look.usual_redraw)
            and look.shift_px <= _MOST_STILL_SHIFT_PX
        )
        held[REDRAWN].push(*span, redrawn, redrawn)

    def finish(self, end_s: float) -> tuple[NotScored, ...]:
        """Return what cannot be scored of a clip that ends at `end_s`, in order, apart from each other."""
        settle = {FROZEN: 0.0}
        found = [
            (start_s, stop_s + settle.get(held.reason, self._rule.settle_s), held.reason)
            for held in self._held.values()
            for start_s, stop_s in held.finish()
        ]
        return join_unscored(found, end_s)


def join_unscored(
    found: Sequence[tuple[float, float, str]], end_s: float, apart_s: float = 0.4
) -> tuple[NotScored, ...]:
    """Join spans that overlap, or that leave less than a twitch needs between them.

    Args:
        found: (start_s, end_s, reason) in any order.
        end_s: end of the clip; spans are cut to it.
        apart_s: what is closer than this is joined; a twitch lasts 0.1-0.6 s.

    Returns:
        Spans with times rounded to 0.1 ms, as tables hold them; reasons in the order of `REASONS`.
    """
    joined: list[tuple[float, float, set[str]]] = []
    for from_s, to_s, reason in sorted(found):
        if min(to_s, end_s) <= max(from_s, 0.0):
            continue
        # What is left before the first and after the last span counts as a gap too.
        start_s = 0.0 if from_s < apart_s else from_s
        stop_s = end_s if to_s > end_s - apart_s else to_s
        if joined and start_s - joined[-1][1] < apart_s:
            first_s, last_s, reasons = joined[-1]
            joined[-1] = (first_s, max(last_s, stop_s), reasons | {reason})
        else:
            joined.append((start_s, stop_s, {reason}))
    return tuple(
        NotScored(round(start_s, 4), round(stop_s, 4), "+".join(r for r in REASONS if r in reasons))
        for start_s, stop_s, reasons in joined
    )


class _Held:
    """Spans over which a condition holds, bridging short gaps, that are strong for long enough."""

    def __init__(self, reason: str, least_s: float, bridged_s: float) -> None:
        self.reason = reason
        self._least_s = least_s
        self._bridged_s = bridged_s
        self._start_s = self._end_s = -math.inf
        self._strong_s = 0.0
        self._is_open = False
        self._found: list[tuple[float, float]] = []

    def push(self, start_s: float, end_s: float, holds: bool, is_strong: bool) -> None:
        """Take the next span of time and whether the condition holds over it."""
        if self._is_open and start_s - self._end_s > self._bridged_s + 1e-9:
            self._close()
        if not holds:
            # A condition without bridging ends with the first span over which it does not hold.
            if self._is_open and self._bridged_s <= 0:
                self._close()
            return
        if not self._is_open:
            self._start_s, self._strong_s, self._is_open = start_s, 0.0, True
            self._end_s = start_s
        if is_strong:
            # Looks into the past overlap; time is counted once.
            self._strong_s += end_s - max(start_s, self._end_s)
        self._end_s = max(self._end_s, end_s)

    def finish(self) -> list[tuple[float, float]]:
        """Return every span, the last one too."""
        if self._is_open:
            self._close()
        return self._found

    def _close(self) -> None:
        if self._strong_s > 0 and self._strong_s >= self._least_s - 1e-6:
            self._found.append((self._start_s, self._end_s))
        self._is_open = False
