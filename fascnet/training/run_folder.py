"""The folder of a training run: who may write to it, what stays of a run that was stopped."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.loggers import CSVLogger

from fascnet.data.whole_file import write_whole
from fascnet.errors import OutputError, SettingError
from fascnet.types import ClipSource

MODEL_FILE = "model.safetensors"
CONFIG_FILE = "config.json"
CHECKPOINT_FILE = "checkpoints/last.ckpt"
LOGS = "logs"


def is_first_process() -> bool:
    """Tell whether this is the process that the user started, and not one that a distributed run did.

    Said by torchrun (`RANK`), by Lightning to processes that it starts, or by srun, which starts all alike.
    """
    ranks = [os.environ[key] for key in ("RANK", "LOCAL_RANK", "SLURM_PROCID") if key in os.environ]
    return not ranks or int(ranks[0]) == 0


def find_checkpoint(output: Path, config: Mapping[str, Any], resume: bool, overwrite: bool) -> Path | None:
    """Refuse a folder that holds another run, and return the checkpoint to go on from, if any.

    Raises:
        OutputError: the folder holds a run, and neither `resume` nor `overwrite` was given.
        SettingError: what is resumed was started with another configuration, or both were given.
    """
    checkpoint = output / CHECKPOINT_FILE
    if not is_first_process():
        return checkpoint if resume and checkpoint.exists() else None
    if resume and overwrite:
        raise SettingError(f"{output}: resume=true goes on, overwrite=true starts anew; give one of them")
    kept = output / CONFIG_FILE
    if overwrite or not kept.exists():
        return None
    if not resume:
        raise OutputError(f"{output}: holds a run already; use resume=true, overwrite=true or another output")
    if (output / MODEL_FILE).exists():
        raise OutputError(f"{output}: this run is complete; use overwrite=true or another output")
    before = _read_config(kept)
    now = _take_decisive(config)
    changed = sorted(key for key in now.keys() | before.keys() if now.get(key) != before.get(key))
    if changed:
        raise SettingError(
            f"{output}: was started with another {', '.join(changed)}; resume needs the same settings"
        )
    return checkpoint if checkpoint.exists() else None


def start_folder(output: Path, config: Mapping[str, Any]) -> None:
    """Make the folder of a new run: remove what an earlier run left, and keep the configuration.

    Raises:
        OutputError: it cannot be written.
    """
    if not is_first_process():
        return
    stale = [output / MODEL_FILE, output / CHECKPOINT_FILE, output / LOGS / "metrics.csv"]
    try:
        for path in (*stale, *(output / LOGS).glob("events.out.tfevents.*")):
            path.unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(
            f"{error.filename}: cannot be removed ({error.strerror}); check the folder"
        ) from error
    with write_whole(output / CONFIG_FILE) as beside:
        text = json.dumps(_take_decisive(config), indent=2, sort_keys=True)
        beside.write_text(text + "\n", encoding="utf-8")


def write_splits(output: Path, sources: Sequence[ClipSource]) -> None:
    """Write which clip went into which split."""
    with write_whole(output / "splits.csv") as beside, beside.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["clip_id", "subject_id", "split"])
        writer.writerows([clip.clip_id, clip.subject_id, clip.split] for clip in sources)


class EarlierMetrics(Callback):
    """Keeps the rows that a stopped run logged up to its checkpoint; Lightning deletes them when it resumes.

    Args:
        output: run folder.
        resumes: whether there is a checkpoint to go on from; otherwise nothing is kept.
    """

    def __init__(self, output: Path, resumes: bool) -> None:
        path = output / LOGS / "metrics.csv"
        self._rows: list[dict[str, str]] = []
        if resumes and path.exists() and is_first_process():
            with path.open(newline="", encoding="utf-8") as file:
                self._rows = list(csv.DictReader(file))

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:  # noqa: ARG002
        """Write them again, but for those of the epoch that was broken off."""
        for logger in trainer.loggers:
            if isinstance(logger, CSVLogger) and self._rows:
                for row in self._rows:
                    if row.get("epoch") and int(row["epoch"]) < trainer.current_epoch:
                        figures = {key: value for key, value in row.items() if value and key != "step"}
                        logger.experiment.log_metrics(figures, step=int(row["step"]))
                logger.experiment.save()


def _take_decisive(config: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in config.items() if key not in {"resume", "overwrite", "output"}}


def _read_config(path: Path) -> dict[str, Any]:
    try:
        tree = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise OutputError(f"{path}: is damaged ({error}); use overwrite=true or another output") from error
    if not isinstance(tree, dict):
        raise OutputError(f"{path}: is damaged (no mapping); use overwrite=true or another output")
    return tree
