"""Tunes the classical detectors on the training split of a labelled data set and writes their configurations.

    python scripts/tune_baselines.py data.root=FOLDER output=FOLDER [split=train] [clips=40] [reference=RATER]
        [detectors=farneback,tongue]

`data.root` holds manifest.csv and labels/ (data/README.md). The clips are the first of each subject in
turn, so that many subjects are seen. Writes, for each detector and anew after each clip, NAME.csv (every
setting tried, the best first) and NAME_tuned.yaml (for configs/detector/), and base_rate.yaml. What is tried
stands in `fascnet.evaluation.baseline_tuning.GRIDS`.
"""

from __future__ import annotations

import os
import sys

os.environ.setdefault("OMP_NUM_THREADS", "1")

import csv
import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import cv2
import numpy as np
from key_values import read_key_values, read_whole

from fascnet.commands.baseline_choice import build_baseline
from fascnet.data.clip_set.splits import keep_split
from fascnet.data.labelling.labels import load_labels
from fascnet.data.recording.find_clips import find_clips
from fascnet.data.whole_file import write_whole
from fascnet.errors import FascnetError, SettingError
from fascnet.evaluation.baseline_tuning import GRIDS, Trial, choose_best, list_trials, run_trials
from fascnet.types import ClipSource, Labels

_DEFAULTS = {
    "data.root": "",
    "output": "",
    "split": "train",
    "clips": "40",
    "reference": "",
    "detectors": ",".join(GRIDS),
}


def main(arguments: Sequence[str]) -> int:
    """Tune and write; exit code 2 with one line for what the user can mend."""
    cv2.setNumThreads(1)
    try:
        settings = read_key_values(arguments, _DEFAULTS, needed=("data.root", "output"))
        root, output = Path(settings["data.root"]), Path(settings["output"])
        labels = _choose_rater(load_labels(root / "labels"), settings["reference"])
        labelled = [c for c in keep_split(find_clips(root), settings["split"]) if c.clip_id in labels]
        clips = _take_turns(labelled, read_whole(settings, "clips", least=1))
        if not clips:
            raise SettingError(f"{root}: split {settings['split']} holds no labelled clip")
        names = settings["detectors"].split(",")
        unknown = sorted(set(names) - set(GRIDS))
        if unknown:
            raise SettingError(f"detectors: no grid for {', '.join(unknown)}; choose from {', '.join(GRIDS)}")
        _write_base_rate(output, labelled, labels)
        trials = {name: list_trials(build_baseline(name), GRIDS[name]) for name in names}
        for count, clip in enumerate(clips, start=1):
            for name, own in trials.items():
                run_trials(own, [clip], labels)
                # After every clip, so that a run which is stopped has tuned on the clips so far.
                _write_detector(output, name, own, clips[:count])
            print(f"{count} of {len(clips)}: {clip.clip_id}", flush=True)
        for name, own in trials.items():
            print(f"{name}: {_word_figures(own)}; {choose_best(own).changed}")
    except FascnetError as error:
        print(f"tune_baselines: {error}", file=sys.stderr)
        return 2
    return 0


def _choose_rater(labels: Mapping[str, Mapping[str, Labels]], reference: str) -> dict[str, Labels]:
    raters = sorted({rater for by_rater in labels.values() for rater in by_rater})
    if not reference and len(raters) != 1:
        raise SettingError(f"labels are by {', '.join(raters)}; give reference=RATER")
    rater = reference if reference else raters[0]
    return {clip_id: by_rater[rater] for clip_id, by_rater in labels.items() if rater in by_rater}


def _take_turns(clips: Sequence[ClipSource], n_clips: int) -> list[ClipSource]:
    """Take the first clip of each subject, then the second of each, until there are enough."""
    subjects: dict[str, list[ClipSource]] = {}
    for clip in clips:
        subjects.setdefault(clip.subject_id, []).append(clip)
    turns = itertools.zip_longest(*subjects.values())
    return [clip for turn in turns for clip in turn if clip is not None][:n_clips]


def _write_base_rate(output: Path, clips: Sequence[ClipSource], labels: Mapping[str, Labels]) -> None:
    share = float(np.mean([bool(labels[clip.clip_id].fasciculations()) for clip in clips]))
    print(f"base rate: {share:.3f} of {len(clips)} clips hold a fasciculation", flush=True)
    lines = [
        "defaults:",
        "  - never",
        f"# Share of positive clips among the {len(clips)} labelled ones of the training split, 0-0.99.",
        f"probability: {min(0.99, round(share, 3))}",
    ]
    with write_whole(output / "base_rate.yaml") as beside:
        beside.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _write_detector(output: Path, name: str, trials: Sequence[Trial], clips: Sequence[ClipSource]) -> None:
    best = choose_best(trials)
    figures = best.figures()
    ranked = [
        best,
        *sorted((t for t in trials if t is not best), key=lambda t: -np.nan_to_num(t.figures()["f1"])),
    ]
    with (
        write_whole(output / f"{name}.csv") as beside,
        beside.open("w", encoding="utf-8", newline="") as file,
    ):
        writer = csv.DictWriter(file, [*best.changed, *figures], lineterminator="\n")
        writer.writeheader()
        for trial in ranked:
            rounded = {key: round(value, 4) for key, value in trial.figures().items()}
            writer.writerow(trial.changed | rounded)
    n_subjects = len({clip.subject_id for clip in clips})
    lines = [
        f"# {name}, the best of {len(trials)} settings on {len(clips)} clips of {n_subjects} subjects:",
        f"# {_word_figures(trials)}.",
        f"# python scripts/tune_baselines.py data.root=… output=… detectors={name} clips={len(clips)}",
        "defaults:",
        f"  - {name}",
    ]
    for key, value in best.changed.items():
        tried = ", ".join(_write_value(one) for one in GRIDS[name][key])
        lines += [f"# Tried: {tried}; meaning and range in {name}.yaml.", f"{key}: {_write_value(value)}"]
    with write_whole(output / f"{name}_tuned.yaml") as beside:
        beside.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _word_figures(trials: Sequence[Trial]) -> str:
    """Say how good the best of some trials is."""
    return (
        "event F1 {f1:.2f}, precision {precision:.2f}, recall {recall:.2f}, "
        "{false_alarms_per_min:.1f} false alarms/min, clip AUROC {clip_auroc:.2f}"
    ).format_map(choose_best(trials).figures())


def _write_value(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
