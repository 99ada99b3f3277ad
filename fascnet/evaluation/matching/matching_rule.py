"""When does a found event count as a reference event? The rule, its checks, and the rules known by name."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from fascnet.errors import SettingError

TIME_ROUNDING_S = 0.001
"""Slack of the frame rule: times in tables are rounded, and a frame period is seldom a round number."""

MODES = ("overlap", "tolerance", "iou")


@dataclass(frozen=True, slots=True)
class MatchingRule:
    """When do two events match? In time, and in space when a distance is given; both must hold.

    Attributes:
        name: key in `metrics.json`.
        mode: `overlap` (the intervals share any moment), `tolerance` (peaks, or onsets where either event has
            no peak, differ by at most the tolerance) or `iou` (shared time / joint time is at least
            `min_iou`).
        tolerance_s: largest time difference in seconds, for `tolerance`.
        tolerance_frames: the same in frames of the recording; the clip's frame rate turns it into seconds.
        max_distance_px: largest distance in stored pixels, from one event's centre to the other's region, 0
            inside.
        max_distance_mm: the same in mm. Neither: time only. An event without region is matched in time only.
        min_iou: smallest temporal intersection over union, above 0 to 1, for `iou`.
        simultaneous: `twice` (each focus is an event) or `once` (events of one source that overlap in time,
            directly or through a chain, are one event). Clinics disagree; say which, or report both.
    """

    name: str
    mode: str = "overlap"
    tolerance_s: float | None = None
    tolerance_frames: float | None = None
    max_distance_px: float | None = None
    max_distance_mm: float | None = None
    min_iou: float | None = None
    simultaneous: str = "twice"

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise SettingError(f"matching.mode is '{self.mode}'; choose overlap, tolerance or iou")
        if self.mode == "tolerance" and self.tolerance_s is None and self.tolerance_frames is None:
            raise SettingError("matching.mode=tolerance needs matching.tolerance_s")
        for key in ("tolerance_s", "tolerance_frames", "max_distance_px", "max_distance_mm"):
            value = getattr(self, key)
            if value is not None and not (math.isfinite(value) and value >= 0):
                raise SettingError(f"matching.{key} is {value}; give a number from 0")
        if self.max_distance_px is not None and self.max_distance_mm is not None:
            raise SettingError("matching: set max_distance_px or max_distance_mm to null")
        if self.mode == "iou" and self.min_iou is None:
            raise SettingError("matching.mode=iou needs matching.min_iou")
        if self.min_iou is not None and not 0 < self.min_iou <= 1:
            raise SettingError(f"matching.min_iou is {self.min_iou}; give a number above 0, at most 1")
        if self.simultaneous not in {"once", "twice"}:
            raise SettingError(f"matching.simultaneous is '{self.simultaneous}'; choose once or twice")

    def describe(self) -> dict[str, object]:
        """Return the rule as it stands in `metrics.json`."""
        keys = (
            "mode",
            "tolerance_s",
            "tolerance_frames",
            "max_distance_px",
            "max_distance_mm",
            "min_iou",
            "simultaneous",
        )
        return {"name": self.name} | {key: getattr(self, key) for key in keys}

    def resolve_tolerance_s(self, fps: float | None) -> float:
        """Return the time tolerance in seconds for a clip of this frame rate; 0 where there is none.

        Raises:
            SettingError: the rule counts frames and the frame rate is unknown.
        """
        if self.mode != "tolerance":
            return 0.0
        if self.tolerance_frames is None:
            return 0.0 if self.tolerance_s is None else self.tolerance_s
        if fps is None:
            raise SettingError(
                f"matching rule {self.name} counts frames, but the frame rate of a clip is unknown"
            )
        return self.tolerance_frames / fps + TIME_ROUNDING_S

    def resolve_limit_px(self, mm_per_px: float | None) -> float | None:
        """Return the largest distance in stored pixels of a clip, or None for time only.

        Raises:
            SettingError: the rule is in mm and the pixel spacing is unknown.
        """
        if self.max_distance_mm is None:
            return self.max_distance_px
        if mm_per_px is None:
            raise SettingError(
                f"matching rule {self.name} is in mm, but mm_per_px of a clip is unknown: give pixels"
            )
        return self.max_distance_mm / mm_per_px


def build_rule(name: str, simultaneous: str = "twice") -> MatchingRule:
    """Build the rule of a name.

    Names: `any_overlap`; `167ms_15px` (±10 frames at 60 frame/s and 15 px, the tongue detector's, the only
    published tolerance); `1_frame` (Kobe's ±1 frame); `iou_0.1` to `iou_1`; `overlap_2mm` (any overlap and at
    most so many mm apart; any number).

    Raises:
        SettingError: there is no such rule.
    """
    fixed = {
        "any_overlap": MatchingRule("any_overlap", simultaneous=simultaneous),
        "167ms_15px": MatchingRule(
            "167ms_15px", "tolerance", tolerance_s=0.167, max_distance_px=15.0, simultaneous=simultaneous
        ),
        "1_frame": MatchingRule("1_frame", "tolerance", tolerance_frames=1.0, simultaneous=simultaneous),
    }
    if name in fixed:
        return fixed[name]
    if found := re.fullmatch(r"iou_([0-9.]+)", name):
        return MatchingRule(name, "iou", min_iou=_read_number(name, found[1]), simultaneous=simultaneous)
    if found := re.fullmatch(r"overlap_([0-9.]+)mm", name):
        return MatchingRule(name, max_distance_mm=_read_number(name, found[1]), simultaneous=simultaneous)
    raise SettingError(
        f"matching rule '{name}' is unknown; choose {', '.join(fixed)}, iou_0.1 … iou_1 or overlap_2mm"
    )


def _read_number(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise SettingError(f"matching rule '{name}' holds no number; write for example iou_0.5") from error
