"""Raters whose sensitivity, false alarms and timing are known, for the tests of this folder."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from fascnet.data.labelling.regions import find_centre
from fascnet.phantom.scene import PhantomSettings, draw_scene, draw_subject
from fascnet.phantom.truth import make_truth
from fascnet.types import Event, Labels, Point, Region

EVENT_S = 0.3
DURATION_S = 20.0


@dataclass(frozen=True, slots=True)
class SimulatedRater:
    """Finds an event with `sensitivity`, adds `false_alarms_per_min` (Poisson), is off by `jitter_s` (SD).

    `spread` makes sensitivity differ between subjects (SD on the logit), as it does between patients;
    `false_cv` the rate of false alarms (gamma).
    """

    name: str
    sensitivity: float = 0.9
    false_alarms_per_min: float = 1.0
    jitter_s: float = 0.03
    spread: float = 0.0
    false_cv: float = 0.0


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


# Small pictures: the labels of a clip are made without its frames, but outlines cost with their size.
PHANTOM = PhantomSettings.from_mapping(
    {
        "duration_s": [DURATION_S, DURATION_S],
        "scan": {"height_px": [96, 96], "width_px": [96, 96], "mm_per_px": [0.4, 0.4]},
        "confounders": {
            name: 0.0 for name in PhantomSettings().to_mapping()["confounders"] if name.endswith("_share")
        },
    }
)


def draw_phantom_truth(n_subjects: int, clips_each: int, seed: int) -> SimulatedStudy:
    """Labels of phantom clips, made from their scripts alone; no frame is rendered and nobody has rated."""
    truths, subjects = {}, {}
    for number in range(n_subjects):
        subject = draw_subject(PHANTOM, f"p{seed}s{number}", np.random.default_rng((seed, number)))
        for take in range(clips_each):
            scene = draw_scene(PHANTOM, subject, True, np.random.default_rng((seed, number, take)))
            clip_id = f"p{seed}s{number:03d}_{take}"
            truths[clip_id] = make_truth(scene.script, scene.picture_frame, clip_id)
            subjects[clip_id] = number
    return SimulatedStudy({clip_id: {} for clip_id in truths}, truths, subjects, n_subjects)


@lru_cache(maxsize=4096)
def _find_centre(region: Region) -> tuple[float, float]:
    """The same twitches are rated in thousands of studies."""
    return find_centre(region)


def rate_in_place(
    truth: Labels, rater: SimulatedRater, shift: float, factor: float, rng: np.random.Generator
) -> Labels:
    """Label one phantom clip; found events have a point in the twitch, false alarms one beside the picture.

    `shift` moves the logit of the sensitivity in this subject, `factor` multiplies the false alarms.
    """
    ability = 1 / (1 + np.exp(-(np.log(rater.sensitivity / (1 - rater.sensitivity)) + rater.spread * shift)))
    events = []
    for event in truth.fasciculations():
        late_s = float(np.clip(rng.normal(0, rater.jitter_s), -3 * rater.jitter_s, 3 * rater.jitter_s))
        if rng.random() < ability:
            times = {
                name: getattr(event, name) + late_s
                for name in ("onset_s", "offset_s", "peak_s")
                if getattr(event, name) is not None
            }
            place = Point(*_find_centre(event.region))
            events.append(replace(event, **times, region=place, ignore_region=None))
    minutes = sum(end_s - start_s for start_s, end_s in truth.examined) / 60
    for _ in range(rng.poisson(rater.false_alarms_per_min * factor * minutes)):
        t, (x, y) = float(rng.uniform(0, 60 * minutes - EVENT_S)), rng.uniform(-9000, -500, 2)
        events.append(Event(t, t + EVENT_S, t + EVENT_S / 2, region=Point(float(x), float(y))))
    events.sort(key=lambda event: event.onset_s)
    # Nobody looks longer because a found event was moved over the end.
    return Labels(truth.clip_id, rater.name, ((-1.0, 60 * minutes + 1.0),), tuple(events))


def rate_study(truth: SimulatedStudy, raters: list[SimulatedRater], seed) -> SimulatedStudy:
    """Rate phantom clips by several raters, to whom the same subjects are hard."""
    rng = np.random.default_rng(seed)
    shifts = rng.normal(size=truth.n_subjects)
    factors = {
        rater.name: rng.gamma(1 / rater.false_cv**2, rater.false_cv**2, truth.n_subjects)
        if rater.false_cv
        else np.ones(truth.n_subjects)
        for rater in raters
    }
    clips = {
        clip_id: {
            rater.name: rate_in_place(
                labels,
                rater,
                shifts[truth.subjects[clip_id]],
                factors[rater.name][truth.subjects[clip_id]],
                rng,
            )
            for rater in raters
        }
        for clip_id, labels in truth.truth.items()
    }
    return SimulatedStudy(clips, truth.truth, truth.subjects, truth.n_subjects)
