"""One source against the reference, clip by clip, and the figures that follow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from fascnet.evaluation.figures.clips import estimate_clips
from fascnet.evaluation.figures.counts import compute_moment_rows, estimate_counts, icc
from fascnet.evaluation.figures.events import estimate_events, f1
from fascnet.evaluation.figures.pixels import (
    PixelHistogram,
    average_precision,
    dice_of_sums,
    iou_of_sums,
    score_heatmap,
)
from fascnet.evaluation.matching.match import Matching, MatchingRule, match_events
from fascnet.evaluation.raters.agreement import cohen_kappa, count_cells, intersect
from fascnet.evaluation.sources.source import ClipFacts, Source, read_heatmap
from fascnet.evaluation.uncertainty.bootstrap import (
    Figure,
    FloatArray,
    estimate_from_sums,
    not_defined,
    sum_by_subject,
)
from fascnet.types import Event, Interval, Labels

PIXEL_BINS = 256
"""Every value of a uint8 heatmap has its own bin."""


@dataclass(frozen=True, slots=True)
class ScoringRules:
    """The choices that decide every figure; all of them stand in `metrics.json`.

    Attributes:
        matching: when a found event is a reference event.
        ignored_certainty: certainty words whose events are left out.
        clip_threshold: score from which a source with scores calls a clip positive.
        pixel_threshold: probability from which a cell counts as found.
    """

    matching: MatchingRule
    ignored_certainty: frozenset[str]
    clip_threshold: float
    pixel_threshold: float


@dataclass(frozen=True, slots=True)
class ClipOutcome:
    """One clip of one source against the reference.

    Attributes:
        clip_id: the clip.
        subject: index of its subject.
        examined: seconds that both examined.
        reference: the reference's events.
        found: the source's events.
        matching: what became of them.
        score: the source's score of the clip, or None.
    """

    clip_id: str
    subject: int
    examined: tuple[Interval, ...]
    reference: tuple[Event, ...]
    found: tuple[Event, ...]
    matching: Matching
    score: float | None

    @property
    def minutes(self) -> float:
        """Minutes that both examined."""
        return sum(end_s - start_s for start_s, end_s in self.examined) / 60

    @property
    def n_reference(self) -> int:
        """Reference events that count."""
        return len(self.matching.matches) + len(self.matching.missed)

    @property
    def n_found(self) -> int:
        """Found events that count."""
        return len(self.matching.matches) + len(self.matching.false)

    def event_row(self) -> list[float]:
        """Return hits, false alarms, missed events and examined minutes."""
        matching = self.matching
        return [len(matching.matches), len(matching.false), len(matching.missed), self.minutes]

    def truth(self) -> bool | None:
        """Whether the reference calls the clip positive; None when only left-out events speak for it."""
        if self.n_reference > 0:
            return True
        return None if _has_examined(self.reference, self.examined) else False

    def presence(self) -> bool:
        """Whether the source found any event in the examined seconds."""
        return _has_examined(self.found, self.examined)


def compare_sources(
    reference: Source,
    other: Source,
    rule: MatchingRule,
    ignored_certainty: frozenset[str],
    facts: Mapping[str, ClipFacts],
    subjects: Mapping[str, int],
    within: Source | None = None,
) -> list[ClipOutcome]:
    """Compare two sources on the clips and seconds that both examined, and `within` too, if given."""
    outcomes = []
    for clip_id, ours in reference.clips.items():
        theirs = other.clips.get(clip_id)
        if theirs is None:
            continue
        examined = intersect(ours.examined, theirs.examined)
        if within is not None:
            examined = intersect(examined, within.clips[clip_id].examined) if clip_id in within.clips else ()
        if not examined:
            continue
        matching = match_events(
            ours.events,
            theirs.events,
            rule,
            examined=examined,
            ignored_certainty=ignored_certainty,
            fps=facts[clip_id].fps,
            mm_per_px=facts[clip_id].mm_per_px,
        )
        subject = subjects[facts[clip_id].subject_id]
        outcomes.append(
            ClipOutcome(clip_id, subject, examined, ours.events, theirs.events, matching, theirs.score)
        )
    return outcomes


def score_events(outcomes: Sequence[ClipOutcome], weights: FloatArray) -> dict[str, Figure]:
    """Estimate precision, recall, F1 and false alarms per minute."""
    rows = np.array([outcome.event_row() for outcome in outcomes], dtype=np.float64).reshape(-1, 4)
    return estimate_events(sum_by_subject(rows, _index_subjects(outcomes), weights.shape[1]), weights)


def score_clips(
    outcomes: Sequence[ClipOutcome], clip_threshold: float, weights: FloatArray
) -> dict[str, Figure]:
    """Estimate the clip figures.

    A source with scores calls a clip positive from the threshold on; one without (a rater), from one event
    on.
    """
    used = [outcome for outcome in outcomes if outcome.truth() is not None]
    scores = [outcome.score for outcome in used]
    known = [score for score in scores if score is not None]
    score = np.array(known, dtype=np.float64) if len(known) == len(used) and used else None
    says = [o.presence() if o.score is None else o.score >= clip_threshold for o in used]
    truth = np.array([outcome.truth() is True for outcome in used], dtype=bool)
    return estimate_clips(score, np.array(says, dtype=bool), truth, _index_subjects(used), weights)


def score_counts(outcomes: Sequence[ClipOutcome], weights: FloatArray) -> dict[str, Figure]:
    """Estimate how well the counts of events per clip agree."""
    reference = np.array([outcome.n_reference for outcome in outcomes], dtype=np.float64)
    found = np.array([outcome.n_found for outcome in outcomes], dtype=np.float64)
    return estimate_counts(reference, found, _index_subjects(outcomes), weights)


def score_agreement(
    outcomes: Sequence[ClipOutcome], ignored_certainty: frozenset[str], weights: FloatArray
) -> dict[str, Figure]:
    """Estimate the agreement of a pair of sources; symmetric in the two."""
    n_subjects = weights.shape[1]
    subject = _index_subjects(outcomes)
    cells, clips = np.zeros((len(outcomes), 4)), np.zeros((len(outcomes), 4))
    for row, outcome in enumerate(outcomes):
        cells[row] = count_cells(outcome.reference, outcome.found, outcome.examined, ignored_certainty)
        one, two = _has_examined(outcome.reference, outcome.examined), outcome.presence()
        clips[row] = [one and two, one and not two, two and not one, not one and not two]
    counts = np.array([[o.n_reference, o.n_found] for o in outcomes], dtype=np.float64).reshape(-1, 2)
    events = np.array([outcome.event_row() for outcome in outcomes], dtype=np.float64).reshape(-1, 4)
    moments = compute_moment_rows(counts[:, 0], counts[:, 1])
    same = "both sources always say the same one thing, or share no clip"

    def total(rows: FloatArray) -> FloatArray:
        return sum_by_subject(rows, subject, n_subjects)

    return {
        "event_kappa": estimate_from_sums(
            total(cells), cohen_kappa, weights, n=int(cells.sum()), unit="seconds", undefined=same
        ),
        "clip_kappa": estimate_from_sums(
            total(clips), cohen_kappa, weights, n=len(outcomes), unit="clips", undefined=same
        ),
        "f1": estimate_from_sums(
            total(events),
            f1,
            weights,
            n=int(events[:, :3].sum()),
            unit="events",
            undefined="no event on either side",
        ),
        "count_icc": estimate_from_sums(
            total(moments),
            icc,
            weights,
            n=len(outcomes),
            unit="clips",
            undefined="the counts do not vary, or fewer than two clips",
        ),
    }


def score_pixels(
    outcomes: Sequence[ClipOutcome],
    source: Source,
    labels: Mapping[str, Labels],
    threshold: float,
    weights: FloatArray,
) -> dict[str, Figure]:
    """Estimate how well heatmaps cover the labelled regions; one clip's heatmap in memory at a time.

    Args:
        outcomes: which clips to score.
        source: whose heatmaps.
        labels: the reference's labels by clip_id.
        threshold: probability from which a cell counts as found, for Dice and IoU.
        weights: bootstrap weights (B, S).
    """
    names = ("dice", "iou", "average_precision", "best_dice")
    histograms: dict[int, PixelHistogram] = {}
    for outcome in outcomes:
        path = source.clips[outcome.clip_id].heatmap
        if path is None:
            continue
        histogram = histograms.setdefault(outcome.subject, PixelHistogram(PIXEL_BINS))
        score_heatmap(histogram, read_heatmap(path), labels[outcome.clip_id])
    if not histograms:
        return {
            name: not_defined("this source has no heatmap of these clips", "true cells") for name in names
        }
    n_subjects = weights.shape[1]
    counts = np.zeros((n_subjects, 2 * PIXEL_BINS))
    at_threshold = np.zeros((n_subjects, 3))
    pooled = PixelHistogram(PIXEL_BINS)
    for subject, histogram in histograms.items():
        counts[subject] = np.concatenate([histogram.positive, histogram.negative])
        at_threshold[subject] = histogram.count_at(threshold)
        pooled.merge(histogram)
    n = int(pooled.positive.sum())
    undefined = "no true cell: no reference event has a place in an examined heatmap"

    def precision_of(sums: FloatArray) -> FloatArray:
        return average_precision(sums[..., :PIXEL_BINS], sums[..., PIXEL_BINS:])

    figures = {
        name: estimate_from_sums(sums, figure, weights, n=n, unit="true cells", undefined=undefined)
        for name, sums, figure in (
            ("dice", at_threshold, dice_of_sums),
            ("iou", at_threshold, iou_of_sums),
            ("average_precision", counts, precision_of),
        )
    }
    best = pooled.best_dice() if n else None
    if best is None:
        figures["best_dice"] = not_defined(undefined, "true cells")
    else:
        reason = f"oracle: threshold {best[1]:.3f} was chosen on these very clips"
        figures["best_dice"] = Figure(best[0], None, n, "true cells", len(histograms), reason)
    return figures


def _index_subjects(outcomes: Sequence[ClipOutcome]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.array([outcome.subject for outcome in outcomes], dtype=np.int64)


def _has_examined(events: Sequence[Event], examined: Sequence[Interval]) -> bool:
    middles = [(event.onset_s + event.offset_s) / 2 for event in events]
    return any(start_s <= middle < end_s for middle in middles for start_s, end_s in examined)
