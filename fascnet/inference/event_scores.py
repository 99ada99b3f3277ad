"""How sure is one event? From what its heatmaps showed to the probability that it is a fasciculation.

A logistic regression on four numbers, with weights that were fitted on validation clips
(`fascnet.training.event_scoring`) and stand in the event definition. Without weights the event's strongest
cells speak for it. Its size is no evidence: how large a motor unit looks depends on the muscle, the plane and
a pixel spacing that is often unknown; on subjects left out it brought nothing (docs/experiments.md).
"""

from __future__ import annotations

import math
from typing import NamedTuple

from fascnet.types import EventDefinition

LEAST_P = 1 / 510
"""Half a step of a heatmap kept as bytes: no cell is surer than that, whether it was kept or not."""

_LIMIT = 50.0


class Evidence(NamedTuple):
    """What speaks for an event, on scales on which a logistic regression can add.

    Attributes:
        strength: logit of the mean probability of its strongest cells.
        duration: natural logarithm of its seconds.
        unrest: natural logarithm of the probability that its cells reach, on average, in the most restless
            twentieth of the time without candidates there; 0 until the clip has ended.
        recurrence: natural logarithm of their mean probability outside of its own time; 0 until then.
    """

    strength: float
    duration: float
    unrest: float = 0.0
    recurrence: float = 0.0


def has_weights(rule: EventDefinition) -> bool:
    """Say whether event scores were fitted; else an event's strongest cells are its score."""
    weights = (rule.score_intercept, rule.score_strength, rule.score_duration)
    return weights != (0.0, 1.0, 0.0) or looks_at_places(rule)


def looks_at_places(rule: EventDefinition) -> bool:
    """Say whether scores need the whole clip: they are final once it has ended, not with the event."""
    return (rule.score_unrest, rule.score_recurrence) != (0.0, 0.0)


def weigh_evidence(strongest: float, seconds: float) -> Evidence:
    """Put what was seen of an event on the scales of `Evidence`.

    Args:
        strongest: mean probability of its strongest cells, 0-1.
        seconds: how long it lasted, above 0.
    """
    p = min(max(strongest, LEAST_P), 1.0 - LEAST_P)
    return Evidence(math.log(p / (1.0 - p)), math.log(seconds))


def score_evidence(evidence: Evidence, rule: EventDefinition) -> float:
    """Return the probability of an event, 0-1, by the weights of the event definition."""
    z = (
        rule.score_intercept
        + rule.score_strength * evidence.strength
        + rule.score_duration * evidence.duration
        + rule.score_unrest * evidence.unrest
        + rule.score_recurrence * evidence.recurrence
    )
    # Beyond it a float is 0 or 1 already, and the exponential would overflow.
    return 1.0 / (1.0 + math.exp(-min(max(z, -_LIMIT), _LIMIT)))
