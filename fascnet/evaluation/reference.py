"""Who is taken as true: one rater, or the consensus of several."""

from __future__ import annotations

from collections.abc import Mapping

from fascnet.errors import SettingError
from fascnet.evaluation.raters.consensus import build_consensus
from fascnet.evaluation.rules import ScoringRules
from fascnet.evaluation.sources.source import ClipFacts
from fascnet.types import Labels

CONSENSUS = "consensus"
"""The name of a reference that is made of all raters' labels."""

LabelSet = Mapping[str, Mapping[str, Labels]]
"""clip_id -> rater -> labels."""


def choose_reference(labels: LabelSet, wanted: str | None) -> str:
    """Return the rater taken as true: the one wanted, `consensus`, or the only one.

    Raises:
        SettingError: there is no such rater, or several and none was chosen.
    """
    raters = list_raters(labels)
    if not raters:
        raise SettingError("labels: the folder holds no CLIP.RATER.json; give a labels folder")
    if wanted is None and len(raters) > 1:
        raise SettingError(f"reference: several raters; choose {CONSENSUS} or one of {', '.join(raters)}")
    chosen = raters[0] if wanted is None else wanted
    if chosen == CONSENSUS and chosen not in raters:
        if len(raters) < 2:
            raise SettingError(f"reference: a consensus needs two raters, there is only '{raters[0]}'")
        return chosen
    if chosen not in raters:
        raise SettingError(f"reference: there is no rater '{chosen}'; choose one of {', '.join(raters)}")
    return chosen


def list_raters(labels: LabelSet) -> list[str]:
    """List every rater, sorted."""
    return sorted({rater for by_rater in labels.values() for rater in by_rater})


def add_consensus(
    labels: LabelSet, rules: ScoringRules, facts: Mapping[str, ClipFacts]
) -> dict[str, dict[str, Labels]]:
    """Add the consensus of all raters as one more rater, where enough of them looked.

    Raises:
        SettingError: more raters are asked for than there are, or no clip was seen by enough of them.
    """
    consensus = build_consensus(
        labels,
        list_raters(labels),
        rules.matching,
        method=rules.consensus.method,
        min_raters=rules.consensus.min_raters,
        facts=facts,
        name=CONSENSUS,
    )
    if not consensus:
        raise SettingError(
            f"reference: no clip was seen by {rules.consensus.min_raters} raters; set consensus.min_raters"
        )
    return {
        clip_id: {**by_rater, **({CONSENSUS: consensus[clip_id]} if clip_id in consensus else {})}
        for clip_id, by_rater in labels.items()
    }
