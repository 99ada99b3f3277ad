"""Outcomes of random clips, for tests that need no files."""

from __future__ import annotations

import numpy as np

from fascnet.evaluation.matching.match import MatchingRule, match_events
from fascnet.evaluation.outcome import ClipOutcome
from fascnet.types import Event, Labels

RULE = MatchingRule("any_overlap")
KINDS = ("arterial_pulsation", "probe_motion", "voluntary_contraction")


def make_outcome(clip_id, subject, reference, found, *, length_s=10.0, score=None) -> ClipOutcome:
    reference, found = tuple(reference), tuple(found)
    examined = ((0.0, length_s),)
    matching = match_events(reference, found, RULE, examined=examined)
    return ClipOutcome(clip_id, subject, examined, reference, found, matching, score)


def draw_outcomes(seed, n_clips=60, n_subjects=12):
    """Random clips: reference events with sizes, findings of which some are false, confounders labelled."""
    rng = np.random.default_rng(seed)
    outcomes, labels = [], {}
    for number in range(n_clips):
        clip_id = f"c{number:03d}"
        onsets = np.sort(rng.choice(np.arange(20), size=rng.integers(0, 5), replace=False)) / 2
        truth = [
            Event(
                float(t),
                float(t) + 0.3,
                peak_mm=None if rng.random() < 0.1 else float(rng.uniform(0.05, 0.6)),
            )
            for t in onsets
        ]
        found = [Event(e.onset_s + 0.05, e.offset_s, score=0.9) for e in truth if rng.random() < 0.7]
        for onset in rng.uniform(0, 9.5, rng.integers(0, 4)):
            # On whole milliseconds, so that an independent count on a grid of them is exact.
            t = round(float(onset), 3)
            found.append(Event(t, round(t + 0.25, 3), score=round(float(rng.uniform(0.3, 1)), 3)))
        found.sort(key=lambda event: event.onset_s)
        confounders = []
        for _ in range(rng.integers(0, 4)):
            start = round(float(rng.uniform(0, 11)), 3)
            end = round(start + float(rng.uniform(0.2, 3)), 3)
            confounders.append(Event(start, end, label=str(rng.choice(KINDS))))
        outcomes.append(make_outcome(clip_id, number % n_subjects, truth, found, score=0.5))
        labels[clip_id] = Labels(clip_id, "anna", ((0.0, 10.0),), (*truth, *confounders))
    return outcomes, labels
