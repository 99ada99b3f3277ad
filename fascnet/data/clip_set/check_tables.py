"""What `check` writes for programs: `check.json`, `clips.csv`, `problems.csv`; no absolute path in them."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path

from fascnet import __version__
from fascnet.data.clip_set.balance import count_values
from fascnet.data.clip_set.check import Review
from fascnet.data.clip_set.problem import KINDS, SEVERITIES, Problem
from fascnet.data.clip_set.withhold import Withheld
from fascnet.data.whole_file import write_whole
from fascnet.types import FASCICULATION

CHECK_FORMAT = "fascnet-check/1"

PROBLEM_COLUMNS = ("severity", "kind", "clip_ids", "file", "what", "remedy")
CLIP_COLUMNS = (
    "clip_id",
    "path",
    "subject_id",
    "muscle",
    "side",
    "split",
    "status",
    "n_frames",
    "announced_frames",
    "duration_s",
    "fps",
    "file_fps",
    "longest_step_s",
    "uneven",
    "doubled_frames",
    "longest_freeze_s",
    "pictures_per_s",
    "width_px",
    "height_px",
    "box_x0",
    "box_y0",
    "box_x1",
    "box_y1",
    "mm_per_px",
    "file_mm_per_px",
    "raters",
    "fasciculations",
    "confounders",
    "errors",
    "warnings",
    "notes",
    "mm_per_px_from",
    "scale_confidence",
    "area_from",
    "area_confidence",
)


def write_check(review: Review, output: Path) -> list[Path]:
    """Write `check.json`, `clips.csv` and `problems.csv`, each whole or not at all.

    Args:
        review: of the data set.
        output: the folder; made when missing.

    Raises:
        OutputError: a file cannot be written.
    """
    hidden = withhold(review)
    problems = [hidden.problem(problem) for problem in review.problems]
    rows = [(p.severity, p.kind, " ".join(p.clip_ids), p.file, p.what, p.remedy) for p in problems]
    return [
        _write_json(review, problems, output / "check.json"),
        _write_csv(output / "clips.csv", CLIP_COLUMNS, _list_clips(review, hidden)),
        _write_csv(output / "problems.csv", PROBLEM_COLUMNS, rows),
    ]


def withhold(review: Review) -> Withheld:
    """Return what rewrites the texts of a review for files."""
    return Withheld(review.root, review.labels_dir, review.clips, review.facts)


def sort_by_clip(review: Review) -> dict[str, list[Problem]]:
    """Return the problems of each clip, the worst first."""
    found: dict[str, list[Problem]] = {clip.clip_id: [] for clip in review.clips}
    for problem in review.problems:
        for clip_id in dict.fromkeys(problem.clip_ids):
            if clip_id in found:
                found[clip_id].append(problem)
    return found


def _write_json(review: Review, problems: Sequence[Problem], path: Path) -> Path:
    tree = {
        "format": CHECK_FORMAT,
        "version": __version__,
        "clips": len(review.clips),
        "subjects": len({clip.subject_id for clip in review.clips}),
        "minutes": round(sum(one.duration_s for one in review.facts.values()) / 60.0, 3),
        "readable": sum(one.status == "ok" for one in review.facts.values()),
        **{f"{severity}s": review.count(severity) for severity in SEVERITIES},
        "kinds": {kind: sum(p.kind == kind for p in review.problems) for kind in KINDS},
        "values": count_values(review.facts.values()),
        "balance": [{**asdict(row), "minutes": round(row.minutes, 3)} for row in review.balance],
        "problems": [
            {
                "severity": p.severity,
                "kind": p.kind,
                "clip_ids": list(p.clip_ids),
                "file": p.file,
                "what": p.what,
                "remedy": p.remedy,
            }
            for p in problems
        ],
    }
    with write_whole(path) as beside:
        beside.write_text(json.dumps(tree, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def _list_clips(review: Review, hidden: Withheld) -> Iterable[Sequence[object]]:
    found = sort_by_clip(review)
    for clip in review.clips:
        one = review.facts[clip.clip_id]
        raters = review.labels.get(clip.clip_id, {})
        events = [event for labels in raters.values() for event in labels.events]
        twitches = sum(event.label == FASCICULATION for event in events)
        readable = one.status != "failed"
        yield [
            hidden.text(clip.clip_id),
            hidden.text(clip.path.relative_to(review.root).as_posix()),
            hidden.text(clip.subject_id),
            clip.muscle,
            clip.side,
            "" if clip.split is None else clip.split,
            one.status,
            one.n_frames,
            _show(one.announced),
            _show(one.duration_s, 4),
            _show(one.fps, 4),
            _show(one.own_fps, 4),
            _show(one.longest_step_s, 4) if readable else "",
            _show(one.uneven, 4) if readable else "",
            one.doubled if readable else "",
            _show(one.longest_freeze_s, 4) if readable else "",
            _show(one.picture_rate_hz, 4),
            *((one.width, one.height, *one.box) if readable else ("",) * 6),
            _show(one.mm_per_px, 6),
            _show(one.own_mm_per_px, 6),
            " ".join(sorted(raters)),
            twitches if raters else "",
            len(events) - twitches if raters else "",
            *(sum(p.severity == severity for p in found[clip.clip_id]) for severity in SEVERITIES),
            one.mm_per_px_from,
            _show(one.scale_confidence, 3) if readable else "",
            one.area_from,
            _show(one.area_confidence, 3) if readable else "",
        ]


def _show(value: float | None, digits: int = 0) -> object:
    if value is None:
        return ""
    return round(value, digits) if digits else value


def _write_csv(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Path:
    with write_whole(path) as beside, beside.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)
    return path
