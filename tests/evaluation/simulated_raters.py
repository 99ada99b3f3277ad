"""Raters whose sensitivity, false alarms and timing are known, for the tests of this folder."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fascnet.types import Event, Labels

EVENT_S = 0.3
DURATION_S = 20.0


@dataclass(frozen=True, slots=True)
class SimulatedRater:
    """Finds an event with `sensitivity`, adds `false_alarms_per_min` (Poisson), is off by `jitter_s` (SD).

    `spread` makes sensitivity differ between subjects (SD on the logit), as it does between patients.
    """

    name: str
    sensitivity: float = 0.9
    false_alarms_per_min: float = 1.0
    jitter_s: float = 0.03
    spread: float = 0.0


@dataclass(frozen=True, slots=True)
class SimulatedStudy:
    """`clips`: clip_id -> rater -> labels, `truth`: clip_id -> labels, `subjects`: clip_id -> index."""

    clips: dict[str, dict[str, Labels]]
    truth: dict[str, Labels]
    subjects: dict[str, int]
    n_subjects: int


def draw_truth(clip_id: str, rate_per_min: float, rng: np.random.Generator) -> Labels:
    """Events at least 0.8 s apart, so that which is which is never in doubt."""
    slots = np.arange(0.4, DURATION_S - 0.8, 0.8)
    onsets = slots[rng.random(len(slots)) < rate_per_min / 60 * 0.8]
    return label(clip_id, "truth", onsets)


def label(clip_id: str, rater: str, onsets, duration_s: float = DURATION_S) -> Labels:
    events = tuple(Event(float(t), float(t) + EVENT_S, float(t) + EVENT_S / 2) for t in sorted(onsets))
    return Labels(clip_id, rater, ((0.0, duration_s),), events)


def rate(truth: Labels, rater: SimulatedRater, shift: float, rng: np.random.Generator) -> Labels:
    """Label one clip as this rater would; `shift` moves the logit of the sensitivity in this subject."""
    onsets = np.array([event.onset_s for event in truth.events])
    logit = np.log(rater.sensitivity / (1 - rater.sensitivity)) + rater.spread * shift
    found = onsets[rng.random(len(onsets)) < 1 / (1 + np.exp(-logit))]
    found = found + np.clip(rng.normal(0, rater.jitter_s, len(found)), -0.1, 0.1)
    # False alarms keep away from true events: one that hits a true event would be a hit.
    wanted, false = rng.poisson(rater.false_alarms_per_min * DURATION_S / 60), []
    while len(false) < wanted:
        t = rng.uniform(0, DURATION_S - EVENT_S)
        if all(abs(t - other) > 0.5 for other in (*onsets, *false)):
            false.append(t)
    return label(truth.clip_id, rater.name, [*found, *false])


def simulate_study(
    raters: list[SimulatedRater], n_subjects: int, seed: int, clips_each: int = 2, rate_per_min: float = 15.0
) -> SimulatedStudy:
    rng = np.random.default_rng(seed)
    clips, truths, subjects = {}, {}, {}
    for subject in range(n_subjects):
        shift, own_rate = rng.normal(), rate_per_min * rng.gamma(4, 0.25)
        for take in range(clips_each):
            clip_id = f"s{subject:03d}_{take}"
            truths[clip_id] = draw_truth(clip_id, own_rate, rng)
            clips[clip_id] = {r.name: rate(truths[clip_id], r, shift, rng) for r in raters}
            subjects[clip_id] = subject
    return SimulatedStudy(clips, truths, subjects, n_subjects)
