from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from fascnet.commands.main import run
from fascnet.inference.model_file import load_model
from tests.data.tiny import write_tiny_data

TINY = [
    "network.arguments.widths=[4,6]",
    "network.arguments.dilations=[1,1]",
    "network.arguments.look_ahead=2",
    "data.window.n_ticks=16",
    "data.window.size_px=32",
    "data.window.warm_up_ticks=4",
    "data.batch_size=2",
    "data.windows_per_epoch=8",
    "trainer.epochs=2",
    "trainer.threads=1",
]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_data(tmp_path_factory.mktemp("data"), n_frames=30)


def start(*arguments: str) -> subprocess.Popen[str]:
    code = "from fascnet.commands.main import main; main()"
    script = Path(sys.executable).with_name("fascnet")
    command = [str(script)] if script.exists() else [sys.executable, "-c", code]
    return subprocess.Popen(
        [*command, "train", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        # A shell's background job ignores Ctrl-C, and its children would too.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - takes no lock
    )


def test_trains_and_says_where_the_model_is(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "run"
    try:
        assert run(["train", f"data.root={root}", f"output={output}", *TINY]) == 0
    finally:
        torch.use_deterministic_algorithms(False)
    captured = capsys.readouterr()
    assert captured.out.startswith(f"{output / 'model.safetensors'}: validation ")
    assert captured.out.count("\n") == 1
    lines = [line for line in captured.err.splitlines() if line.startswith("epoch ")]
    assert [line.split("  ")[0] for line in lines] == ["epoch 1/2", "epoch 2/2"]
    assert load_model(output / "model.safetensors").spec.training["config"]["trainer"]["epochs"] == 2


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (["trainer.epochs=abc"], "trainer.epochs=abc must be a whole number"),
        (["trainer.epochs=-1"], "trainer.epochs is -1; give 0 or more"),
        (["data.batch_size=-1"], "data.batch_size is -1; give 1 or more"),
        (["data.batch_size=100"], "data.windows_per_epoch is 8; give 100 or more"),
        (["data.window.n_ticks=3"], "window.n_ticks is 3"),
        (["data.preprocessor.pitch_mm=9"], "pitch_mm is 9"),
        (["data.preprocessor.pitch_mm=nan"], "data.preprocessor.pitch_mm=nan must be a number"),
        (["augmentation.scale=[2,1]"], "augmentation.scale is [2, 1]"),
        (["loss.dice_weight=-1"], "loss.dice_weight is -1"),
        (["optimizer.learning_rate=10"], "optimizer.learning_rate is 10"),
        (["optimizer.momentum=0.9"], "no key 'optimizer.momentum'"),
        (["+optimizer.momentum=0.9"], "momentum"),
        (["network.arguments.widths=[4]"], "give 2 to 4"),
        (["network.name=resnet"], "there is no network 'resnet'"),
        (["+network.depth=3"], "nothing reads the key 'network.depth'"),
        (["~network.name"], "network needs the keys"),
        (["seed=-1"], "seed=-1 must be a whole number from 0"),
        (["seed=x"], "seed=x must be a whole number from 0"),
        (["seed=4294967296"], "seed=4294967296 must be a whole number from 0 to 4294967295"),
        (["modes=many"], "modes"),
        (["modes=0"], "modes"),
        (["second_look=often"], "second_look=often must be true, false or learn"),
        (["resume=maybe"], "resume=maybe must be true or false"),
        (["init=7"], "init=7 must be a model file, packaged, fast, a list of such, or null"),
        (["init=[]"], "init=[] must be a model file"),
        (["init=[a.safetensors,3]"], "must be a model file"),
        (["name=[1]"], "name=[1] must be text"),
        (["data.root=nowhere"], "nowhere/manifest.csv"),
        (["data.rater=nobody"], "no labels of rater 'nobody'"),
    ],
)
def test_wrong_settings_are_one_line_and_leave_nothing(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], wrong: list[str], told: str
) -> None:
    arguments = ["train", f"data.root={root}", f"output={tmp_path / 'run'}", *TINY, *wrong]
    assert run(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert len(captured.err.splitlines()) == 1
    assert told in captured.err
    assert not (tmp_path / "run").exists()


def test_a_gpu_that_is_not_there_is_one_line(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert run(["train", f"data.root={root}", f"output={tmp_path / 'run'}", "trainer=gpu"]) == 2
    assert capsys.readouterr().err.startswith("fascnet: trainer=gpu, but torch finds no CUDA device")


def wait_for(path: Path, process: subprocess.Popen[str], limit_s: float = 120.0) -> None:
    until_s = time.monotonic() + limit_s
    while not path.exists():
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < until_s, f"{path} did not appear"
        time.sleep(0.02)


@pytest.mark.slow
@pytest.mark.parametrize(("how", "code"), [(signal.SIGKILL, -signal.SIGKILL), (signal.SIGINT, 130)])
def test_a_killed_run_goes_on_to_the_same_weights(
    root: Path, tmp_path: Path, how: signal.Signals, code: int
) -> None:
    arguments = [f"data.root={root}", *TINY, "trainer.epochs=12", "data.windows_per_epoch=24"]
    process = start(f"output={tmp_path / 'killed'}", *arguments)
    wait_for(tmp_path / "killed" / "checkpoints" / "last.ckpt", process)
    process.send_signal(how)
    _, said = process.communicate(timeout=60)
    assert process.returncode == code, said
    assert not (tmp_path / "killed" / "model.safetensors").exists()
    if how is signal.SIGINT:
        assert said.splitlines()[-1].endswith("training was stopped; go on with resume=true")
    try:
        assert run(["train", f"output={tmp_path / 'killed'}", *arguments, "resume=true"]) == 0
        assert run(["train", f"output={tmp_path / 'whole'}", *arguments]) == 0
    finally:
        torch.use_deterministic_algorithms(False)
    killed, whole = (load_file(tmp_path / name / "model.safetensors") for name in ("killed", "whole"))
    assert all(torch.equal(killed[key], whole[key]) for key in whole)


@pytest.mark.slow
def test_two_processes_train_together(root: Path, tmp_path: Path) -> None:
    output = tmp_path / "run"
    process = start(f"data.root={root}", f"output={output}", *TINY, "trainer=ddp", "trainer.epochs=1")
    said, told = process.communicate(timeout=300)
    assert process.returncode == 0, told
    assert said.startswith(f"{output / 'model.safetensors'}: validation ")
    assert said.count("validation") == 1
    # 8 windows in batches of 2 on 2 processes.
    assert load_model(output / "model.safetensors").spec.training["steps"] == 2
    process = start(
        f"data.root={root}", f"output={tmp_path / 'timed'}", *TINY, "trainer=ddp", "trainer.epochs=1000",
        "trainer.max_minutes=0.03",
    )  # fmt: skip
    _, told = process.communicate(timeout=300)
    assert process.returncode == 0, told
