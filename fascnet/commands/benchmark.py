"""`fascnet benchmark`: compares predictions and raters with labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fascnet.commands.baseline_choice import build_baseline, list_baselines
from fascnet.commands.benchmark_rules import THRESHOLDS, build_rules, check_words
from fascnet.commands.whole_numbers import check_whole
from fascnet.errors import SettingError

if TYPE_CHECKING:
    from fascnet.evaluation.benchmark import Benchmark
    from fascnet.evaluation.clip_statements import StatementResult
    from fascnet.evaluation.report.worst_clip_pictures import WorstClipPicture
    from fascnet.evaluation.rules import ScoringRules
    from fascnet.evaluation.sources.training_record import TrainingRecord
    from fascnet.types import ClipSource, Labels

_COLUMNS = (
    ("events", "precision", "P"),
    ("events", "recall", "R"),
    ("events", "f1", "F1"),
    ("events", "false_alarms_per_min", "FA/min"),
    ("clips", "auroc", "AUROC"),
    ("pixels", "average_precision", "pixel AP"),
)


def run(config: dict[str, Any]) -> int:
    """Run the benchmark that `configs/benchmark.yaml` describes.

    Args:
        config: the resolved configuration.

    Returns:
        0, or 1 when a source did not predict some labelled clips.

    Raises:
        FascnetError: a wrong setting, input or output.
    """
    from fascnet.data.label_forms.clip_labels import read_clip_labels  # noqa: PLC0415 - `--help` is instant
    from fascnet.evaluation.benchmark import History, judge_statements, run_benchmark  # noqa: PLC0415
    from fascnet.evaluation.cuts.subgroups import merge_clip_tables, read_clip_table  # noqa: PLC0415
    from fascnet.evaluation.metrics_file import write_metrics  # noqa: PLC0415
    from fascnet.evaluation.report.csv_tables import write_tables  # noqa: PLC0415
    from fascnet.evaluation.report.latex_tables import write_latex_tables  # noqa: PLC0415
    from fascnet.evaluation.report.page import write_report  # noqa: PLC0415
    from fascnet.evaluation.report.plots import draw_plots  # noqa: PLC0415
    from fascnet.evaluation.sources.other_tools import load_source  # noqa: PLC0415

    folders = _name_folders(config["predictions"])
    rules = build_rules(config)
    resamples = check_whole("benchmark: bootstrap.resamples", config["bootstrap"]["resamples"], 0, 100_000)
    seed = check_whole("benchmark: bootstrap.seed", config["bootstrap"]["seed"], 0, 2**32 - 1)
    check_whole("benchmark: workers", config["workers"], 0, 64)
    _check_baselines(config)
    output = Path(config["output"])
    # Everything that can be refused is read before anything slow is run.
    labels = _load_labels(Path(config["labels"]))
    statements = read_clip_labels(Path(config["labels"]))
    left_out = rules.not_scored == "left_out"
    sources = [load_source(name, folder, leave_out_not_scored=left_out) for name, folder in folders.items()]
    history = History(
        _read_records(folders, config["model"]),
        config["allow_seen"],
        {key: float(config[key]) for key in THRESHOLDS},
        THRESHOLDS,
    )
    paths = check_words("clip_tables", config["clip_tables"])
    table = merge_clip_tables([read_clip_table(Path(path)) for path in paths])
    clips = _find_input(config)
    sources += [load_source(name, _run_baseline(name, config, output)) for name in config["baselines"]]
    if not labels and not statements:
        raise SettingError(
            f"benchmark: labels={config['labels']} holds neither CLIP.RATER.json nor clip_labels.csv; "
            "give the folder of label files"
        )
    if not labels:
        found = judge_statements(
            sources,
            statements,
            rules,
            studied={clip for source in sources for clip in source.clips},
            history=history,
            clips=clips,
            clip_table=table,
            resamples=resamples,
            seed=seed,
        )
        for note in (note for source in sources for note in source.notes):
            print(f"note: {note}")
        return _write_statements(sources[0].name, found, rules, output)
    benchmark = run_benchmark(
        sources,
        labels,
        rules,
        reference=None if config["reference"] is None else str(config["reference"]),
        clips=clips,
        history=history,
        clip_table=table,
        statements=statements,
        resamples=resamples,
        seed=seed,
    )
    bar = _measure_bar(config, clips, benchmark, output) if config["farneback_bar"] else None
    write_metrics(benchmark, output, None if bar is None else {"farneback_bar": bar})
    write_tables(benchmark, output / "tables")
    write_latex_tables(benchmark, output / "tables")
    plots = draw_plots(benchmark, output / "figures")
    report = write_report(benchmark, output, plots, _draw_worst(benchmark, clips), bar)
    _print_result(benchmark, bar)
    _print_statements(benchmark.statements)
    print(f"report: {report}")
    return int(benchmark.incomplete)


def _write_statements(
    main_source: str, found: Sequence[StatementResult], rules: ScoringRules, output: Path
) -> int:
    """Write the figures where raters gave counts, presence or grades of whole clips, and no events."""
    from fascnet.evaluation.metrics_file import write_statement_metrics  # noqa: PLC0415
    from fascnet.evaluation.report.csv_tables import write_statement_table  # noqa: PLC0415

    if not found:
        raise SettingError(
            "predictions: none of their clips stands in clip_labels.csv of the labels; use the same clip_id"
        )
    write_statement_metrics(main_source, found, rules, output)
    table = write_statement_table(found, output / "tables")
    _print_statements(found)
    print(f"no events are labelled, so there is no report of events; figures: {table}")
    return int(any(one.n_missing for one in found))


def _print_statements(statements: Sequence[StatementResult]) -> None:
    for one in statements:
        values = [
            f"{section}.{name} {figure.value:.2f}"
            for section, figures in one.figures.items()
            for name, figure in figures.items()
            if figure.value is not None
        ]
        missing = f", {one.n_missing} more not judged" if one.n_missing else ""
        print(f"{one.source} against {one.rater} on {one.n_clips} whole clips{missing}: {', '.join(values)}")


def _name_folders(predictions: object) -> dict[str, Path]:
    if isinstance(predictions, str):
        return {"model": Path(predictions)}
    if isinstance(predictions, Mapping) and predictions:  # noqa: SIM102
        if all(isinstance(folder, str) for folder in predictions.values()):
            return {str(name): Path(folder) for name, folder in predictions.items()}
    raise SettingError(
        "benchmark: predictions takes a folder, or names and folders: '{model: out, other: out2}'"
    )


def _load_labels(path: Path) -> Mapping[str, Mapping[str, Labels]]:
    """Read a folder of label files, or of tables of events and of examined clips."""
    from fascnet.data.labelling.labels import list_label_files, load_labels  # noqa: PLC0415
    from fascnet.evaluation.sources.label_table import load_label_table  # noqa: PLC0415

    if not path.is_dir():
        raise SettingError(f"benchmark: labels={path} is no folder; give the folder of label files")
    if list_label_files(path) or not (path / "events.csv").is_file():
        return load_labels(path)
    return load_label_table(path / "events.csv", path / "scores.csv")


def _read_records(folders: Mapping[str, Path], model: object) -> dict[str, TrainingRecord | None]:
    """Read whom each source has seen; hold the main one to its model file when that is given."""
    from fascnet.evaluation.sources.seen_subjects import check_same_model  # noqa: PLC0415
    from fascnet.evaluation.sources.training_record import (  # noqa: PLC0415
        read_model_header,
        read_training_record,
    )

    records = {
        name: read_training_record(path if path.is_dir() else path.parent) for name, path in folders.items()
    }
    if model is not None:
        name = next(iter(folders))
        header, own = read_model_header(Path(str(model))), records[name]
        if own is None:
            records[name] = header
        else:
            check_same_model(own, header)
    return records


def _draw_worst(benchmark: Benchmark, clips: Sequence[ClipSource]) -> list[WorstClipPicture]:
    """Draw the worst clips of the main source where the recordings are given."""
    from fascnet.evaluation.report.worst_clip_pictures import draw_worst_clips  # noqa: PLC0415

    if not clips:
        return []
    main = benchmark.results[0]
    heatmaps = {name: found.heatmap for name, found in main.source.clips.items() if found.heatmap is not None}
    recordings = {clip.clip_id: clip for clip in clips}
    labels = benchmark.study.labels
    return list(draw_worst_clips(benchmark.worst_clips, main.outcomes, recordings, heatmaps, labels))


def _find_input(config: Mapping[str, Any]) -> list[ClipSource]:
    from fascnet.data.clip_set.folds import choose_round  # noqa: PLC0415
    from fascnet.data.clip_set.splits import keep_split  # noqa: PLC0415
    from fascnet.data.recording.find_clips import find_clips  # noqa: PLC0415

    if config["input"] is None:
        return []
    clips = choose_round(find_clips(config["input"]), config["folds"], config["fold"])
    return keep_split(clips, config["split"])


def _check_baselines(config: Mapping[str, Any]) -> None:
    names = config["baselines"]
    known = list_baselines()
    if not isinstance(names, list) or any(name not in known for name in names):
        raise SettingError(f"benchmark: baselines={names} must be a list of: {', '.join(known)}")
    if len(set(names)) < len(names):
        raise SettingError(f"benchmark: baselines={names} names one twice; name each once")
    if not isinstance(config["farneback_bar"], bool):
        raise SettingError(f"benchmark: farneback_bar={config['farneback_bar']} must be true or false")
    if (names or config["farneback_bar"]) and config["input"] is None:
        raise SettingError("benchmark: baselines and farneback_bar need the recordings; give input=…")


def _run_baseline(name: str, config: Mapping[str, Any], output: Path) -> Path:
    """Predict with a baseline as with any other predictor; a finished run in the folder is kept."""
    from fascnet.baselines.farneback import FarnebackPredictor  # noqa: PLC0415
    from fascnet.inference.study import predict_study  # noqa: PLC0415

    folder = output / "baselines" / name
    # Farneback's settings stand in benchmark.yaml, because its bar shares them; others have a file each.
    predictor = FarnebackPredictor(**config["farneback"]) if name == "farneback" else build_baseline(name)
    chosen = {key: config[key] for key in ("split", "folds", "fold")}
    predict_study(config["input"], folder, predictor, **chosen, overlay=False, kinematics=False)
    return folder


def _measure_bar(
    config: Mapping[str, Any], clips: Sequence[ClipSource], benchmark: Benchmark, output: Path
) -> dict[str, object]:
    from fascnet.data.whole_file import write_whole  # noqa: PLC0415
    from fascnet.evaluation.farneback_bar import describe_bar, measure_farneback_bar  # noqa: PLC0415

    grid = ("spatial_sigma_px", "pitch_mm", "rate_hz", "assumed_mm_per_px")
    settings = {key: config["farneback"][key] for key in grid}
    table = measure_farneback_bar(clips, benchmark.study.places, workers=config["workers"], **settings)
    with write_whole(output / "tables" / "farneback_bar.csv") as beside:
        table.to_csv(beside, index=False, lineterminator="\n")
    return describe_bar(table)


def _print_result(benchmark: Benchmark, bar: Mapping[str, object] | None) -> None:
    from rich.console import Console  # noqa: PLC0415
    from rich.markup import escape  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    console = Console(highlight=False)
    table = Table(title=f"against {escape(benchmark.reference)}")
    table.add_column("source")
    for _, _, title in _COLUMNS:
        table.add_column(title, justify="right")
    for result in benchmark.results:
        values = [result.figures[section][name].value for section, name, _ in _COLUMNS]
        cells = ["–" if value is None else f"{value:.2f}" for value in values]
        table.add_row(escape(result.source.name), *cells)
    if bar is not None and bar["value"] is not None:
        table.add_row("farneback bar (oracle)", "", "", "", "", "", f"{bar['value']:.2f}")
    console.print(table)
    for warning in benchmark.warnings:
        console.print(f"note: {escape(warning)}")
