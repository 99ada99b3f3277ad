"""`fascnet predict`: finds fasciculations in recordings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fascnet.commands.config import instantiate_node
from fascnet.commands.whole_numbers import check_whole
from fascnet.errors import SettingError

if TYPE_CHECKING:
    from rich.console import Console

    from fascnet.inference.study import StudyResult
    from fascnet.types import PixelBox, Predictor

_MAX_ROWS = 20

_NETWORK_ONLY = {"model": None, "precision": "fp32", "compile": False}
"""Settings that only the network has, with the value that asks for nothing."""


def run(config: dict[str, Any]) -> int:
    """Predict a study.

    Args:
        config: `configs/predict.yaml`, resolved.

    Returns:
        0, or 1 when a clip failed; a clip that broke off (`partial`) counts as finished and is listed.

    Raises:
        FascnetError: a wrong setting, input or output.
    """
    _check_settings(config)
    predictor: Predictor = instantiate_node(config["detector"], "detector")

    from rich.console import Console  # noqa: PLC0415 - `--help` must be instant

    from fascnet.inference.study import predict_study  # noqa: PLC0415

    result = predict_study(
        config["input"],
        config["output"],
        predictor,
        split=config["split"],
        folds=config["folds"],
        fold=config["fold"],
        box=_read_box(config["box"]),
        reject=_build_rule(config, "reject"),
        name_periodic=_build_rule(config, "name_periodic"),
        overlay=config["overlay"],
        kinematics=config["kinematics"],
        overwrite=config["overwrite"],
        config=config,
    )
    _print_result(Console(highlight=False), result)
    return 1 if result.failed else 0


def _build_rule(config: dict[str, Any], key: str) -> Any:
    """Build a rule about movement; null and false switch it off."""
    node = config[key]
    if node is None or node is False:
        return None
    if not isinstance(node, dict):
        raise SettingError(f"predict: {key}={node}: give {key}=null to switch it off, or {key}.KEY=VALUE")
    return instantiate_node(node, key)


def _check_settings(config: dict[str, Any]) -> None:
    for key in ("overlay", "kinematics", "overwrite", "compile"):
        if not isinstance(config[key], bool):
            raise SettingError(f"predict: {key}={config[key]} must be true or false")
    if config["device"] not in {"auto", "cpu", "cuda"}:
        raise SettingError(f"predict: device={config['device']} must be auto, cpu or cuda")
    if config["precision"] not in {"fp32", "bf16"}:
        raise SettingError(f"predict: precision={config['precision']} must be fp32 or bf16")
    check_whole("predict: chunk_frames", config["chunk_frames"], 1)
    target = str(config["detector"].get("_target_", ""))
    if target.endswith(".load_network_predictor"):
        return
    if config["device"] == "cuda":
        raise SettingError("predict: device=cuda is for detector=network; this detector runs on the CPU only")
    for key, nothing in _NETWORK_ONLY.items():
        if config[key] != nothing:
            raise SettingError(f"predict: {key}={config[key]} is for detector=network; leave it out")


def _read_box(value: object) -> PixelBox | None:
    if value is None:
        return None
    if isinstance(value, list) and len(value) == 4 and all(type(edge) is int for edge in value):
        x0, y0, x1, y1 = value
        if 0 <= x0 < x1 and 0 <= y0 < y1:
            return x0, y0, x1, y1
    raise SettingError(f"predict: box={value} must be [x0,y0,x1,y1] in whole pixels, x1 > x0 and y1 > y0")


def _print_result(console: Console, result: StudyResult) -> None:
    from rich.markup import escape  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    scored = sorted(
        (p for p in result.predictions if p.score is not None), key=lambda p: (-(p.score or 0.0), p.clip_id)
    )
    if scored:
        table = Table(box=None, pad_edge=False, header_style="bold")
        for title, side in (("clip", "left"), ("score", "right"), ("events", "right"), ("per min", "right")):
            table.add_column(title, justify="right" if side == "right" else "left", overflow="fold")
        table.add_column("seconds", justify="right")
        table.add_column("")
        for p in scored[:_MAX_ROWS]:
            rate = 60.0 * len(p.fasciculations()) / p.scored_s if p.scored_s > 0 else 0.0
            note = "partial" if p.status == "partial" else "kept" if p.clip_id in result.skipped else ""
            cells = (
                escape(p.clip_id),
                f"{p.score:.2f}",
                str(len(p.fasciculations())),
                f"{rate:.1f}",
                f"{p.scored_s:.1f}",
            )
            table.add_row(*cells, note)
        console.print(table)
        if len(scored) > _MAX_ROWS:
            console.print(f"… the {_MAX_ROWS} highest of {len(scored)} scores; all of them in scores.csv")
    for p in result.predictions:
        if p.status == "ok" and p.reason:
            console.print(f"{p.clip_id}: {p.reason}", markup=False, soft_wrap=True)
    for p in (*result.partial, *result.failed):
        console.print(f"{p.status}: {p.clip_id}: {p.reason}", markup=False, soft_wrap=True)
    parts = [f"{len(result.done)} predicted", f"{len(result.skipped)} kept", f"{len(result.failed)} failed"]
    if result.frames_per_second is not None and result.frames:
        parts.append(f"{result.frames_per_second:.0f} frames/s with all files")
    console.print(f"{', '.join(parts)}. Research tool, not a medical device.", markup=False, soft_wrap=True)
    console.print(
        f"{result.output}: scores.csv, events.csv, intervals.csv, run.json, a folder per clip",
        markup=False,
        soft_wrap=True,
    )
