"""From `configs/benchmark.yaml` to the rules of a benchmark; every wrong value is one line."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from fascnet.commands.whole_numbers import check_whole
from fascnet.errors import SettingError

if TYPE_CHECKING:
    from fascnet.evaluation.rules import Margin, ScoringRules

THRESHOLDS = {"clip_threshold": 0.5, "pixel_threshold": 0.5}
"""Thresholds of a benchmark and their defaults, fixed beforehand."""

_MAX_WORST_CLIPS = 100


def build_rules(config: Mapping[str, Any]) -> ScoringRules:
    """Build the rules of a resolved configuration.

    Raises:
        SettingError: a value is of the wrong kind or outside its bounds.
    """
    from fascnet.evaluation.figures.muscles import GradeScale, PresenceRule  # noqa: PLC0415
    from fascnet.evaluation.matching.matching_rule import MatchingRule, build_rule  # noqa: PLC0415
    from fascnet.evaluation.rules import ConsensusRule, ScoringRules  # noqa: PLC0415

    for key in THRESHOLDS:
        check_number(key, config[key], 0, 1)
    matching = config["matching"]
    for key in ("tolerance_s", "min_iou", "max_distance_px", "max_distance_mm"):
        if matching[key] is not None:
            check_number(f"matching.{key}", matching[key], 0, math.inf)
    simultaneous = str(matching["simultaneous"])
    presence = config["presence"]
    check_whole("benchmark: presence.min_events", presence["min_events"], 1, 10_000)
    if presence["window_s"] is not None:
        check_number("presence.window_s", presence["window_s"], 0, math.inf)
    check_number("presence.min_examined_s", presence["min_examined_s"], 0, math.inf)
    grades = {key: check_numbers(f"grades.{key}", values) for key, values in config["grades"].items()}
    consensus = config["consensus"]
    return ScoringRules(
        matching=MatchingRule("main", **matching),
        ignored_certainty=frozenset(check_words("ignored_certainty", config["ignored_certainty"])),
        clip_threshold=float(config["clip_threshold"]),
        pixel_threshold=float(config["pixel_threshold"]),
        reported=tuple(
            build_rule(name, simultaneous) for name in check_words("reported_rules", config["reported_rules"])
        ),
        presence=PresenceRule(
            presence["min_events"],
            math.inf if presence["window_s"] is None else float(presence["window_s"]),
            float(presence["min_examined_s"]),
        ),
        scales=tuple(GradeScale(name, cutoffs) for name, cutoffs in grades.items()),
        missing=str(config["missing"]),
        not_scored=str(config["not_scored"]),
        consensus=ConsensusRule(
            str(consensus["method"]),
            check_whole("benchmark: consensus.min_raters", consensus["min_raters"], 1, 1000),
        ),
        margin=_build_margin(config["margin"]),
        subgroups=_build_subgroups(config),
        worst_clips=check_whole("benchmark: worst_clips", config["worst_clips"], 0, _MAX_WORST_CLIPS),
    )


def check_number(key: str, value: object, low: float, high: float) -> float:
    """Return a number within its bounds.

    Raises:
        SettingError: it is none.
    """
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not is_number or not low <= float(value) <= high:  # type: ignore[arg-type]
        bounds = f"from {low:g}" + ("" if math.isinf(high) else f" to {high:g}")
        raise SettingError(f"benchmark: {key}={value} must be a number {bounds}")
    return float(value)  # type: ignore[arg-type]


def check_numbers(key: str, values: object) -> tuple[float, ...]:
    """Return a list of numbers.

    Raises:
        SettingError: it is none.
    """
    if not isinstance(values, list):
        raise SettingError(f"benchmark: {key}={values} must be a list of numbers, such as [1, 5, 20]")
    return tuple(check_number(key, value, -math.inf, math.inf) for value in values)


def check_words(key: str, words: object) -> list[str]:
    """Return a list of words.

    Raises:
        SettingError: it is none.
    """
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise SettingError(f"benchmark: {key}={words} must be a list of words, such as [possible]")
    twice = sorted({word for word in words if words.count(word) > 1})
    if twice:
        raise SettingError(f"benchmark: {key} names '{twice[0]}' twice; name it once")
    return words


def _build_margin(config: Mapping[str, Any]) -> Margin | None:
    from fascnet.evaluation.rules import Margin  # noqa: PLC0415

    figure = str(config["figure"])
    if config["value"] is None:
        Margin(figure, 1.0)  # a wrong word is told although nothing hangs on it
        return None
    return Margin(figure, check_number("margin.value", config["value"], 0, math.inf))


def _build_subgroups(config: Mapping[str, Any]) -> dict[str, tuple[float, ...] | None]:
    columns = check_words("subgroups", config["subgroups"])
    cuts = {} if config["subgroup_cuts"] is None else config["subgroup_cuts"]
    if not isinstance(cuts, Mapping):
        raise SettingError(
            "benchmark: subgroup_cuts takes columns and edges, such as '{noise_db: [-35, -25]}'"
        )
    unknown = sorted(str(column) for column in cuts if column not in columns)
    if unknown:
        raise SettingError(f"benchmark: subgroup_cuts.{unknown[0]} is not in subgroups={columns}; add it")
    return {
        column: check_numbers(f"subgroup_cuts.{column}", cuts[column]) if column in cuts else None
        for column in columns
    }
