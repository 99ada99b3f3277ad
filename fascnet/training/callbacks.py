"""What is printed while training runs where nobody watches a progress bar."""

from __future__ import annotations

import sys
import time

from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.callbacks import RichProgressBar


class EpochLines(Callback):
    """Prints a line after each epoch: for logs and pipes, where a progress bar is noise."""

    def __init__(self) -> None:
        self._started = time.monotonic()

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:  # noqa: ARG002
        """Start the clock."""
        self._started = time.monotonic()

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:  # noqa: ARG002
        """Print what was logged."""
        if not trainer.is_global_zero:
            return
        figures = {name: float(value) for name, value in trainer.callback_metrics.items()}
        shown = [
            f"{name} {figures[name]:.3f}"
            for name in ("loss", "val_pixel_ap", "val_event_f1")
            if name in figures
        ]
        when = f"epoch {trainer.current_epoch + 1}/{trainer.max_epochs}"
        taken = f"{time.monotonic() - self._started:.0f} s"
        print("  ".join([when, taken, *shown]), file=sys.stderr, flush=True)


def choose_progress() -> Callback:
    """Return a progress bar for a terminal, plain lines for anything else."""
    return RichProgressBar() if sys.stderr.isatty() else EpochLines()
