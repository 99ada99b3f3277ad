"""`fascnet benchmark`: compares predictions and raters with labels."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fascnet.errors import SettingError

if TYPE_CHECKING:
    from fascnet.evaluation.benchmark import Benchmark
    from fascnet.evaluation.scoring import ScoringRules
    from fascnet.types import Labels

BASELINES = ("farneback",)

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
    from fascnet.data.labelling.labels import load_labels  # noqa: PLC0415 - `--help` must be instant
    from fascnet.evaluation.benchmark import run_benchmark  # noqa: PLC0415
    from fascnet.evaluation.report.csv_tables import write_tables  # noqa: PLC0415
    from fascnet.evaluation.report.page import write_report  # noqa: PLC0415
    from fascnet.evaluation.report.plots import draw_plots  # noqa: PLC0415
    from fascnet.evaluation.sources.source import build_source  # noqa: PLC0415

    folders = _name_folders(config["predictions"])
    rules = _build_rules(config)
    resamples = _check_whole("bootstrap.resamples", config["bootstrap"]["resamples"], 0, 100_000)
    seed = _check_whole("bootstrap.seed", config["bootstrap"]["seed"], 0, 2**32 - 1)
    _check_whole("workers", config["workers"], 0, 64)
    _check_baselines(config)
    output = Path(config["output"])
    labels_folder = Path(config["labels"])
    if not labels_folder.is_dir():
        raise SettingError(f"benchmark: labels={labels_folder} is no folder; give the folder of label files")
    # Everything that can be refused is read before anything slow is run.
    sources = [build_source(name, folder) for name, folder in folders.items()]
    labels = load_labels(labels_folder)
    sources += [build_source(name, _run_baseline(name, config, output)) for name in config["baselines"]]
    bar = _measure_bar(config, labels, output) if config["farneback_bar"] else None
    benchmark = run_benchmark(
        sources,
        labels,
        rules,
        output=output,
        reference=config["reference"],
        resamples=resamples,
        seed=seed,
        extra_pixels=None if bar is None else {"farneback_bar": bar},
    )
    write_tables(benchmark, output / "tables")
    report = write_report(benchmark, draw_plots(benchmark, output / "figures"), output)
    _print_result(benchmark, bar)
    print(f"report: {report}")
    return int(any(set(benchmark.reference_clips) - set(source.clips) for source in sources))


def _name_folders(predictions: object) -> dict[str, Path]:
    if isinstance(predictions, str):
        return {"model": Path(predictions)}
    if isinstance(predictions, Mapping) and predictions:  # noqa: SIM102
        if all(isinstance(folder, str) for folder in predictions.values()):
            return {str(name): Path(folder) for name, folder in predictions.items()}
    raise SettingError(
        "benchmark: predictions takes a folder, or names and folders: '{model: out, other: out2}'"
    )


def _build_rules(config: Mapping[str, Any]) -> ScoringRules:
    from fascnet.evaluation.matching.match import MatchingRule  # noqa: PLC0415
    from fascnet.evaluation.scoring import ScoringRules  # noqa: PLC0415

    for key in ("clip_threshold", "pixel_threshold"):
        value = config[key]
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
            raise SettingError(f"benchmark: {key}={value} must be a number from 0 to 1")
    words = config["ignored_certainty"]
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise SettingError("benchmark: ignored_certainty must be a list of words, such as [possible]")
    for key, value in config["matching"].items():
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if key != "mode" and value is not None and not is_number:
            raise SettingError(f"benchmark: matching.{key}={value} must be a number or null")
    rule = MatchingRule("main", **config["matching"])
    return ScoringRules(
        rule, frozenset(words), float(config["clip_threshold"]), float(config["pixel_threshold"])
    )


def _check_whole(key: str, value: object, low: int, high: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise SettingError(f"benchmark: {key}={value} must be a whole number from {low} to {high}")
    return value


def _check_baselines(config: Mapping[str, Any]) -> None:
    names = config["baselines"]
    if not isinstance(names, list) or any(name not in BASELINES for name in names):
        raise SettingError(f"benchmark: baselines={names} must be a list of: {', '.join(BASELINES)}")
    if not isinstance(config["farneback_bar"], bool):
        raise SettingError(f"benchmark: farneback_bar={config['farneback_bar']} must be true or false")
    if (names or config["farneback_bar"]) and config["input"] is None:
        raise SettingError("benchmark: baselines and farneback_bar need the recordings; give input=…")


def _run_baseline(name: str, config: Mapping[str, Any], output: Path) -> Path:
    """Predict with a baseline as with any other predictor; a finished run in the folder is kept."""
    from fascnet.baselines.farneback import FarnebackPredictor  # noqa: PLC0415
    from fascnet.inference.study import predict_study  # noqa: PLC0415

    folder = output / "baselines" / name
    predictor = FarnebackPredictor(**config["farneback"])
    predict_study(config["input"], folder, predictor, split=config["split"], overlay=False)
    return folder


def _measure_bar(
    config: Mapping[str, Any], labels: Mapping[str, Mapping[str, Labels]], output: Path
) -> dict[str, object]:
    from fascnet.data.clip_set.splits import keep_split  # noqa: PLC0415
    from fascnet.data.recording.find_clips import find_clips  # noqa: PLC0415
    from fascnet.data.whole_file import write_whole  # noqa: PLC0415
    from fascnet.evaluation.benchmark import choose_reference  # noqa: PLC0415
    from fascnet.evaluation.farneback_bar import describe_bar, measure_farneback_bar  # noqa: PLC0415

    rater = choose_reference(labels, config["reference"])
    own = {clip_id: by_rater[rater] for clip_id, by_rater in labels.items() if rater in by_rater}
    grid = ("spatial_sigma_px", "pitch_mm", "rate_hz", "assumed_mm_per_px")
    settings = {key: config["farneback"][key] for key in grid}
    clips = keep_split(find_clips(config["input"]), config["split"])
    table = measure_farneback_bar(clips, own, workers=config["workers"], **settings)
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
