"""Writes the two files of a finished benchmark that a pilot is read from."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np

from fascnet.evaluation.planning.pilot import COLUMNS


def write_pilot(folder: Path, n_subjects: int = 12, seed: int = 0) -> Path:
    """Two sources, three clips a subject; `model` finds more than `rater`, who gives no scores."""
    rng = np.random.default_rng(seed)
    rows = []
    for subject in range(n_subjects):
        for take in range(3):
            events = int(rng.poisson(3)) if rng.random() < 0.7 else 0
            for source, share in (("model", 0.9), ("rater", 0.7)):
                hits = int(rng.binomial(events, share))
                found = hits + int(rng.poisson(0.5))
                score = "" if source == "rater" else round(float(np.clip(0.2 + 0.2 * found, 0, 1)), 4)
                rows.append(
                    [source, f"c{subject}_{take}", subject, 0.5, events, found, hits, score, int(events > 0)]
                )
    write_rows(folder, rows)
    return folder


def write_rows(folder: Path, rows: list[list[object]], columns: tuple[str, ...] = COLUMNS) -> None:
    (folder / "tables").mkdir(parents=True, exist_ok=True)
    with (folder / "tables" / "clips.csv").open("w", newline="") as file:
        csv.writer(file).writerows([columns, *rows])
    metrics = {"main_source": "model", "rules": {"clip_threshold": 0.5}}
    (folder / "metrics.json").write_text(json.dumps(metrics))
