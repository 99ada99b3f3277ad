"""How good is each rater? Estimated by STAPLE from the raters alone, without taking any of them as true."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fascnet.evaluation.matching.match import MatchingRule
from fascnet.evaluation.raters.consensus import ClipLabels, count_patterns
from fascnet.evaluation.raters.staple import MAX_RATERS, MIN_RATERS, estimate_raters, list_patterns
from fascnet.evaluation.sources.source import ClipFacts
from fascnet.evaluation.uncertainty.bootstrap import Figure, FloatArray


def score_raters(
    clips: ClipLabels,
    raters: Sequence[str],
    rule: MatchingRule,
    subjects: Mapping[str, int],
    weights: FloatArray,
    facts: Mapping[str, ClipFacts],
) -> dict[str, dict[str, Figure]]:
    """Estimate each rater's `sensitivity` and `false_alarms_per_min` against the hidden truth.

    Args:
        clips: labels of the raters by clip and rater.
        raters: whose.
        rule: when two raters' events are one.
        subjects: index of each clip's subject.
        weights: bootstrap weights (B, S).
        facts: what is known of each clip, where the rule counts frames or mm.

    Returns:
        Figures by rater; empty with fewer raters than identify the model, or with more than fit into memory.
    """
    if not MIN_RATERS <= len(raters) <= MAX_RATERS:
        return {}
    counts, minutes = count_patterns(clips, raters, rule, subjects, weights.shape[1], facts=facts)
    # Of the 3 ** raters patterns a study shows few; the others would only cost time.
    shown = counts.any(axis=0)
    figures = estimate_raters(counts[:, shown], list_patterns(len(raters))[shown], minutes, weights)
    return dict(zip(raters, figures, strict=True))
