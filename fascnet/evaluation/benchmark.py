"""The benchmark: every source against the reference, every pair against each other, everything written down.

It reads files, never a model: any other method or rater can be judged by it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from fascnet.data.whole_file import write_whole
from fascnet.errors import SettingError
from fascnet.evaluation.matching.match import MatchingRule
from fascnet.evaluation.raters.agreement import CLIP_KAPPA_RULE, EVENT_KAPPA_RULE
from fascnet.evaluation.scoring import (
    ClipOutcome,
    ScoringRules,
    compare_sources,
    score_agreement,
    score_clips,
    score_counts,
    score_events,
    score_pixels,
)
from fascnet.evaluation.sources.source import ClipFacts, Source, build_rater
from fascnet.evaluation.uncertainty.bootstrap import Figure, FloatArray, draw_weights, not_defined
from fascnet.types import Labels

FORMAT = "fascnet-metrics/1"

TOLERANCES = (
    MatchingRule("any_overlap"),
    MatchingRule("167ms_15px", "tolerance", tolerance_s=0.167, max_distance_px=15.0),
    MatchingRule("1_frame", "tolerance", tolerance_frames=1.0),
)
"""Rules that every benchmark reports: any overlap, the one published rule (±10 frames at 60 frame/s and
15 px, the tongue detector's), and ±1 frame."""

FEW_SUBJECTS = 10
"""Below this a percentile interval over subjects is rough; a warning says so."""


@dataclass(frozen=True, slots=True)
class SourceResult:
    """What report and tables need of one source: outcomes clip by clip, and figures by section."""

    source: Source
    outcomes: tuple[ClipOutcome, ...]
    figures: Mapping[str, Mapping[str, Figure]]
    by_tolerance: Mapping[str, Mapping[str, Figure]]


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A finished benchmark, main source first."""

    metrics: dict[str, object]
    reference: str
    reference_clips: tuple[str, ...]
    warnings: tuple[str, ...]
    results: tuple[SourceResult, ...]
    agreement: Mapping[str, Mapping[str, Figure]]
    rules: ScoringRules


def run_benchmark(
    sources: Sequence[Source],
    labels: Mapping[str, Mapping[str, Labels]],
    rules: ScoringRules,
    *,
    output: Path,
    reference: str | None = None,
    resamples: int = 1000,
    seed: int = 0,
    extra_pixels: Mapping[str, object] | None = None,
) -> Benchmark:
    """Score sources against a reference rater and write `OUTPUT/metrics.json`.

    Args:
        sources: models and baselines, the main one first; raters other than the reference are added from
            `labels`.
        labels: clip_id -> rater -> labels.
        rules: every choice that decides a figure.
        output: folder to write to.
        reference: the rater taken as true; None where there is just one.
        resamples: bootstrap resamples of subjects; 0 for no intervals.
        seed: seed of the bootstrap.
        extra_pixels: added to the top-level `pixels` (the Farneback bar).

    Raises:
        SettingError: the reference is unknown or not unique, names collide, or no clip is both labelled and
            judged.
    """
    name = choose_reference(labels, reference)
    # Labels of other splits lie in the same folder: what no source was ever given is no part of this study.
    studied = {c for source in sources for c in (*source.clips, *source.failed)}
    beyond = sorted(
        clip_id for clip_id, by_rater in labels.items() if name in by_rater and clip_id not in studied
    )
    labels = {clip_id: by_rater for clip_id, by_rater in labels.items() if clip_id in studied}
    truth = build_rater(name, labels)
    if not any(clip_id in source.clips for source in sources for clip_id in truth.clips):
        raise SettingError(f"predictions: none of their clips was labelled by '{name}'; use the same clip_id")
    raters = sorted({rater for by_rater in labels.values() for rater in by_rater} - {name})
    everyone = [*sources, *(build_rater(rater, labels) for rater in raters)]
    _check_names([truth, *everyone])
    facts = collect_facts(sources, labels)
    subjects = {name: i for i, name in enumerate(sorted({facts[clip].subject_id for clip in truth.clips}))}
    weights = draw_weights(len(subjects), resamples, seed)
    reference_labels = {clip: labels[clip][truth.name] for clip in truth.clips}
    results = tuple(
        _score_source(source, truth, rules, facts, subjects, reference_labels, weights) for source in everyone
    )
    agreement = {}
    for one, two in combinations([truth, *everyone], 2):
        pair = compare_sources(one, two, rules.matching, rules.ignored_certainty, facts, subjects, truth)
        first, second = (two, one) if one is truth else (one, two)
        agreement[f"{first.name}_vs_{second.name}"] = score_agreement(pair, rules.ignored_certainty, weights)
    main = results[0]
    warnings = _find_warnings(truth, sources, subjects, rules, len(beyond))
    metrics: dict[str, object] = {
        "format": FORMAT,
        "main_source": main.source.name,
        "reference": _describe_reference(truth, facts) | {"labelled_but_in_no_source": beyond},
        "rules": _describe_rules(rules, resamples, seed),
        "warnings": warnings,
        "missing": {source.name: _describe_missing(source, truth) for source in everyone},
        **_to_json(main),
        "agreement": {name: _plain(figures) for name, figures in agreement.items()},
        "subgroups": _score_subgroups(main, facts, rules, weights),
        "sources": {result.source.name: _to_json(result) for result in results},
    }
    if extra_pixels:
        metrics["pixels"] = {**_plain(main.figures["pixels"]), **extra_pixels}
    with write_whole(output / "metrics.json") as beside:
        beside.write_text(
            json.dumps(metrics, indent=2, ensure_ascii=False, allow_nan=False), encoding="utf-8"
        )
    return Benchmark(metrics, truth.name, tuple(truth.clips), tuple(warnings), results, agreement, rules)


def collect_facts(
    sources: Sequence[Source], labels: Mapping[str, Mapping[str, Labels]]
) -> dict[str, ClipFacts]:
    """Collect what is known about each labelled clip from the first source that knows it.

    A clip that no source lists is a subject of its own.

    Raises:
        SettingError: two sources disagree about a clip's subject.
    """
    facts: dict[str, ClipFacts] = {}
    for clip_id in labels:
        known = [source.facts[clip_id] for source in sources if clip_id in source.facts]
        if len({fact.subject_id for fact in known}) > 1:
            raise SettingError(
                f"predictions: clip '{clip_id}' has subject_id "
                f"{' and '.join(sorted({fact.subject_id for fact in known}))}; predict all from one manifest"
            )
        # A clip that could not be read has no frame rate in one source, but perhaps in the next.
        known.sort(key=lambda fact: fact.fps is None)
        facts[clip_id] = known[0] if known else ClipFacts(clip_id)
    return facts


def choose_reference(labels: Mapping[str, Mapping[str, Labels]], wanted: str | None) -> str:
    """Return the rater taken as true: the one wanted, or the only one.

    Raises:
        SettingError: there is no such rater, or several and none was chosen.
    """
    raters = sorted({rater for by_rater in labels.values() for rater in by_rater})
    if not raters:
        raise SettingError("labels: the folder holds no CLIP.RATER.json; give a labels folder")
    if wanted is None and len(raters) > 1:
        raise SettingError(f"reference: several raters; choose one of {', '.join(raters)}")
    chosen = raters[0] if wanted is None else wanted
    if chosen not in raters:
        raise SettingError(f"reference: there is no rater '{chosen}'; choose one of {', '.join(raters)}")
    return chosen


def _check_names(sources: Sequence[Source]) -> None:
    names = [source.name for source in sources]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise SettingError(f"predictions: '{twice[0]}' names two sources; give predictions={{NAME: FOLDER}}")


def _score_source(
    source: Source,
    truth: Source,
    rules: ScoringRules,
    facts: Mapping[str, ClipFacts],
    subjects: Mapping[str, int],
    reference_labels: Mapping[str, Labels],
    weights: FloatArray,
) -> SourceResult:
    outcomes = compare_sources(truth, source, rules.matching, rules.ignored_certainty, facts, subjects)
    by_tolerance = {}
    for rule in TOLERANCES:
        unknown = [o.clip_id for o in outcomes if rule.tolerance_frames and facts[o.clip_id].fps is None]
        if unknown:
            missing = not_defined(f"frame rate unknown: {unknown[0]}", "events")
            by_tolerance[rule.name] = dict.fromkeys(
                ("precision", "recall", "f1", "false_alarms_per_min"), missing
            )
            continue
        compared = compare_sources(truth, source, rule, rules.ignored_certainty, facts, subjects)
        by_tolerance[rule.name] = score_events(compared, weights)
    figures = {
        "events": score_events(outcomes, weights),
        "pixels": score_pixels(outcomes, source, reference_labels, rules.pixel_threshold, weights),
        "clips": score_clips(outcomes, rules.clip_threshold, weights),
        "counts": score_counts(outcomes, weights),
    }
    return SourceResult(source, tuple(outcomes), figures, by_tolerance)


def _score_subgroups(
    result: SourceResult, facts: Mapping[str, ClipFacts], rules: ScoringRules, weights: FloatArray
) -> dict[str, object]:
    groups: dict[str, object] = {}
    for column in ("muscle", "side"):
        values = sorted({getattr(facts[outcome.clip_id], column) for outcome in result.outcomes} - {""})
        by_value = {}
        for value in values:
            chosen = [o for o in result.outcomes if getattr(facts[o.clip_id], column) == value]
            by_value[value] = {
                "n_clips": len(chosen),
                "n_subjects": len({outcome.subject for outcome in chosen}),
                "events": _plain(score_events(chosen, weights)),
                "clips": _plain(score_clips(chosen, rules.clip_threshold, weights)),
            }
        groups[column] = by_value
    return groups


def _describe_reference(truth: Source, facts: Mapping[str, ClipFacts]) -> dict[str, object]:
    seconds = sum(end_s - start_s for clip in truth.clips.values() for start_s, end_s in clip.examined)
    return {
        "rater": truth.name,
        "clips": len(truth.clips),
        "subjects": len({facts[clip].subject_id for clip in truth.clips}),
        "events": sum(len(clip.events) for clip in truth.clips.values()),
        "examined_min": seconds / 60,
    }


def _describe_rules(rules: ScoringRules, resamples: int, seed: int) -> dict[str, object]:
    return {
        "matching": rules.matching.describe(),
        "by_tolerance": [rule.describe() for rule in TOLERANCES],
        "assignment": "one to one; most matches first, then the smallest sum of time differences",
        "distance": "from the found point to the reference region in stored pixels, 0 inside; not compared "
        "where either event has no place",
        "examined": "only seconds that both sides and the reference examined; an event counts when its "
        "midpoint lies there",
        "ignored_certainty": sorted(rules.ignored_certainty),
        "clip_threshold": rules.clip_threshold,
        "clip_positive": "score >= clip_threshold; a source without scores: at least one event",
        "pixel_threshold": rules.pixel_threshold,
        "event_kappa": EVENT_KAPPA_RULE,
        "clip_kappa": CLIP_KAPPA_RULE,
        "missing": "a clip that a source did not predict is listed and left out of its figures, never "
        "taken as negative",
        "intervals": {"method": "percentile bootstrap of subjects", "resamples": resamples, "seed": seed},
    }


def _describe_missing(source: Source, truth: Source) -> dict[str, object]:
    absent = [clip for clip in truth.clips if clip not in source.clips and clip not in source.failed]
    failed = {clip: reason for clip, reason in source.failed.items() if clip in truth.clips}
    return {
        "not_predicted": absent,
        "failed": failed,
        "partial": [c for c, found in source.clips.items() if found.status == "partial" and c in truth.clips],
        "reference_events_not_predicted": sum(len(truth.clips[clip].events) for clip in [*absent, *failed]),
        "not_labelled": [clip for clip in source.clips if clip not in truth.clips],
    }


def _find_warnings(
    truth: Source,
    sources: Sequence[Source],
    subjects: Mapping[str, int],
    rules: ScoringRules,
    n_beyond: int,
) -> list[str]:
    warnings = []
    if n_beyond:
        warnings.append(f"{n_beyond} labelled clips are in no predictions and were not scored")
    if len(subjects) < FEW_SUBJECTS:
        warnings.append(f"{len(subjects)} subjects: the intervals are rough below {FEW_SUBJECTS}")
    for source in sources:
        n = sum(clip not in source.clips for clip in truth.clips)
        if n:
            warnings.append(f"{source.name}: {n} of {len(truth.clips)} clips not predicted, left out")
    places = [event.region for clip in truth.clips.values() for event in clip.events]
    if None in places and (rules.matching.max_distance_px, rules.matching.max_distance_mm) != (None, None):
        warnings.append(f"{places.count(None)} reference events have no place: matched in time only")
    return warnings


def _plain(figures: Mapping[str, Figure]) -> dict[str, object]:
    return {name: figure.to_json() for name, figure in figures.items()}


def _to_json(result: SourceResult) -> dict[str, object]:
    sections: dict[str, object] = {name: _plain(figures) for name, figures in result.figures.items()}
    by_tolerance = {name: _plain(figures) for name, figures in result.by_tolerance.items()}
    return sections | {"events": {**_plain(result.figures["events"]), "by_tolerance": by_tolerance}}
