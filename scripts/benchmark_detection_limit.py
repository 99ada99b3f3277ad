"""How small a twitch is still found, and what raises false alarms: a set of clips whose truth is known.

    python scripts/benchmark_detection_limit.py predictions=FOLDER labels=FOLDER output=FOLDER
        [clips=CLIPS.csv] [input=RECORDINGS] [max_distance_mm=6] [kernel_mm=2] [resamples=2000] [seed=0]

`predictions` is what `fascnet predict` wrote for a phantom, `labels` the phantom's. `clips` is its table with
a column `noise_db`, `input` the recordings, from which the bound of the pictures is measured; both default to
those beside the labels. Writes detection_limit.json, .csv and .png, and prints limits and false alarms.
Exit code 1 when some confounder raises more than one false alarm a minute. What it means: docs/benchmark.md.
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
from key_values import read_key_values, read_number, read_whole

from fascnet.data.labelling.labels import load_labels
from fascnet.data.recording.find_clips import find_clips
from fascnet.data.recording.recordings import open_recording
from fascnet.data.whole_file import write_whole
from fascnet.errors import FascnetError
from fascnet.evaluation.benchmark import Benchmark, run_benchmark
from fascnet.evaluation.cuts.detection_limit import (
    AMPLITUDE_CUTS_UM,
    NOISE_CUTS_DB,
    DetectionLimit,
    estimate_detection_limit,
)
from fascnet.evaluation.cuts.event_subgroups import NEAR_RULE, NEAR_S, score_false_alarms_by_confounder
from fascnet.evaluation.cuts.subgroups import ClipTable, group_clips, pick_outcomes, read_clip_table
from fascnet.evaluation.figures.picture_noise import measure_picture_bound_um
from fascnet.evaluation.figures.tracking_bound import bound_echo_shift_um
from fascnet.evaluation.matching.matching_rule import MatchingRule
from fascnet.evaluation.report.canvas import save_plot, write_value
from fascnet.evaluation.report.detection_plots import Bounds, NoiseGroup, draw_detection_limit
from fascnet.evaluation.rules import ScoringRules
from fascnet.evaluation.sources.other_tools import load_source
from fascnet.evaluation.uncertainty.bootstrap import Figure

DEFAULTS = {
    **dict.fromkeys(("predictions", "labels", "output", "clips", "input"), ""),
    **{"max_distance_mm": "6", "kernel_mm": "2", "resamples": "2000", "seed": "0"},
}
CORRELATIONS = (1.0, 0.95)
"""Of the echoes before and after: unchanged speckle, and what moves a little out of the plane."""

MOST_PER_MIN = 1.0
"""The goal for false alarms under each confounder."""


def read_settings(arguments: Sequence[str]) -> dict[str, str]:
    """Read `key=value` arguments.

    Raises:
        SettingError: a key is unknown or missing.
    """
    settings = read_key_values(arguments, DEFAULTS, needed=("predictions", "labels", "output"))
    beside = Path(settings["labels"]).parent
    for key, name in (("clips", "clips.csv"), ("input", "manifest.csv")):
        if not settings[key] and (beside / name).is_file():
            settings[key] = str(beside / name)
    return settings


def measure_pictures(source: str, clip_ids: Sequence[str], kernel_mm: float) -> dict[str, float]:
    """Measure the bound of each clip's pictures, where the recordings are there."""
    wanted, found = set(clip_ids), {}
    for clip in find_clips(source) if source else []:
        if clip.clip_id in wanted:
            recording = open_recording(clip.path, fps=clip.fps, mm_per_px=clip.mm_per_px)
            bound_um = measure_picture_bound_um(recording, kernel_mm)
            if bound_um is not None:
                found[clip.clip_id] = bound_um
    return found


def group_by_noise(
    benchmark: Benchmark, table: ClipTable, pictures: Mapping[str, float]
) -> tuple[list[NoiseGroup], dict[str, float]]:
    """Estimate the limit of each noise bin; return also the noise of each clip."""
    outcomes, weights = benchmark.results[0].outcomes, benchmark.study.weights
    clip_ids = [outcome.clip_id for outcome in outcomes]
    if not any(table.get(clip_id, {}).get("noise_db") for clip_id in clip_ids):
        return [], {}
    grouping = group_clips(table, "noise_db", clip_ids, cuts=NOISE_CUTS_DB)
    noise = {
        clip_id: float(table[clip_id]["noise_db"]) for ids in grouping.groups.values() for clip_id in ids
    }
    groups = []
    for name, members in grouping.groups.items():
        if not members:
            continue
        bounds = [pictures[clip_id] for clip_id in members if clip_id in pictures]
        groups.append(
            NoiseGroup(
                name,
                float(np.median([noise[clip_id] for clip_id in members])),
                estimate_detection_limit(pick_outcomes(outcomes, members), weights),
                float(np.median(bounds)) if bounds else None,
            )
        )
    return groups, noise


def compute_bounds(noise: Mapping[str, float], pictures: Mapping[str, float], kernel_mm: float) -> Bounds:
    """Compute what theory says over the range of the noise."""
    values = list(noise.values())
    grid = np.linspace(min(values), max(values), 50) if values else np.empty(0)
    echo = {
        rho: np.array([bound_echo_shift_um(db, correlation=rho, kernel_mm=kernel_mm) for db in grid])
        for rho in CORRELATIONS
    }
    both = [clip_id for clip_id in pictures if clip_id in noise]
    return Bounds(
        grid,
        echo if values else {},
        np.array([noise[clip_id] for clip_id in both]),
        np.array([pictures[clip_id] for clip_id in both]),
        kernel_mm,
    )


def describe_limit(limit: DetectionLimit) -> dict[str, object]:
    """Return a limit as it stands in the result file."""
    return {
        "recall_by_amplitude_mm": {name: figure.to_json() for name, figure in limit.recall.items()},
        "limit_um": {f"recall {level:g}": figure.to_json() for level, figure in limit.limits_um.items()},
        "fit": {"amplitude_um": limit.curve[0].tolist(), "recall": limit.curve[1].tolist()},
    }


def write_files(
    output: Path,
    settings: Mapping[str, str],
    every: DetectionLimit,
    groups: Sequence[NoiseGroup],
    bounds: Bounds,
    rates: Mapping[str, Figure],
) -> None:
    """Write the result file, the table and the picture."""
    found = {
        "format": "fascnet-detection-limit/1",
        "settings": dict(settings),
        "all": describe_limit(every),
        "by_noise_db": {
            group.name: {
                "median_noise_db": group.noise_db,
                **describe_limit(group.limit),
                "picture_bound_um": group.picture_bound_um,
            }
            for group in groups
        },
        "bounds": {
            "noise_db": bounds.noise_db.tolist(),
            "echo_um_by_correlation": {f"{rho:g}": um.tolist() for rho, um in bounds.echo_um.items()},
            "picture_um": {
                "median": float(np.median(bounds.clip_um)) if len(bounds.clip_um) else None,
                "noise_db": bounds.clip_noise_db.tolist(),
                "um": bounds.clip_um.tolist(),
            },
        },
        "false_alarms_by_confounder": {name: figure.to_json() for name, figure in rates.items()},
        "false_alarms_rule": NEAR_RULE,
    }
    with write_whole(output / "detection_limit.json") as beside:
        beside.write_text(json.dumps(found, indent=2, ensure_ascii=False), encoding="utf-8")
    with (
        write_whole(output / "detection_limit.csv") as beside,
        beside.open("w", newline="", encoding="utf-8") as file,
    ):
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["noise_db", "amplitude_mm", "recall", "ci95_low", "ci95_high", "n"])
        for name, limit in [("all", every), *((group.name, group.limit) for group in groups)]:
            for size, figure in limit.recall.items():
                low, high = ("", "") if figure.ci95 is None else figure.ci95
                table.writerow(
                    [name, size, "" if figure.value is None else figure.value, low, high, figure.n]
                )
    plot = draw_detection_limit(every, groups, AMPLITUDE_CUTS_UM, bounds)
    if plot is not None:
        save_plot(plot, output)


def print_result(
    every: DetectionLimit, groups: Sequence[NoiseGroup], bounds: Bounds, rates: Mapping[str, Figure]
) -> bool:
    """Print limits, bounds and false alarms; return whether every confounder is within the goal."""
    for name, limit in [("all clips", every), *((f"noise {g.name} dB", g.limit) for g in groups)]:
        for level, figure in limit.limits_um.items():
            reason = f" ({figure.reason})" if figure.reason else ""
            print(f"{name}: recall {level:g} from {write_value(figure, 0)} µm, {figure.n} twitches{reason}")
    if len(bounds.clip_um):
        print(
            f"bound of the pictures, one pair of frames: {np.median(bounds.clip_um):.1f} µm (median of clips)"
        )
    for rho, echo_um in bounds.echo_um.items():
        low_db, high_db = bounds.noise_db[0], bounds.noise_db[-1]
        span = f"{echo_um[0]:.2f} µm at {low_db:.0f} dB, {echo_um[-1]:.2f} at {high_db:.0f}"
        print(f"bound of the echoes, correlation {rho:g}: {span}")
    within = True
    for name, rate in rates.items():
        what = "with none" if name == "none" else f"during {name}"
        over = rate.value is not None and rate.value > MOST_PER_MIN
        within = within and not over
        verdict = "" if rate.value is None else f", {'MORE THAN' if over else 'at most'} {MOST_PER_MIN:g}"
        print(f"false alarms/min {what}: {write_value(rate)}, alarms: {rate.n}{verdict}")
    return within


def main(arguments: list[str]) -> int:
    """Measure and print."""
    try:
        settings = read_settings(arguments)
        kernel_mm = read_number(settings, "kernel_mm", above=0)
        rules = ScoringRules(
            MatchingRule("main", max_distance_mm=read_number(settings, "max_distance_mm", above=0))
        )
        benchmark = run_benchmark(
            [load_source("model", Path(settings["predictions"]))],
            load_labels(Path(settings["labels"])),
            rules,
            resamples=read_whole(settings, "resamples"),
            seed=read_whole(settings, "seed"),
        )
        outcomes = benchmark.results[0].outcomes
        every = estimate_detection_limit(outcomes, benchmark.study.weights)
        clip_ids = [outcome.clip_id for outcome in outcomes]
        pictures = measure_pictures(settings["input"], clip_ids, kernel_mm)
        table = read_clip_table(Path(settings["clips"])) if settings["clips"] else {}
        groups, noise = group_by_noise(benchmark, table, pictures)
        bounds = compute_bounds(noise, pictures, kernel_mm)
        rates = {
            name: figures["per_min"]
            for name, figures in score_false_alarms_by_confounder(
                outcomes, benchmark.study.labels, benchmark.study.weights, NEAR_S
            ).items()
        }
        write_files(Path(settings["output"]), settings, every, groups, bounds, rates)
    except FascnetError as error:
        print(f"benchmark_detection_limit: {error}", file=sys.stderr)
        return 2
    within = print_result(every, groups, bounds, rates)
    print(f"written: {Path(settings['output']) / 'detection_limit.png'}, .json, .csv")
    return int(not within)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
