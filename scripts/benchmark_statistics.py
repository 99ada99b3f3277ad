"""Time and memory of the benchmark's statistics on a very large study; the target is 2 minutes and 2 GB.

    python scripts/benchmark_statistics.py [clips=10000] [subjects=1000] [raters=3] [resamples=2000] [seed=0]

Draws a reference, two predictions and three raters in memory, without heatmaps, and runs the whole benchmark
on them: every pair, every rule, leave one rater out, tables and `metrics.json`. Prints CPU seconds per
stage, the peak of resident memory, and the time as a ratio to SciPy's assignment of the same clips in the
same run, which holds across machines. Exit code 1 where a limit is missed, 3 on a machine too noisy to tell.
"""

from __future__ import annotations

import os
import sys

os.environ.update(OMP_NUM_THREADS="2", OMP_WAIT_POLICY="PASSIVE", GOMP_SPINCOUNT="0")

import resource
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
from key_values import read_key_values, read_whole
from scipy.optimize import linear_sum_assignment

from fascnet.errors import SettingError
from fascnet.evaluation import benchmark as stages
from fascnet.evaluation.benchmark import Benchmark, run_benchmark
from fascnet.evaluation.matching.matching_rule import MatchingRule
from fascnet.evaluation.metrics_file import write_metrics
from fascnet.evaluation.report.csv_tables import write_tables
from fascnet.evaluation.rules import Margin, ScoringRules
from fascnet.evaluation.sources.source import ClipFacts, ClipFindings, Source
from fascnet.types import Event, Labels, Point, Polygon

MOST_S = 120.0
MOST_MIB = 2048.0
DURATION_S = 30.0
FPS = 30.0
MM_PER_PX = 0.1
EVENTS_PER_CLIP = 6.0
"""12 a minute, a busy muscle."""

MUSCLES = ("biceps", "tibialis", "tongue", "vastus")
TIMED = (
    "score_source",
    "_score_pairs",
    "score_group",
    "_judge_main",
    "compare_results",
    "score_subgroups",
    "score_recall_by_amplitude",
    "score_false_alarms_by_confounder",
)
"""What `run_benchmark` calls that takes time."""

LabelSet = dict[str, dict[str, Labels]]


class Stopwatch:
    """Adds up the CPU seconds of named stages: other programs on the machine do not count."""

    def __init__(self) -> None:
        """Start with none."""
        self.seconds: dict[str, float] = {}

    def time(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        """Return the same call, timed."""

        def timed(*args: Any, **kwargs: Any) -> Any:
            start = time.process_time()
            try:
                return call(*args, **kwargs)
            finally:
                self.seconds[name] = self.seconds.get(name, 0.0) + time.process_time() - start

        return timed


def draw_truth(clip_id: str, rng: np.random.Generator) -> Labels:
    """Draw twitches with outlines of 24 corners, as the phantom's have."""
    turn = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    events = []
    for onset_s in np.sort(rng.uniform(0, DURATION_S - 0.5, rng.poisson(EVENTS_PER_CLIP * rng.gamma(1, 1)))):
        x, y = rng.uniform(50, 450, 2)
        corners = np.column_stack([x + 20 * np.cos(turn), y + 12 * np.sin(turn)]).tolist()
        outline = Polygon(tuple((float(a), float(b)) for a, b in corners))
        span_s = float(rng.uniform(0.2, 0.5))
        times = float(onset_s), float(onset_s) + span_s, float(onset_s) + span_s / 3
        events.append(Event(*times, region=outline, peak_mm=float(rng.uniform(0.05, 0.6))))
    confounders = [
        Event(start, start + 1.0, label="probe_motion")
        for start in rng.uniform(0, 28, rng.poisson(0.5)).tolist()
    ]
    return Labels(clip_id, "truth", ((0.0, DURATION_S),), (*events, *confounders))


def draw_found(
    truth: Labels, sensitivity: float, rng: np.random.Generator, has_scores: bool = False
) -> tuple[Event, ...]:
    """Draw what a source of that sensitivity finds, and 3 false alarms a minute; raters give no scores."""
    found = []
    for event in truth.fasciculations():
        if rng.random() < sensitivity and isinstance(event.region, Polygon):
            late_s = float(rng.normal(0, 0.03))
            x, y = np.mean(event.region.points, axis=0) + rng.normal(0, 5, 2)
            times = event.onset_s + late_s, event.offset_s + late_s, event.onset_s + 0.1 + late_s
            score = float(rng.beta(5, 2)) if has_scores else None
            found.append(Event(*times, region=Point(float(x), float(y)), score=score))
    for onset_s in rng.uniform(0, DURATION_S - 0.5, rng.poisson(3 * DURATION_S / 60)).tolist():
        x, y = rng.uniform(50, 450, 2).tolist()
        score = float(rng.beta(2, 4)) if has_scores else None
        found.append(Event(onset_s, onset_s + 0.3, onset_s + 0.1, region=Point(x, y), score=score))
    return tuple(sorted(found, key=lambda event: event.onset_s))


def draw_study(settings: Mapping[str, int]) -> tuple[list[Source], LabelSet]:
    """Draw two predictions, and labels of a reference and several raters."""
    rng = np.random.default_rng(settings["seed"])
    labels: LabelSet = {}
    facts: dict[str, ClipFacts] = {}
    found: dict[str, dict[str, ClipFindings]] = {"model": {}, "baseline": {}}
    for number in range(settings["clips"]):
        clip_id = f"c{number:05d}"
        truth = draw_truth(clip_id, rng)
        subject = f"s{rng.integers(settings['subjects']):04d}"
        facts[clip_id] = ClipFacts(subject, MUSCLES[number % 4], "LR"[number % 2], FPS, MM_PER_PX)
        labels[clip_id] = {"truth": truth}
        for k in range(settings["raters"]):
            events = draw_found(truth, 0.85, rng)
            labels[clip_id][f"rater_{k}"] = Labels(clip_id, f"rater_{k}", truth.examined, events)
        for name, sensitivity in (("model", 0.85), ("baseline", 0.5)):
            events = draw_found(truth, sensitivity, rng, has_scores=True)
            scores = [event.score for event in events if event.score is not None]
            score = max(scores, default=float(rng.uniform(0, 0.3)))
            found[name][clip_id] = ClipFindings(clip_id, ((0.0, float("inf")),), events, score)
    sources = [Source(name, "prediction", clips, {}, facts) for name, clips in found.items()]
    return sources, labels


def run_timed(
    sources: list[Source], labels: LabelSet, resamples: int, seed: int, watch: Stopwatch
) -> Benchmark:
    """Run the benchmark with its stages timed, and write its numbers to a folder that is thrown away."""
    for name in TIMED:
        setattr(stages, name, watch.time(name.lstrip("_"), getattr(stages, name)))
    rules = ScoringRules(
        MatchingRule("main", max_distance_px=15.0),
        frozenset({"possible"}),
        margin=Margin("f1", 0.05),
    )
    finished: Benchmark = watch.time("whole", run_benchmark)(
        sources, labels, rules, reference="truth", resamples=resamples, seed=seed
    )
    with tempfile.TemporaryDirectory() as folder:
        watch.time("write_metrics", write_metrics)(finished, Path(folder))
        watch.time("write_tables", write_tables)(finished, Path(folder) / "tables")
    return finished


def time_anchor(sources: list[Source], labels: LabelSet) -> float:
    """Return seconds of SciPy's assignment of every clip of both predictions, ten times."""
    sizes = [
        (len(labels[clip_id]["truth"].events), len(found.events))
        for source in sources
        for clip_id, found in source.clips.items()
    ]
    costs = [np.random.default_rng(0).random(size) for size in sizes if min(size)]
    start = time.process_time()
    for cost in 10 * costs:
        linear_sum_assignment(cost)
    return time.process_time() - start


def main(arguments: list[str]) -> int:
    """Measure and print."""
    settings = {"clips": 10_000, "subjects": 1000, "raters": 3, "resamples": 2000, "seed": 0}
    try:
        given = read_key_values(arguments, {key: f"{value}" for key, value in settings.items()})
        settings = {key: read_whole(given, key) for key in given}
    except SettingError as error:
        print(f"benchmark_statistics: {error}", file=sys.stderr)
        return 2
    sources, labels = draw_study(settings)
    before_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    anchors_s = [time_anchor(sources, labels) for _ in range(3)]
    watch, start = Stopwatch(), time.perf_counter()
    finished = run_timed(sources, labels, settings["resamples"], settings["seed"], watch)
    wall_s = time.perf_counter() - start
    anchors_s += [time_anchor(sources, labels) for _ in range(3)]
    anchor_s = float(np.median(anchors_s))
    figures = sum(len(section) for r in finished.results for section in r.figures.values())
    print(
        f"{settings['clips']} clips, {len(finished.study.subjects)} subjects, "
        f"{len(finished.results)} sources, {len(finished.agreement)} pairs, "
        f"{settings['resamples']} resamples; {figures} figures of sources"
    )
    for name, seconds in watch.seconds.items():
        print(f"  {name:<34}{seconds:8.1f} s {seconds / anchor_s:9.0f} x the anchor")
    total_s = sum(watch.seconds[name] for name in ("whole", "write_metrics", "write_tables"))
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"total: {total_s:.1f} s of CPU time (at most {MOST_S:.0f}), {total_s / anchor_s:.0f} x the anchor; "
        f"{wall_s:.1f} s by the clock"
    )
    print(f"peak memory: {peak_mib:.0f} MiB (at most {MOST_MIB:.0f}); {before_mib:.0f} with the study drawn")
    if max(anchors_s) > 2 * min(anchors_s):
        print("noisy machine: no verdict", file=sys.stderr)
        return 3
    return int(total_s > MOST_S or peak_mib > MOST_MIB)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
