"""Writes small prediction folders and labels in the contract's form, for the tests of this folder."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np

SCORE_COLUMNS = [
    "clip_id",
    "source",
    "subject_id",
    "muscle",
    "side",
    "status",
    "reason",
    "duration_s",
    "scored_s",
    "fps",
    "mm_per_px",
    "score",
    "n_events",
    "events_per_min",
    "active_area_fraction",
]
EVENT_COLUMNS = [
    "clip_id",
    "event_id",
    "onset_s",
    "peak_s",
    "offset_s",
    "x_px",
    "y_px",
    "area_px",
    "area_mm2",
    "score",
]

BOX = (0, 0, 160, 120)
SHAPE = (15, 20)
FPS = 30.0


def write_predictions(folder: Path, clips: list[dict], heatmaps: bool = True) -> Path:
    """clips: clip_id, subject, score, events [(onset, offset, x, y, score)], and optionally any column."""
    folder.mkdir(parents=True, exist_ok=True)
    score_rows, event_rows = [], []
    for clip in clips:
        row = dict.fromkeys(SCORE_COLUMNS, "")
        row |= {
            "clip_id": clip["clip_id"],
            "source": "x.mp4",
            "subject_id": clip.get("subject", ""),
            "status": "ok",
        }
        row |= {
            "duration_s": 10,
            "scored_s": 10,
            "fps": FPS,
            "mm_per_px": 0.1,
            "score": clip.get("score", 0.5),
        }
        row |= {"muscle": clip.get("muscle", "biceps"), "side": "L", "active_area_fraction": 0}
        row |= clip.get("row", {})
        events = clip.get("events", [])
        row["n_events"] = len(events)
        score_rows.append(row)
        heatmap = np.zeros((300, *SHAPE), dtype=np.uint8)
        for number, (onset, offset, x, y, score) in enumerate(events, 1):
            values = [clip["clip_id"], number, onset, (onset + offset) / 2, offset, x, y, 100, 1, score]
            event_rows.append(dict(zip(EVENT_COLUMNS, values, strict=True)))
            i, j = int(y // 8), int(x // 8)
            heatmap[int(onset * FPS) : int(offset * FPS), max(i - 1, 0) : i + 2, max(j - 1, 0) : j + 2] = int(
                score * 255
            )
        if heatmaps and row["status"] != "failed":
            (folder / clip["clip_id"]).mkdir(exist_ok=True)
            np.savez_compressed(
                folder / clip["clip_id"] / "heatmap.npz",
                heatmap=heatmap,
                fps=FPS,
                mm_per_px=0.1,
                box=np.array(BOX),
            )
    for name, columns, rows in (
        ("scores.csv", SCORE_COLUMNS, score_rows),
        ("events.csv", EVENT_COLUMNS, event_rows),
    ):
        with (folder / name).open("w", newline="") as file:
            writer = csv.DictWriter(file, columns)
            writer.writeheader()
            writer.writerows(rows)
    return folder


def add_column(folder: Path, name: str, cells: list[str]) -> Path:
    """Add a column to a table of scores, a cell a row."""
    path = folder / "scores.csv"
    lines = zip(path.read_text().splitlines(), [name, *cells], strict=True)
    path.write_text("".join(f"{line},{cell}\n" for line, cell in lines))
    return folder


def write_label(folder: Path, clip_id: str, rater: str, events: list[tuple], examined=((0.0, 10.0),)) -> Path:
    """events: (onset, offset, x, y) or (onset, offset, x, y, certainty); x None for no region."""
    folder.mkdir(parents=True, exist_ok=True)
    plain = []
    for onset, offset, x, y, *certainty in events:
        region = None if x is None else {"box": [x - 12, y - 12, x + 12, y + 12]}
        event = {
            "onset_s": onset,
            "offset_s": offset,
            "peak_s": (onset + offset) / 2,
            "label": "fasciculation",
        }
        event |= {"region": region} | ({"certainty": certainty[0]} if certainty else {})
        plain.append(event)
    content = {"format": "fascnet-labels/1", "clip_id": clip_id, "rater": rater}
    content |= {"examined": [list(interval) for interval in examined], "events": plain}
    path = folder / f"{clip_id}.{rater}.json"
    path.write_text(json.dumps(content))
    return path


def write_study(root: Path, n_subjects: int = 8, seed: int = 0) -> tuple[Path, Path]:
    """A study of two clips a subject, two raters and one model that finds most and invents some."""
    rng = np.random.default_rng(seed)
    labels, clips = root / "labels", []
    for subject in range(n_subjects):
        for take in range(2):
            clip_id = f"s{subject:02d}_{take}"
            truth = []
            if rng.random() < 0.6:
                onsets = np.arange(0.5, 9, 1.5)[rng.random(6) < 0.5]
                truth = [(round(t, 3), round(t + 0.4, 3), 40 + 10 * k, 60) for k, t in enumerate(onsets)]
            write_label(labels, clip_id, "anna", truth)
            second = [(a + 0.05, b + 0.05, x + 2, y) for a, b, x, y in truth if rng.random() < 0.9]
            write_label(labels, clip_id, "bert", second)
            found = [
                (a + 0.03, b + 0.02, x + 4, y, float(rng.uniform(0.5, 1)))
                for a, b, x, y in truth
                if rng.random() < 0.8
            ]
            if rng.random() < 0.4:
                found.append((9.3, 9.6, 20, 20, float(rng.uniform(0.3, 0.7))))
            score = float(np.clip(0.25 + 0.5 * bool(truth) + rng.normal(0, 0.2), 0, 1))
            muscle = "biceps" if take else "tibialis"
            clips.append(
                {
                    "clip_id": clip_id,
                    "subject": f"s{subject}",
                    "score": score,
                    "events": sorted(found),
                    "muscle": muscle,
                }
            )
    return write_predictions(root / "predictions", clips), labels
