"""A study plan as files: `study_design.json`, and its tables for a spreadsheet."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from fascnet import __version__
from fascnet.data.whole_file import write_whole
from fascnet.evaluation.planning.plan import StudyPlan

PLAN_FILE = "study_design.json"
WIDTHS_FILE = "widths.csv"
POWERS_FILE = "powers.csv"


def write_plan(plan: StudyPlan, folder: Path) -> list[Path]:
    """Write the plan and every size that was simulated; returns the paths.

    `widths.csv` and `powers.csv` are written where sizes were tried for them.

    Raises:
        OutputError: the folder cannot be written to.
    """
    path = folder / PLAN_FILE
    with write_whole(path) as beside:
        content = json.dumps(
            plan.to_json() | {"version": __version__}, indent=2, ensure_ascii=False, allow_nan=False
        )
        beside.write_text(f"{content}\n", encoding="utf-8")
    written = [path]
    if plan.tried_widths:
        rows = (
            [r.subjects, r.expected_width, r.width_90, plan.closed_form.get(r.subjects), r.defined_share]
            for r in plan.tried_widths
        )
        columns = ("subjects", "expected_width", "width_90", "closed_form_width", "defined_share")
        written.append(_write(folder / WIDTHS_FILE, columns, rows))
    if plan.tried_powers:
        powers = ([row.subjects, row.power, row.standard_error] for row in plan.tried_powers)
        written.append(_write(folder / POWERS_FILE, ("subjects", "power", "standard_error"), powers))
    return written


def _write(path: Path, columns: Sequence[str], rows: Iterable[Sequence[float | None]]) -> Path:
    with write_whole(path) as beside, beside.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(
            ["" if value is None else value if isinstance(value, int) else round(value, 5) for value in row]
            for row in rows
        )
    return path
