"""The benchmark: every source against the reference, every pair against each other, everything written down.

It reads files, never a model: any other method or rater can be judged by it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations

from fascnet.errors import SettingError
from fascnet.evaluation.clip_statements import StatementResult, Statements, score_statements
from fascnet.evaluation.comparisons import SourceComparison, compare_results
from fascnet.evaluation.cuts.clip_groups import SubgroupResult, score_subgroups
from fascnet.evaluation.cuts.event_subgroups import (
    score_false_alarms_by_confounder,
    score_recall_by_amplitude,
)
from fascnet.evaluation.cuts.subgroups import ClipTable
from fascnet.evaluation.cuts.worst_clips import WorstClip, rank_worst_clips
from fascnet.evaluation.figures.pixels import leave_out_places
from fascnet.evaluation.outcome import compare_sources
from fascnet.evaluation.raters.consensus import UNSURE
from fascnet.evaluation.raters.group_agreement import score_group
from fascnet.evaluation.raters.interchangeability import (
    MIN_RATERS,
    Interchangeability,
    explain_no_consensus,
    judge_interchangeability,
    leave_one_out,
    leave_unjudged,
)
from fascnet.evaluation.raters.pair_agreement import score_pair
from fascnet.evaluation.raters.rater_quality import score_raters
from fascnet.evaluation.reference import CONSENSUS, add_consensus, choose_reference, list_raters
from fascnet.evaluation.rules import ScoringRules
from fascnet.evaluation.scoring import Section, SourceResult, Study, score_source
from fascnet.evaluation.sources.clip_facts import collect_facts, warn_of_unnamed
from fascnet.evaluation.sources.missing import MissingClips, settle_missing
from fascnet.evaluation.sources.seen_subjects import SeenCheck, Threshold, check_seen, trace_thresholds
from fascnet.evaluation.sources.source import Source, build_rater
from fascnet.evaluation.sources.training_record import TrainingRecord
from fascnet.evaluation.study_warnings import find_warnings
from fascnet.evaluation.uncertainty.bootstrap import draw_weights
from fascnet.types import ClipSource, Labels

LabelSet = Mapping[str, Mapping[str, Labels]]


@dataclass(frozen=True, slots=True)
class History:
    """What the files of a prediction source say of how it came about.

    Attributes:
        records: training record by name of source; None where its files say nothing.
        allow_seen: a reason to score subjects that a source has seen, or None to refuse.
        thresholds: thresholds of this benchmark.
        defaults: what they are when nobody touches them.
    """

    records: Mapping[str, TrainingRecord | None] = field(default_factory=dict)
    allow_seen: str | None = None
    thresholds: Mapping[str, float] = field(default_factory=dict)
    defaults: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A finished benchmark, main source first.

    Attributes:
        study: reference, labels, facts, subjects and weights.
        results: of every source.
        missing: what each source left out, by name.
        seen: whom each prediction source knows, by name.
        thresholds: where the thresholds of each prediction source come from, by name.
        agreement: figures of every pair, `first_vs_second`.
        group_agreement: of all raters at once; empty with fewer than two.
        rater_quality: of each rater by STAPLE, nobody taken as true; empty with fewer than three.
        interchangeability: of the main source; None with fewer than three raters or no margin.
        comparisons: the main source against each other one.
        subgroups: the main source's figures cut by columns.
        by_amplitude: the main source's recall by size of the twitch; empty where no size is known.
        by_confounder: its false alarms by what moved; empty where no confounder is labelled.
        worst_clips: where it errs most.
        warnings: lines that belong on top.
        unscored: labelled clips that no source was given.
        statements: every source against counts, presence and grades of whole clips, by rater.
        rules: every choice; where a consensus was built, its undecided events are among those left out.
        resamples: bootstrap resamples.
        seed: of the bootstrap.
    """

    study: Study
    results: tuple[SourceResult, ...]
    missing: Mapping[str, MissingClips]
    seen: Mapping[str, SeenCheck]
    thresholds: Mapping[str, Sequence[Threshold]]
    agreement: Mapping[str, Section]
    group_agreement: Mapping[str, Section]
    rater_quality: Mapping[str, Section]
    interchangeability: Interchangeability | None
    comparisons: Sequence[SourceComparison]
    subgroups: Sequence[SubgroupResult]
    by_amplitude: Section
    by_confounder: Mapping[str, Section]
    worst_clips: Sequence[WorstClip]
    warnings: tuple[str, ...]
    unscored: tuple[str, ...]
    statements: Sequence[StatementResult]
    rules: ScoringRules
    resamples: int
    seed: int

    @property
    def reference(self) -> str:
        """Name of the reference."""
        return self.study.truth.name

    @property
    def incomplete(self) -> bool:
        """Whether a prediction source lacks some clip of the reference."""
        predicted = [r.source.name for r in self.results if r.source.kind == "prediction"]
        return any(self.missing[name].not_predicted or self.missing[name].failed for name in predicted)


def run_benchmark(
    sources: Sequence[Source],
    labels: LabelSet,
    rules: ScoringRules,
    *,
    reference: str | None = None,
    clips: Sequence[ClipSource] = (),
    history: History = History(),
    clip_table: ClipTable | None = None,
    statements: Statements | None = None,
    resamples: int = 2000,
    seed: int = 0,
) -> Benchmark:
    """Score sources against a reference.

    Args:
        sources: models and baselines, the main one first; raters other than the reference are added from
            `labels`.
        labels: clip_id -> rater -> labels.
        rules: every choice that decides a figure.
        reference: the rater taken as true, or `consensus`; None where there is just one rater.
        clips: recordings that every source should have judged, apart from those that any source names; what
            their manifest says of them stands in for what no source says.
        history: what is known of how the sources came about.
        clip_table: columns to cut clips by, besides what the sources say; its subjects are asked for last.
        statements: what raters said about whole clips without times; None for nothing.
        resamples: bootstrap resamples of subjects; 0 for no intervals.
        seed: seed of the bootstrap.

    Raises:
        SettingError: the reference is unknown or not unique, names collide, no clip is both labelled and
            judged, a clip is missing or its subject was seen in training, and that is refused.
    """
    name = choose_reference(labels, reference)
    # Labels of other splits lie in the same folder: what no source was ever given is no part of this study.
    studied = {c for source in sources for c in (*source.clips, *source.failed)}
    studied |= {clip.clip_id for clip in clips}
    unscored = (
        tuple(sorted(set(labels) - studied))
        if name == CONSENSUS
        else tuple(sorted(c for c, by_rater in labels.items() if name in by_rater and c not in studied))
    )
    labels = {clip_id: by_rater for clip_id, by_rater in labels.items() if clip_id in studied}
    facts = collect_facts(sources, labels, clips, clip_table)
    raters = list_raters(labels)
    if name == CONSENSUS and CONSENSUS not in raters:
        labels = add_consensus(labels, rules, facts)
        # What the raters leave undecided is no event that a source must find, and none that it invents.
        rules = replace(rules, ignored_certainty=rules.ignored_certainty | {UNSURE})
    truth = build_rater(name, labels)
    if not any(clip_id in source.clips for source in sources for clip_id in truth.clips):
        raise SettingError(f"predictions: none of their clips was labelled by '{name}'; use the same clip_id")
    others = [build_rater(rater, labels) for rater in raters if rater != name]
    _check_names([truth, *sources, *others])
    settled = [settle_missing(source, truth, rules.missing) for source in [*sources, *others]]
    everyone = [source for source, _ in settled]
    subject_of = {clip_id: facts[clip_id].subject_id for clip_id in truth.clips}
    seen = {s.name: _check_seen(s.name, history, subject_of) for s in sources}
    subjects = {subject: i for i, subject in enumerate(sorted(set(subject_of.values())))}
    weights = draw_weights(len(subjects), resamples, seed)
    reference_labels = {clip: labels[clip][truth.name] for clip in truth.clips}
    places = {clip: leave_out_places(one, rules.ignored_certainty) for clip, one in reference_labels.items()}
    study = Study(truth, reference_labels, places, facts, subjects, weights)
    results = tuple(score_source(source, study, rules) for source in everyone)
    main = results[0]
    clip_subjects = {clip_id: subjects[subject] for clip_id, subject in subject_of.items()}
    judged = {clip_id: by_rater for clip_id, by_rater in labels.items() if clip_id in truth.clips}
    missing = {each.source: each for _, each in settled}
    known_sizes = any(event.peak_mm is not None for clip in truth.clips.values() for event in clip.events)
    by_confounder = score_false_alarms_by_confounder(main.outcomes, reference_labels, weights)
    inter = _judge_main(everyone[0], judged, raters, clip_subjects, study, rules)
    return Benchmark(
        study=study,
        results=results,
        missing=missing,
        seen=seen,
        thresholds={
            s.name: trace_thresholds(
                history.records.get(s.name), seen[s.name], history.thresholds, history.defaults
            )
            for s in sources
        },
        agreement=_score_pairs([truth, *everyone], study, rules),
        group_agreement=score_group(judged, raters, clip_subjects, rules.ignored_certainty, weights),
        rater_quality=score_raters(judged, raters, rules.matching, clip_subjects, weights, facts),
        interchangeability=inter,
        comparisons=compare_results(main, results[1:], rules.clip_threshold, weights, rules.margin),
        subgroups=score_subgroups(main.outcomes, study, rules, {} if clip_table is None else clip_table),
        by_amplitude=score_recall_by_amplitude(main.outcomes, weights) if known_sizes else {},
        # `none` alone: nothing but fasciculations was labelled.
        by_confounder=by_confounder if len(by_confounder) > 1 else {},
        worst_clips=rank_worst_clips(main.outcomes, rules.worst_clips),
        warnings=(
            *find_warnings(study, results, missing, seen, rules, raters, len(unscored)),
            *warn_of_unnamed(subject_of),
            *_warn_of_untimed(truth, {} if statements is None else statements, studied),
            *([f"interchangeability: {inter.reason}"] if inter is not None and not inter.model else []),
        ),
        unscored=unscored,
        statements=judge_statements(
            [*sources, truth, *others],
            {} if statements is None else statements,
            rules,
            studied=studied,
            history=history,
            clips=clips,
            clip_table=clip_table,
            resamples=resamples,
            seed=seed,
        ),
        rules=rules,
        resamples=resamples,
        seed=seed,
    )


def _warn_of_untimed(truth: Source, statements: Statements, studied: set[str]) -> list[str]:
    """Say that clips with a count, but without times, are missing from the figures of events and clips."""
    untimed = [
        c for c, said in statements.items() if truth.name in said and c in studied - truth.clips.keys()
    ]
    if not untimed:
        return []
    return [
        f"{truth.name}: {len(untimed)} clips are only counted, graded or called present, without times: they "
        "stand under clip_labels and in no other figure"
    ]


def judge_statements(
    sources: Sequence[Source],
    statements: Statements,
    rules: ScoringRules,
    *,
    studied: Collection[str],
    history: History = History(),
    clips: Sequence[ClipSource] = (),
    clip_table: ClipTable | None = None,
    resamples: int = 2000,
    seed: int = 0,
) -> list[StatementResult]:
    """Score sources against what raters said about whole clips; see `clip_statements.score_statements`.

    Args:
        sources: models, baselines, raters with events.
        statements: what was said; clips outside `studied` are no part of it.
        rules: every choice that decides a figure.
        studied: clips of this study.
        history: what is known of how the sources came about.
        clips: recordings; their manifest may name subjects.
        clip_table: columns of clips; it may name subjects.
        resamples: bootstrap resamples of subjects.
        seed: of the bootstrap.

    Raises:
        SettingError: a subject was seen in training, and that is refused.
    """
    said = {clip_id: by_rater for clip_id, by_rater in statements.items() if clip_id in studied}
    judged = [source for source in sources if source.name != CONSENSUS]
    facts = collect_facts(judged, said, clips, clip_table)
    subject_of = {clip_id: facts[clip_id].subject_id for clip_id in said}
    for source in judged:
        if source.kind == "prediction" and said:
            _check_seen(source.name, history, subject_of)
    return score_statements(judged, said, facts, rules, resamples, seed)


def _check_names(sources: Sequence[Source]) -> None:
    names = [source.name for source in sources]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise SettingError(f"predictions: '{twice[0]}' names two sources; give predictions={{NAME: FOLDER}}")


def _check_seen(name: str, history: History, subject_of: Mapping[str, str]) -> SeenCheck:
    return check_seen(name, history.records.get(name), subject_of, history.allow_seen)


def _score_pairs(sources: Sequence[Source], study: Study, rules: ScoringRules) -> dict[str, Section]:
    """Score every pair; the reference comes second in its pairs."""
    truth = sources[0]
    found: dict[str, Section] = {}
    for one, two in combinations(sources, 2):
        pair = compare_sources(
            one, two, [rules.matching], rules.ignored_certainty, study.facts, study.subjects, truth
        )
        first, second = (two, one) if one is truth else (one, two)
        key = f"{first.name}_vs_{second.name}"
        found[key] = score_pair(pair.outcomes, rules.ignored_certainty, study.weights)
    return found


def _judge_main(
    main: Source,
    labels: LabelSet,
    raters: Sequence[str],
    subjects: Mapping[str, int],
    study: Study,
    rules: ScoringRules,
) -> Interchangeability | None:
    """Ask whether the main source could stand in for a rater."""
    if rules.margin is None or len(raters) < MIN_RATERS:
        return None
    consensus = rules.consensus
    if reason := explain_no_consensus(len(raters), consensus.method, consensus.min_raters):
        return leave_unjudged(rules.margin.figure, rules.margin.value, reason)
    by_rater = {
        clip_id: {rater: each for rater, each in given.items() if rater in raters}
        for clip_id, given in labels.items()
    }
    model = {
        clip_id: Labels(clip_id, main.name, found.examined, found.events)
        for clip_id, found in main.clips.items()
        if clip_id in by_rater
    }
    scored = leave_one_out(
        by_rater,
        model,
        raters,
        rules.matching,
        subjects,
        study.weights.shape[1],
        method=consensus.method,
        min_raters=consensus.min_raters,
        ignored_certainty=rules.ignored_certainty | {UNSURE},
        facts=study.facts,
    )
    return judge_interchangeability(
        scored, study.weights, margin=rules.margin.value, figure=rules.margin.figure
    )
