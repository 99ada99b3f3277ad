from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from lightning.pytorch.callbacks import ProgressBar

from fascnet.training.callbacks import EpochLines, choose_progress


def make_trainer(first: bool = True) -> Any:
    figures = {"loss": torch.tensor(0.5), "val_event_f1": torch.tensor(0.25), "other": torch.tensor(9.0)}
    return SimpleNamespace(is_global_zero=first, callback_metrics=figures, current_epoch=2, max_epochs=5)


def test_an_epoch_is_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    lines: Any = EpochLines()
    lines.on_train_start(make_trainer(), None)
    lines.on_train_epoch_end(make_trainer(), None)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == "epoch 3/5  0 s  loss 0.500  val_event_f1 0.250\n"


def test_only_the_first_process_speaks(capsys: pytest.CaptureFixture[str]) -> None:
    lines: Any = EpochLines()
    lines.on_train_epoch_end(make_trainer(first=False), None)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("terminal", [True, False])
def test_a_bar_is_for_terminals(monkeypatch: pytest.MonkeyPatch, terminal: bool) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)
    assert isinstance(choose_progress(), ProgressBar) is terminal
