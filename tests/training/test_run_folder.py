from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from lightning.pytorch.loggers import CSVLogger

from fascnet.errors import OutputError, SettingError
from fascnet.training.run_folder import (
    CHECKPOINT_FILE,
    EarlierMetrics,
    find_checkpoint,
    is_first_process,
    start_folder,
    write_splits,
)
from fascnet.types import ClipSource

CONFIG: dict[str, Any] = {
    "seed": 0,
    "data": {"root": "x"},
    "resume": False,
    "overwrite": False,
    "output": "o",
}


def make_run(folder: Path) -> Path:
    start_folder(folder, CONFIG)
    (folder / CHECKPOINT_FILE).parent.mkdir()
    (folder / CHECKPOINT_FILE).write_bytes(b"checkpoint")
    return folder


@pytest.mark.parametrize(
    ("environment", "is_first"),
    [
        ({}, True),
        ({"LOCAL_RANK": "0"}, True),
        ({"LOCAL_RANK": "1"}, False),
        # The first of the second machine, as torchrun and as srun say it.
        ({"RANK": "2", "LOCAL_RANK": "0"}, False),
        ({"SLURM_PROCID": "2", "SLURM_LOCALID": "0"}, False),
        # Lightning in a job of one task starts the others itself.
        ({"SLURM_PROCID": "0", "LOCAL_RANK": "1"}, False),
        ({"SLURM_PROCID": "0"}, True),
    ],
)
def test_one_process_of_all_machines_is_the_first(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], is_first: bool
) -> None:
    for key in ("RANK", "LOCAL_RANK", "SLURM_PROCID"):
        monkeypatch.delenv(key, raising=False)
    for key, value in environment.items():
        monkeypatch.setenv(key, value)
    assert is_first_process() is is_first


def test_a_new_folder_has_nothing_to_go_on_from(tmp_path: Path) -> None:
    for resume in (False, True):
        assert find_checkpoint(tmp_path / "new", CONFIG, resume, overwrite=False) is None
    assert not (tmp_path / "new").exists()


def test_a_stopped_run_goes_on_from_its_checkpoint_wherever_it_lies(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    moved = run.rename(tmp_path / "moved")
    config = {**CONFIG, "resume": True, "output": str(moved)}
    assert find_checkpoint(moved, config, resume=True, overwrite=False) == moved / CHECKPOINT_FILE


def test_starting_anew_removes_what_an_earlier_run_left_and_nothing_else(tmp_path: Path) -> None:
    run = make_run(tmp_path)
    (run / "logs").mkdir()
    for name in ("model.safetensors", "logs/metrics.csv", "logs/events.out.tfevents.1", "notes.txt"):
        (run / name).write_text("old")
    assert find_checkpoint(run, CONFIG, resume=False, overwrite=True) is None
    start_folder(run, CONFIG)
    kept = {str(path.relative_to(run)) for path in run.rglob("*") if path.is_file()}
    assert kept == {"config.json", "notes.txt"}


@pytest.mark.parametrize("text", ["", "{", "[]"])
def test_a_damaged_configuration_is_told(tmp_path: Path, text: str) -> None:
    run = make_run(tmp_path)
    (run / "config.json").write_text(text)
    with pytest.raises(OutputError, match=r"config\.json: is damaged"):
        find_checkpoint(run, CONFIG, resume=True, overwrite=False)


def test_settings_that_changed_are_named(tmp_path: Path) -> None:
    run = make_run(tmp_path)
    with pytest.raises(SettingError, match="another data, seed;"):
        find_checkpoint(run, {**CONFIG, "seed": 1, "data": {"root": "y"}}, resume=True, overwrite=False)


def test_other_processes_of_a_run_neither_refuse_nor_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run(tmp_path / "run")
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert find_checkpoint(run, CONFIG, resume=False, overwrite=False) is None
    assert find_checkpoint(run, CONFIG, resume=True, overwrite=False) == run / CHECKPOINT_FILE
    start_folder(tmp_path / "other", CONFIG)
    assert not (tmp_path / "other").exists()


def test_an_unwritable_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be"):
        start_folder(tmp_path / "file", CONFIG)


def test_rows_of_finished_epochs_are_written_again(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "metrics.csv").write_text("epoch,loss,step\n0,0.5,1\n1,0.4,3\n")
    kept: Any = EarlierMetrics(tmp_path, resumes=True)
    logger = CSVLogger(tmp_path, name="logs", version="")
    kept.on_train_start(SimpleNamespace(loggers=[logger], current_epoch=1), None)
    assert (tmp_path / "logs" / "metrics.csv").read_text().split() == ["epoch,loss,step", "0,0.5,1"]
    assert EarlierMetrics(tmp_path, resumes=False)._rows == []


def test_splits_are_written_with_their_subjects(tmp_path: Path) -> None:
    write_splits(tmp_path, [ClipSource("a", Path("a.mp4"), "s, jr", split="train")])
    assert (tmp_path / "splits.csv").read_text() == 'clip_id,subject_id,split\na,"s, jr",train\n'
