"""Sources against what raters said about whole clips: counts, presence and grades without times.

`clip_labels.csv` beside the label files holds them. They cannot be matched event by event; clips, counts and
grades are all that can be compared.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from fascnet.data.label_forms.clip_labels import ClipLabel
from fascnet.evaluation.figures.clips import estimate_decisions
from fascnet.evaluation.figures.counts import estimate_counts
from fascnet.evaluation.figures.muscles import GradeScale
from fascnet.evaluation.figures.operating_curves import estimate_clip_curve
from fascnet.evaluation.outcome import has_examined
from fascnet.evaluation.raters.agreement import intersect
from fascnet.evaluation.raters.coefficients import cohen_kappa_from_tables, tabulate_pair
from fascnet.evaluation.raters.rating_tables import SAME_ANSWER, estimate_from_tables
from fascnet.evaluation.rules import ScoringRules
from fascnet.evaluation.sources.source import ClipFacts, ClipFindings, Source
from fascnet.evaluation.uncertainty.bootstrap import Figure, FloatArray, draw_weights, not_defined

Statements = Mapping[str, Mapping[str, ClipLabel]]
"""clip_id -> rater -> clip label."""

STATEMENT_RULE = (
    "a source's events in the seconds that the rater examined are counted, whatever their certainty; it "
    "calls a clip positive from clip_threshold on where the rater judged all of it and the source scores it, "
    "else from one event on; AUROC takes such scored clips only; grades are ranked against the number of "
    "events found, and, where examined_s says for how long, held against each scale that has them all"
)


@dataclass(frozen=True, slots=True)
class StatementResult:
    """One source against one rater's statements about whole clips.

    Attributes:
        rater: who said it.
        source: who is judged.
        n_clips: clips that both speak of.
        n_missing: clips of the rater that the source says nothing about; left out.
        figures: sections `clips`, `counts` and `grades`; each only where the rater said such things.
    """

    rater: str
    source: str
    n_clips: int
    n_missing: int
    figures: Mapping[str, Mapping[str, Figure]]

    def to_json(self) -> dict[str, object]:
        """Return the form of `metrics.json`."""
        sections = {name: {k: f.to_json() for k, f in each.items()} for name, each in self.figures.items()}
        return {"clips_compared": self.n_clips, "clips_missing": self.n_missing, **sections}


@dataclass(frozen=True, slots=True)
class _Pair:
    """A rater's statement and a source's findings about one clip."""

    said: ClipLabel
    n_found: int
    minutes: float
    score: float | None
    subject: int


def score_statements(
    sources: Sequence[Source],
    statements: Statements,
    facts: Mapping[str, ClipFacts],
    rules: ScoringRules,
    resamples: int,
    seed: int,
) -> list[StatementResult]:
    """Score every source against every rater's statements about whole clips.

    Args:
        sources: models, baselines, and raters with events; one is not held against its own statements.
        statements: what was said.
        facts: of every clip in `statements`.
        rules: thresholds and grade scales.
        resamples: bootstrap resamples of subjects.
        seed: of the bootstrap.

    Returns:
        By rater, then by source, for pairs that share a clip.
    """
    subjects = {subject: i for i, subject in enumerate(sorted({facts[c].subject_id for c in statements}))}
    weights = draw_weights(len(subjects), resamples, seed)
    results = []
    for rater in sorted({rater for by_rater in statements.values() for rater in by_rater}):
        theirs = {clip_id: said[rater] for clip_id, said in statements.items() if rater in said}
        for source in sources:
            if source.name == rater:
                continue
            pairs = [
                _pair(said, source.clips[clip_id], subjects[facts[clip_id].subject_id])
                for clip_id, said in theirs.items()
                if clip_id in source.clips
            ]
            if pairs:
                figures = _score_pairs(pairs, rules, weights)
                results.append(
                    StatementResult(rater, source.name, len(pairs), len(theirs) - len(pairs), figures)
                )
    return results


def _pair(said: ClipLabel, found: ClipFindings, subject: int) -> _Pair:
    end_s = math.inf if said.examined_s is None else said.examined_s
    examined = intersect(((0.0, end_s),), found.examined)
    n_found = sum(has_examined([event], examined) for event in found.events)
    seconds = sum(stop - start for start, stop in examined)
    return _Pair(said, n_found, seconds / 60, found.score if said.examined_s is None else None, subject)


def _score_pairs(
    pairs: Sequence[_Pair], rules: ScoringRules, weights: FloatArray
) -> dict[str, dict[str, Figure]]:
    figures = {}
    judged = [pair for pair in pairs if pair.said.present is not None]
    if judged:
        figures["clips"] = _score_presence(judged, rules.clip_threshold, weights)
    counted = [pair for pair in pairs if pair.said.count is not None]
    if counted:
        reference = np.array([pair.said.count for pair in counted], dtype=np.float64)
        found = np.array([pair.n_found for pair in counted], dtype=np.float64)
        figures["counts"] = estimate_counts(reference, found, _index(counted), weights)
    graded = [pair for pair in pairs if _read_grade(pair.said) >= 0]
    if graded:
        figures["grades"] = _score_grades(graded, rules.scales, weights)
    return figures


def _score_presence(pairs: Sequence[_Pair], threshold: float, weights: FloatArray) -> dict[str, Figure]:
    truth = np.array([pair.said.present is True for pair in pairs], dtype=bool)
    says = np.array([p.n_found > 0 if p.score is None else p.score >= threshold for p in pairs], dtype=bool)
    figures = estimate_decisions(says, truth, _index(pairs), weights)
    tables = tabulate_pair(truth.astype(np.int64), says.astype(np.int64), _index(pairs), weights.shape[1], 2)
    figures["kappa"] = estimate_from_tables(
        tables, cohen_kappa_from_tables, weights, n=len(pairs), unit="clips", undefined=SAME_ANSWER
    )
    scored = [(pair, pair.score) for pair in pairs if pair.score is not None]
    if not scored:
        return {"auroc": not_defined("this source gives no score for whole clips"), **figures}
    score = np.array([value for _, value in scored], dtype=np.float64)
    is_true = np.array([pair.said.present is True for pair, _ in scored], dtype=bool)
    curve, _ = estimate_clip_curve(score, is_true, _index([pair for pair, _ in scored]), weights)
    return {"auroc": curve["auroc"], "average_precision": curve["average_precision"], **figures}


def _score_grades(
    pairs: Sequence[_Pair], scales: Sequence[GradeScale], weights: FloatArray
) -> dict[str, Figure]:
    grades = np.array([_read_grade(pair.said) for pair in pairs], dtype=np.int64)
    found = np.array([pair.n_found for pair in pairs], dtype=np.float64)
    counts = estimate_counts(grades.astype(np.float64), found, _index(pairs), weights)
    figures = {"spearman": counts["spearman"]}
    timed = [pair for pair in pairs if 0 < pair.minutes < math.inf]
    for scale in scales:
        name = f"{scale.name}_weighted_kappa"
        if grades.max() >= scale.levels:
            figures[name] = not_defined(f"the rater gives grades above {scale.levels - 1}")
            continue
        if not timed:
            figures[name] = not_defined("nothing says for how long; give examined_s in clip_labels.csv")
            continue
        rated = np.array([scale.grade(pair.n_found / pair.minutes) for pair in timed], dtype=np.int64)
        given = np.array([_read_grade(pair.said) for pair in timed], dtype=np.int64)
        figures[name] = estimate_from_tables(
            tabulate_pair(given, rated, _index(timed), weights.shape[1], scale.levels),
            lambda tables: cohen_kappa_from_tables(tables, "quadratic"),
            weights,
            n=len(timed),
            unit="clips",
            undefined=SAME_ANSWER,
        )
    return figures


def _read_grade(said: ClipLabel) -> int:
    """Return a grade that is a whole number from 0, else -1: words have no order that is known here."""
    return (
        int(said.grade) if said.grade is not None and said.grade.isascii() and said.grade.isdecimal() else -1
    )


def _index(pairs: Sequence[_Pair]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.array([pair.subject for pair in pairs], dtype=np.int64)
