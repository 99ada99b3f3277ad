"""A finished benchmark as `metrics.json`: every figure, and everything that decided it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from fascnet.data.whole_file import write_whole
from fascnet.evaluation.benchmark import Benchmark
from fascnet.evaluation.clip_statements import STATEMENT_RULE, StatementResult
from fascnet.evaluation.cuts.clip_groups import SubgroupResult
from fascnet.evaluation.cuts.event_subgroups import ATTRIBUTION_RULE
from fascnet.evaluation.cuts.worst_clips import COST_RULE
from fascnet.evaluation.figures.clip_scores import count_own_calls
from fascnet.evaluation.raters.agreement import CLIP_KAPPA_RULE, EVENT_KAPPA_RULE
from fascnet.evaluation.raters.interchangeability import Interchangeability
from fascnet.evaluation.rules import ScoringRules
from fascnet.evaluation.scoring import SourceResult
from fascnet.evaluation.sources.missing import MISSING_WORDS
from fascnet.evaluation.uncertainty.bootstrap import Figure

FORMAT = "fascnet-metrics/1"

FIXED_RULES = {
    "assignment": "one to one; most matches first, then the smallest sum of time differences; curves over "
    "event scores are matched anew at every threshold",
    "distance": "from one event's centre to the other's region in stored pixels, 0 inside; not compared "
    "where either event has no place",
    "distance_mm": "across, a stored pixel is pixel_aspect of scores.csv times its mm_per_px; 1 where nobody "
    "says it",
    "examined": "only seconds that both sides and the reference examined; an event counts when its midpoint "
    "lies there",
    "clip_positive": "score >= clip_threshold; a source without scores: at least one event",
    "own_calls": "`own_sensitivity` and `own_specificity`: of the column `positive` of scores.csv, whatever "
    "the clip_threshold; clips with an empty cell are left out",
    "timing": "found minus reference, of events matched under any overlap",
    "boundary": "at moments with a true and a found cell: mean distance of both outlines; cells in the "
    "ignore ring count as not found",
    "event_kappa": EVENT_KAPPA_RULE,
    "clip_kappa": CLIP_KAPPA_RULE,
    "false_alarms_by_confounder": ATTRIBUTION_RULE,
    "worst_clips": COST_RULE,
    "clip_labels": STATEMENT_RULE,
    "differences": "main minus other source on the clips that both judged, the same resampled subjects for "
    "both; p values adjusted over all comparisons of the benchmark (Holm; Benjamini-Hochberg)",
}
"""Rules that nobody can choose."""


def write_metrics(
    benchmark: Benchmark, output: Path, extra_pixels: Mapping[str, object] | None = None
) -> Path:
    """Write `OUTPUT/metrics.json`.

    Args:
        benchmark: the finished benchmark.
        output: folder to write to.
        extra_pixels: added to the top-level `pixels` (the Farneback bar).
    """
    metrics = describe_benchmark(benchmark)
    if extra_pixels:
        metrics["pixels"] = {**_plain(benchmark.results[0].figures["pixels"]), **extra_pixels}
    path = output / "metrics.json"
    with write_whole(path) as beside:
        beside.write_text(
            json.dumps(metrics, indent=2, ensure_ascii=False, allow_nan=False), encoding="utf-8"
        )
    return path


def write_statement_metrics(
    main_source: str, statements: Sequence[StatementResult], rules: ScoringRules, output: Path
) -> Path:
    """Write `OUTPUT/metrics.json` where raters gave nothing but statements about whole clips."""
    metrics = {
        "format": FORMAT,
        "main_source": main_source,
        "rules": {**rules.describe(), "clip_labels": STATEMENT_RULE},
        "clip_labels": describe_statements(statements),
    }
    path = output / "metrics.json"
    with write_whole(path) as beside:
        beside.write_text(
            json.dumps(metrics, indent=2, ensure_ascii=False, allow_nan=False), encoding="utf-8"
        )
    return path


def describe_benchmark(benchmark: Benchmark) -> dict[str, object]:
    """Return a benchmark in the form of `metrics.json`."""
    main, inter = benchmark.results[0], benchmark.interchangeability
    return {
        "format": FORMAT,
        "main_source": main.source.name,
        "reference": describe_reference(benchmark),
        "rules": describe_rules(benchmark),
        "warnings": list(benchmark.warnings),
        "missing": {name: missing.to_json() for name, missing in benchmark.missing.items()},
        "seen_subjects": {name: check.to_json() for name, check in benchmark.seen.items()},
        "thresholds": {
            name: {threshold.name: threshold.to_json() for threshold in traced}
            for name, traced in benchmark.thresholds.items()
        },
        **_describe_source(main),
        "agreement": {name: _plain(figures) for name, figures in benchmark.agreement.items()},
        "group_agreement": {name: _plain(f) for name, f in benchmark.group_agreement.items()},
        "rater_quality": {name: _plain(f) for name, f in benchmark.rater_quality.items()},
        "interchangeability": None if inter is None else _describe_interchangeability(inter),
        "comparisons": {each.other: each.to_json() for each in benchmark.comparisons},
        "subgroups": {each.grouping.column: _describe_groups(each) for each in benchmark.subgroups},
        "recall_by_amplitude_mm": _plain(benchmark.by_amplitude),
        "false_alarms_by_confounder": {
            name: _plain(figures) for name, figures in benchmark.by_confounder.items()
        },
        "worst_clips": [asdict(clip) for clip in benchmark.worst_clips],
        "clip_labels": describe_statements(benchmark.statements),
        "sources": {result.source.name: _describe_source(result) for result in benchmark.results},
    }


def describe_statements(statements: Sequence[StatementResult]) -> dict[str, dict[str, object]]:
    """Return rater -> source -> figures of statements about whole clips."""
    plain: dict[str, dict[str, object]] = {}
    for one in statements:
        plain.setdefault(one.rater, {})[one.source] = one.to_json()
    return plain


def describe_reference(benchmark: Benchmark) -> dict[str, object]:
    """Return who was taken as true, and how much there is of it."""
    truth, ignored = benchmark.study.truth, benchmark.rules.ignored_certainty
    seconds = sum(end_s - start_s for clip in truth.clips.values() for start_s, end_s in clip.examined)
    return {
        "rater": truth.name,
        "clips": len(truth.clips),
        "subjects": len(benchmark.study.subjects),
        "events": sum(e.certainty not in ignored for clip in truth.clips.values() for e in clip.events),
        "examined_min": seconds / 60,
        "labelled_but_in_no_source": list(benchmark.unscored),
    }


def describe_rules(benchmark: Benchmark) -> dict[str, object]:
    """Return every rule, chosen or fixed."""
    return {
        **benchmark.rules.describe(),
        **FIXED_RULES,
        "missing": MISSING_WORDS[benchmark.rules.missing],
        "subgroups": [each.grouping.describe() for each in benchmark.subgroups],
        "intervals": {
            "method": "bootstrap of subjects, BCa with levels widened for few subjects; percentile where BCa "
            "is not defined (the figure says so)",
            "resamples": benchmark.resamples,
            "seed": benchmark.seed,
        },
    }


def _describe_source(result: SourceResult) -> dict[str, object]:
    sections: dict[str, object] = {name: _plain(figures) for name, figures in result.figures.items()}
    by_tolerance = {name: _plain(figures) for name, figures in result.by_tolerance.items()}
    points = [
        {
            "specificity_wanted": point.wanted,
            "threshold": point.threshold,
            "specificity": point.reached,
            "sensitivity": point.sensitivity.to_json(),
        }
        for point in result.operating_points
    ]
    reliability = [
        {
            "low": row.low,
            "high": row.high,
            "mean_score": row.mean_score,
            "share_positive": row.share_positive.to_json(),
        }
        for row in result.reliability
    ]
    called, left_out = count_own_calls(result.outcomes)
    return sections | {
        "events": {**_plain(result.figures["events"]), "by_tolerance": by_tolerance},
        "own_calls": {"clips": called, "left_out": left_out} if called else None,
        "operating_points": points,
        "reliability_table": reliability,
    }


def _describe_interchangeability(found: Interchangeability) -> dict[str, object]:
    return {
        "figure": found.figure,
        "margin": found.margin,
        "statement": found.statement,
        "reason": found.reason,
        "mean_difference": found.mean_difference.to_json(),
        "by_rater": {
            rater: {
                "model": found.model[rater].to_json(),
                "rater": found.rater[rater].to_json(),
                "difference": found.difference[rater].to_json(),
            }
            for rater in found.model
        },
    }


def _describe_groups(result: SubgroupResult) -> dict[str, object]:
    return {
        name: {
            "n_clips": group.size.n_clips,
            "n_subjects": group.size.n_subjects,
            "n_events": group.size.n_events,
            "warning": group.size.warning,
            "events": _plain(group.events),
            "clips": _plain(group.clips),
        }
        for name, group in result.groups.items()
    }


def _plain(figures: Mapping[str, Figure]) -> dict[str, object]:
    return {name: figure.to_json() for name, figure in figures.items()}
