"""A matching rule in words, for captions of plots and tables."""

from __future__ import annotations

from fascnet.evaluation.matching.matching_rule import MatchingRule


def word_rule(rule: MatchingRule) -> str:
    """Say in words when two events match."""
    if rule.mode == "overlap":
        time = "any overlap in time"
    elif rule.mode == "iou":
        time = f"temporal IoU of {rule.min_iou:g} or more"
    elif rule.tolerance_frames is not None:
        frames = "frame" if rule.tolerance_frames == 1 else "frames"
        time = f"peaks (or onsets) within {rule.tolerance_frames:g} {frames}"
    else:
        time = f"peaks (or onsets) within {1000 * rule.resolve_tolerance_s(None):g} ms"
    place = ""
    if rule.max_distance_px is not None:
        place = f", found point within {rule.max_distance_px:g} px of the reference region"
    elif rule.max_distance_mm is not None:
        place = f", found point within {rule.max_distance_mm:g} mm of the reference region"
    return f"{time}{place}, simultaneous foci counted {rule.simultaneous}"
