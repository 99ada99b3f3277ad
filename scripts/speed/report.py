"""The result as Markdown (ratios first, absolute figures with the machine named) and as a JSON file."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from fascnet.data.whole_file import write_whole
from speed.candidate import Candidate, Missing
from speed.gates import Gate
from speed.goals import Verdict
from speed.pipeline import EndToEnd, Stage
from speed.rounds import Ratio, Window

FORMAT = "fascnet-speed/1"


@dataclass(frozen=True)
class Row:
    """A line of the ratio table; `missing` says why there is nothing to show."""

    name: str
    to_farneback: Ratio | None
    to_network: Ratio | None
    cpu_ms: float | None
    average_precision: float | None
    note: str
    missing: str = ""


@dataclass(frozen=True)
class Result:
    """Everything that one run found."""

    mode: str
    threads: int
    settings: Mapping[str, object]
    machine: Mapping[str, object]
    load_before: Mapping[str, float]
    load_after: Mapping[str, float]
    spread: float
    gates: Sequence[Gate]
    windows: Mapping[str, Sequence[Window | None]]
    rows: Sequence[Row]
    stages: Sequence[Stage]
    end_to_end: EndToEnd
    peaks_mib: Mapping[str, Mapping[int, float]]
    verdicts: Sequence[Verdict]


def make_row(
    candidate: Candidate | Missing,
    to_farneback: Ratio | None = None,
    to_network: Ratio | None = None,
    cpu_ms: float | None = None,
    average_precision: float | None = None,
) -> Row:
    """Make the row of a candidate; one that is missing keeps its place."""
    if isinstance(candidate, Missing):
        return Row(candidate.name, None, None, None, None, "", candidate.reason)
    return Row(candidate.name, to_farneback, to_network, cpu_ms, average_precision, candidate.note)


def write_markdown(result: Result) -> str:
    """Write the report."""
    clock = "CPU time" if result.threads == 1 else "time by the clock"
    lines = [
        f"# Speed and memory, {result.mode} run, {result.threads} thread(s), {clock}",
        "",
        f"Anchor (Farneback) largest/smallest over rounds: {result.spread:.2f}. Ratios: "
        "median and quartiles over rounds, each within a round.",
        "",
        "| gate | value | limit | |",
        "| --- | --- | --- | --- |",
    ]
    for gate in result.gates:
        word = "passed" if gate.passed else "FAILED"
        lines.append(f"| {gate.name} | {gate.value:.3g} | {gate.limit:.3g} | {word}: {gate.note} |")
    invalid = not all(gate.passed for gate in result.gates)
    lines += ["", "| candidate | × Farneback's frames/s | network is × faster | pixel AP | |"]
    lines += ["| --- | --- | --- | --- | --- |"]
    for row in result.rows:
        if row.missing:
            lines.append(f"| {row.name} | {row.missing} | {row.missing} | | |")
            continue
        precision = "" if row.average_precision is None else f"{row.average_precision:.3f}"
        note = "INVALID: a gate failed" if invalid and row.name.startswith("network") else row.note
        ratios = f"{write_ratio(row.to_farneback)} | {write_ratio(row.to_network)}"
        lines.append(f"| {row.name} | {ratios} | {precision} | {note} |")
    lines += ["", "| stage, 480x640 H.264 in | CPU ms a frame | |", "| --- | --- | --- |"]
    lines += [f"| {stage.name} | {stage.cpu_ms:.2f} | {stage.note} |" for stage in result.stages]
    whole = result.end_to_end
    lines.append(
        f"| whole command, no overlay | {whole.command_ms:.2f} | network alone {whole.network_ms:.2f} |"
    )
    lengths = sorted({n for peaks in result.peaks_mib.values() for n in peaks})
    lines += ["", f"| peak MiB above the imports | {' | '.join(f'{n} frames' for n in lengths)} |"]
    lines += [f"| --- {'| --- ' * len(lengths)}|"]
    for mode, peaks in result.peaks_mib.items():
        lines.append(f"| {mode} | {' | '.join(f'{peaks[n]:.0f}' if n in peaks else '' for n in lengths)} |")
    lines += ["", "| goal | | value | limit | stretch | verdict |", "| --- | --- | --- | --- | --- | --- |"]
    for verdict in result.verdicts:
        goal, sign = verdict.goal, "≤" if verdict.goal.at_most else "≥"
        value = "" if verdict.value is None else f"{verdict.value:.2f}"
        word = verdict.word + (f" ({verdict.note})" if verdict.note else "")
        limits = f"{sign} {verdict.limit:.3g} | {sign} {goal.stretch:g}"
        lines.append(f"| {goal.key} | {goal.text} | {value} | {limits} | {word} |")
    absolute = ", ".join(f"{row.name} {row.cpu_ms:.2f}" for row in result.rows if row.cpu_ms is not None)
    lines += [
        "",
        f"Absolute, and worth nothing on another machine: ms a frame on {result.machine['processor']}, "
        f"{result.machine['cores']} cores, load {result.load_before['load_1min']:.1f} to "
        f"{result.load_after['load_1min']:.1f}: {absolute}.",
        "DIS, MOG2 and the frame difference are faster than any network; what is claimed against "
        "them is accuracy at real time.",
    ]
    return "\n".join(lines) + "\n"


def write_ratio(ratio: Ratio | None) -> str:
    """Write `1.52 (1.48 to 1.55)`."""
    if ratio is None:
        return ""
    digits = 3 if ratio.median < 0.1 else 2 if ratio.median < 100 else 0
    return f"{ratio.median:.{digits}f} ({ratio.low:.{digits}f} to {ratio.high:.{digits}f})"


def write_result(result: Result, path: Path) -> Path:
    """Write the JSON file, and the report as Markdown beside it; return the latter."""
    with write_whole(path) as beside:
        text = json.dumps({"format": FORMAT, **asdict(result)}, indent=2, ensure_ascii=False)
        beside.write_text(text, encoding="utf-8")
    page = path.with_suffix(".md")
    with write_whole(page) as beside:
        beside.write_text(write_markdown(result), encoding="utf-8")
    return page
