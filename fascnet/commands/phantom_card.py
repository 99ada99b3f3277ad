"""`fascnet phantom card`: set a phantom beside published figures and real clips."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any


def run(config: dict[str, Any]) -> int:
    """Write the card and return the exit code.

    Args:
        config: the composed `configs/phantom_card.yaml`; keys are arguments of `make_card`; the group
            `phantom` holds the fields of `PhantomSettings`, the group `real` a folder and what is known
            about its files.
    """
    from rich.console import Console  # noqa: PLC0415 - `--help` must be instant
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn  # noqa: PLC0415

    from fascnet.phantom.card.make import make_card  # noqa: PLC0415
    from fascnet.phantom.settings import PhantomSettings  # noqa: PLC0415

    folder = config["real"]["folder"]
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty()) as progress:
        bar = progress.add_task("phantom card")
        page = make_card(
            Path(config["output"]),
            settings=PhantomSettings.from_mapping(config["phantom"]),
            real=None if folder is None else Path(folder),
            real_rules=config["real"]["rules"],
            subjects=config["subjects"],
            seed=config["seed"],
            classifier_epochs=config["classifier_epochs"],
            classifier_pitch_mm=config["classifier_pitch_mm"],
            on_step=lambda what, done, total: progress.update(
                bar, description=what, completed=done, total=total
            ),
        )
    print(f"phantom card: {page}")
    return 0
