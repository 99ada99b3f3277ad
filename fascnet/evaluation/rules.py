"""The choices that decide every figure. All of them stand in `metrics.json` and in the report's methods."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from fascnet.errors import SettingError
from fascnet.evaluation.figures.muscles import FIVE_LEVELS, GRADES_0_3, GradeScale, PresenceRule
from fascnet.evaluation.matching.matching_rule import MatchingRule, build_rule
from fascnet.evaluation.raters.consensus import METHODS
from fascnet.evaluation.raters.interchangeability import FIGURES
from fascnet.evaluation.sources.missing import MISSING_RULES

REPORTED_RULES = (
    "any_overlap",
    "167ms_15px",
    "1_frame",
    "iou_0.1",
    "iou_0.3",
    "iou_0.5",
    "iou_0.7",
    "overlap_5mm",
)
"""Rules reported besides the main one. 5 mm is about half the long axis of a motor unit territory (Birkbeck
2020: 10.7 ± 3.3 mm), a choice of this project."""


NOT_SCORED_RULES = {
    "missed": "seconds that a source did not score count as examined without an event",
    "left_out": "seconds that a source did not score count as not examined by it",
}
"""What becomes of seconds in which the probe moved or the image was lost, and how it is worded."""


@dataclass(frozen=True, slots=True)
class ConsensusRule:
    """How several raters' labels become one reference.

    Attributes:
        method: one of `consensus.METHODS`.
        min_raters: how many must have looked at a second for it to count, from 1.
    """

    method: str = "majority"
    min_raters: int = 2

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise SettingError(f"consensus.method is '{self.method}'; choose {', '.join(METHODS)}")
        if self.min_raters < 1:
            raise SettingError(f"consensus.min_raters is {self.min_raters}; give 1 or more")


@dataclass(frozen=True, slots=True)
class Margin:
    """How much worse than another source still counts as no worse. To be set before the data are seen.

    Attributes:
        figure: a key of `interchangeability.FIGURES`.
        value: in units of the figure, above 0.
    """

    figure: str
    value: float

    def __post_init__(self) -> None:
        if self.figure not in FIGURES:
            raise SettingError(f"margin.figure is '{self.figure}'; choose {', '.join(FIGURES)}")
        if not (math.isfinite(self.value) and self.value > 0):
            raise SettingError(f"margin.value is {self.value}; give a number above 0")


@dataclass(frozen=True, slots=True)
class ScoringRules:
    """What decides a figure.

    Attributes:
        matching: when a found event is a reference event.
        ignored_certainty: certainty words whose events are neither misses nor false alarms.
        clip_threshold: score from which a source with scores calls a clip positive.
        pixel_threshold: probability from which a cell counts as found.
        reported: rules that event figures are reported under besides.
        presence: when a muscle fasciculates.
        scales: grades of a muscle.
        missing: what becomes of clips without a prediction, one of `missing.MISSING_RULES`.
        not_scored: what becomes of seconds that `predict` did not score, one of `NOT_SCORED_RULES`.
        consensus: how the reference `consensus` is made.
        margin: for statements of non-inferiority; None for none.
        subgroups: columns to cut clips by, and the inner edges for numbers (None: words, or quantiles).
        worst_clips: how many to list.
    """

    matching: MatchingRule
    ignored_certainty: frozenset[str] = frozenset()
    clip_threshold: float = 0.5
    pixel_threshold: float = 0.5
    reported: tuple[MatchingRule, ...] = tuple(build_rule(name) for name in REPORTED_RULES)
    presence: PresenceRule = field(default_factory=PresenceRule)
    scales: tuple[GradeScale, ...] = (GRADES_0_3, FIVE_LEVELS)
    missing: str = "refuse"
    not_scored: str = "missed"
    consensus: ConsensusRule = field(default_factory=ConsensusRule)
    margin: Margin | None = None
    subgroups: Mapping[str, Sequence[float] | None] = field(
        default_factory=lambda: {"muscle": None, "side": None}
    )
    worst_clips: int = 10

    def __post_init__(self) -> None:
        if self.missing not in MISSING_RULES:
            raise SettingError(f"missing is '{self.missing}'; choose {', '.join(MISSING_RULES)}")
        if self.not_scored not in NOT_SCORED_RULES:
            raise SettingError(f"not_scored is '{self.not_scored}'; choose {', '.join(NOT_SCORED_RULES)}")
        if self.worst_clips < 0:
            raise SettingError(f"worst_clips is {self.worst_clips}; give 0 or more")

    def describe(self) -> dict[str, object]:
        """Return the rules as they stand in `metrics.json`."""
        margin = self.margin
        return {
            "matching": self.matching.describe(),
            "by_tolerance": [rule.describe() for rule in self.reported],
            "ignored_certainty": sorted(self.ignored_certainty),
            "clip_threshold": self.clip_threshold,
            "pixel_threshold": self.pixel_threshold,
            "muscle_presence": {
                "min_events": self.presence.min_events,
                "window_s": self.presence.window_s if math.isfinite(self.presence.window_s) else None,
                "min_examined_s": self.presence.min_examined_s,
            },
            "muscle_grades": {scale.name: list(scale.cutoffs_per_min) for scale in self.scales},
            "missing_predictions": self.missing,
            "not_scored_seconds": self.not_scored,
            "consensus": {"method": self.consensus.method, "min_raters": self.consensus.min_raters},
            "margin": None if margin is None else {"figure": margin.figure, "value": margin.value},
        }
