from __future__ import annotations

import csv
import json
import math
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from fascnet.data.clip_set.subject_hash import hash_subject
from fascnet.data.training_input.dataset import Window
from fascnet.errors import DeviceError, OutputError, SettingError, SplitError
from fascnet.inference.model_file import load_model
from fascnet.inference.network import load_network_predictor
from fascnet.models.build import complete_arguments
from fascnet.training import fit
from fascnet.training.fit import TrainerSettings
from fascnet.training.module import FasciculationModule
from tests.data.tiny import write_tiny_data
from tests.training.runs import NETWORK, train


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_data(tmp_path_factory.mktemp("data"), n_frames=30)


@pytest.fixture(scope="module")
def whole(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that nothing disturbed; read it, do not change it."""
    output = tmp_path_factory.mktemp("run") / "whole"
    assert train(root, output) == output / "model.safetensors"
    return output


@pytest.fixture(autouse=True)
def undisturbed() -> Iterator[None]:
    """Undo what a training run sets for its whole process."""
    kept = signal.getsignal(signal.SIGINT)
    yield
    signal.signal(signal.SIGINT, kept)
    torch.use_deterministic_algorithms(False)
    torch.set_num_threads(1)


def stop_in_epoch(monkeypatch: pytest.MonkeyPatch, epoch: int, how: type[BaseException]) -> None:
    """End the run in the middle of an epoch."""
    go_on = FasciculationModule.on_train_batch_start

    def stop(self: FasciculationModule, batch: object, batch_index: int) -> int | None:
        if self.current_epoch == epoch and batch_index == 1:
            raise how
        return go_on(self, batch, batch_index)  # type: ignore[arg-type]

    monkeypatch.setattr(FasciculationModule, "on_train_batch_start", stop)


def equal(a: Path, b: Path) -> bool:
    left, right = (load_file(folder / "model.safetensors") for folder in (a, b))
    return left.keys() == right.keys() and all(torch.equal(left[key], right[key]) for key in left)


def read_metrics(output: Path) -> list[dict[str, str]]:
    with (output / "logs" / "metrics.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_the_run_folder_holds_what_it_should(root: Path, whole: Path) -> None:
    kept = {str(path.relative_to(whole)) for path in whole.rglob("*") if path.is_file()}
    events = {name for name in kept if "tfevents" in name}
    assert len(events) == 1
    assert kept - events - {"logs/hparams.yaml"} == {
        "model.safetensors",
        "config.json",
        "splits.csv",
        "logs/metrics.csv",
        "checkpoints/last.ckpt",
    }
    config = json.loads((whole / "config.json").read_text())
    assert config["seed"] == 0 and config["data"]["root"] == str(root)
    assert (whole / "splits.csv").read_text().splitlines()[:3] == [
        "clip_id,subject_id,split",
        "c0,s0,train",
        "c1,s1,train",
    ]


def test_logs_tell_loss_and_figures_of_each_epoch(whole: Path) -> None:
    rows = read_metrics(whole)
    scored = [row for row in rows if row["val_event_f1"] or row["val_pixel_ap"]]
    assert [row["epoch"] for row in scored] == ["0", "1"]
    assert any(row["learning_rate"] for row in rows) or len(rows) < 10
    board = EventAccumulator(str(whole / "logs"))
    board.Reload()
    assert "val_pixel_ap" in board.Tags()["scalars"]


def test_the_model_file_says_how_it_was_made(root: Path, whole: Path) -> None:
    model = load_model(whole / "model.safetensors")
    spec = model.spec
    assert (spec.network, spec.name) == (NETWORK["name"], "tiny")
    # What the config left out too: a default may be another one in a later version.
    assert spec.network_args == complete_arguments(NETWORK["name"], NETWORK["arguments"])
    assert spec.network_args["global_motion"] == "affine"
    assert spec.training["steps"] == 6
    assert spec.training["clips"] == {"train": 2, "val": 2}
    assert spec.window["n_ticks"] == 16
    assert set(spec.subjects_sha256) == {hash_subject(f"s{k}", spec.salt) for k in range(4)}
    # Subjects of training and of thresholds are told apart, and `run.json` passes it on.
    roles = (spec.training_subjects_sha256, spec.tuning_subjects_sha256)
    assert [len(role) for role in roles] == [2, 2] and set().union(*roles) == set(spec.subjects_sha256)
    assert spec.tuned_on == "2 validation clips of 2 subjects"
    told = load_network_predictor(str(whole / "model.safetensors"), "cpu").describe()
    assert told["tuning_subjects_sha256"] == list(roles[1])
    raw = (whole / "model.safetensors").read_bytes()
    assert str(root).encode() not in raw
    assert {"pixel_ap", "event_f1", "clip_auroc"} <= spec.metrics.keys()
    assert load_network_predictor(str(whole / "model.safetensors"), "cpu").name == "tiny"


def test_training_moves_weights_and_statistics(whole: Path) -> None:
    torch.manual_seed(0)
    model = load_model(whole / "model.safetensors").network
    for name, value in model.state_dict().items():
        if name.endswith("running_mean"):
            assert value.abs().max() > 0, name
        if name.endswith("num_batches_tracked"):
            assert value == 6


def test_the_same_seed_is_the_same_file_and_another_is_not(root: Path, whole: Path, tmp_path: Path) -> None:
    train(root, tmp_path / "again")
    assert (tmp_path / "again" / "model.safetensors").read_bytes() == (
        whole / "model.safetensors"
    ).read_bytes()
    train(root, tmp_path / "other", seed=1)
    assert not equal(tmp_path / "other", whole)


@pytest.mark.parametrize("how", [MemoryError, KeyboardInterrupt])
def test_a_stopped_run_goes_on_to_the_same_weights(
    root: Path, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: type[BaseException]
) -> None:
    output = tmp_path / "run"
    with monkeypatch.context() as patch:
        stop_in_epoch(patch, 1, how)
        with pytest.raises(how) as caught:
            train(root, output)
    if how is KeyboardInterrupt:
        assert str(caught.value) == f"{output}: training was stopped; go on with resume=true"
    assert not (output / "model.safetensors").exists()
    first_epoch = [row for row in read_metrics(output) if row["epoch"] == "0"]
    assert first_epoch
    train(root, output, resume=True)
    assert equal(output, whole)
    assert (output / "model.safetensors").read_bytes() == (whole / "model.safetensors").read_bytes()
    # What was logged before the stop is kept, once.
    assert [row["epoch"] for row in read_metrics(output)] == [row["epoch"] for row in read_metrics(whole)]
    assert [row["loss"] for row in read_metrics(output)] == [row["loss"] for row in read_metrics(whole)]


def test_a_run_stopped_before_its_first_checkpoint_starts_anew(
    root: Path, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        stop_in_epoch(patch, 0, MemoryError)
        with pytest.raises(MemoryError):
            train(root, tmp_path / "run")
    train(root, tmp_path / "run", resume=True)
    assert equal(tmp_path / "run", whole)


def test_a_folder_that_holds_a_run_is_not_used_again_by_accident(root: Path, tmp_path: Path) -> None:
    output = tmp_path / "run"
    train(root, output, epochs=1)
    kept = (output / "model.safetensors").read_bytes()
    with pytest.raises(OutputError, match="holds a run already; use resume=true, overwrite=true or another"):
        train(root, output, epochs=1)
    with pytest.raises(OutputError, match="this run is complete"):
        train(root, output, epochs=1, resume=True)
    assert (output / "model.safetensors").read_bytes() == kept
    train(root, output, seed=1, epochs=1, overwrite=True)
    assert (output / "model.safetensors").read_bytes() != kept
    assert {row["epoch"] for row in read_metrics(output)} == {"0"}
    assert len(list((output / "logs").glob("events.out.tfevents.*"))) == 1


def test_resuming_with_other_settings_is_refused(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = tmp_path / "run"
    with monkeypatch.context() as patch:
        stop_in_epoch(patch, 1, MemoryError)
        with pytest.raises(MemoryError):
            train(root, output)
    with pytest.raises(
        SettingError, match="was started with another trainer; resume needs the same settings"
    ):
        train(root, output, epochs=3, resume=True)
    with pytest.raises(SettingError, match="was started with another seed"):
        train(root, output, seed=1, resume=True)
    with pytest.raises(SettingError, match="give one of them"):
        train(root, output, resume=True, overwrite=True)


def test_what_is_refused_leaves_no_folder(root: Path, tmp_path: Path) -> None:
    with pytest.raises(SettingError):
        train(root, tmp_path / "run", data={"batch_size": 0})
    with pytest.raises(SettingError, match="give init=FILE"):
        train(root, tmp_path / "run", epochs=0)
    with pytest.raises(Exception, match="manifest"):
        train(tmp_path / "nowhere", tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_validation_clips_without_a_twitch_are_refused_before_anything_is_trained(
    root: Path, tmp_path: Path
) -> None:
    calm = shutil.copytree(root, tmp_path / "calm")
    with (calm / "manifest.csv").open(newline="", encoding="utf-8") as file:
        val = {row["clip_id"] for row in csv.DictReader(file) if row["split"] == "val"}
    for path in (calm / "labels").glob("*.json"):
        labels = json.loads(path.read_text())
        if labels["clip_id"] in val:
            path.write_text(json.dumps(labels | {"events": []}))
    with pytest.raises(SplitError, match="split 'val': none of its 2 clips holds a labelled fasciculation"):
        train(calm, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_weights_that_are_no_numbers_end_a_run_and_leave_its_last_sound_checkpoint(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = FasciculationModule.training_step

    def diverge(self: FasciculationModule, batch: Window, batch_index: int) -> torch.Tensor:
        return go_on(self, batch, batch_index) * (math.nan if self.current_epoch == 1 else 1.0)

    with monkeypatch.context() as patch:
        patch.setattr(FasciculationModule, "training_step", diverge)
        with pytest.raises(SettingError, match=r"epoch 2: the weights are no numbers .*learning_rate below"):
            train(root, tmp_path / "run")
    assert not (tmp_path / "run" / "model.safetensors").exists()
    assert load_model(train(root, tmp_path / "run", resume=True)).spec.training["steps"] == 6


def test_another_training_of_the_same_subjects_is_a_stranger(root: Path, whole: Path, tmp_path: Path) -> None:
    other = train(root, tmp_path / "other", epochs=1)
    first = whole / "model.safetensors"
    assert load_model(other).spec.salt != load_model(first).spec.salt
    with pytest.raises(SettingError, match="come from different trainings"):
        train(root, tmp_path / "mean", epochs=0, init=[f"{first}", f"{other}"])


def test_time_ends_a_run_with_a_model(root: Path, tmp_path: Path) -> None:
    path = train(root, tmp_path / "run", epochs=1000, max_minutes=1e-6)
    assert load_model(path).spec.training["steps"] < 5


def test_without_epochs_the_thresholds_of_a_model_are_chosen_anew(
    root: Path, whole: Path, tmp_path: Path
) -> None:
    """Nothing of the network changes but its last layer, which makes the probabilities."""
    before = load_model(whole / "model.safetensors")
    path = train(root, tmp_path / "run", epochs=0, init=str(before.path))
    after = load_model(path)
    assert after.spec.training["steps"] == 0
    assert after.spec.training["started_from"] == [before.sha256]
    assert after.spec.training["clips"]["train"] == 0
    assert set(before.spec.training_subjects_sha256) <= set(after.spec.training_subjects_sha256)
    for name, tensor in before.network.state_dict().items():
        same = torch.equal(after.network.state_dict()[name], tensor)
        assert same or name.startswith("head."), name
    with pytest.raises(OutputError, match="already"):
        train(root, tmp_path / "run", epochs=0, init=str(before.path))


def test_weights_of_their_own_learn_to_judge_again(root: Path, whole: Path, tmp_path: Path) -> None:
    """The first look stays as it was; what was learned stays when the first goes on."""
    before = load_model(whole / "model.safetensors")
    once = {"data": {"motion_versions": 1}, "init": str(before.path)}
    path = train(root, tmp_path / "again", second_look="learn", **once)
    after = load_model(path)
    assert after.again is not None and after.spec.second_look is not None
    assert after.spec.second_look.definition == before.spec.event_definition
    for name, tensor in before.network.state_dict().items():
        assert torch.equal(after.network.state_dict()[name], tensor) or name.startswith("head."), name
    learned, given = after.again.state_dict(), before.network.state_dict()
    assert not all(torch.equal(learned[name], tensor) for name, tensor in given.items() if "head" not in name)
    onwards = load_model(train(root, tmp_path / "first", init=str(path)))
    assert onwards.again is not None
    assert all(torch.equal(learned[name], tensor) for name, tensor in onwards.again.state_dict().items())
    with pytest.raises(SettingError, match="motion_versions"):
        train(root, tmp_path / "refused", second_look="learn", init=str(before.path))
    assert not (tmp_path / "refused").exists()


def test_choosing_thresholds_on_whom_a_model_has_learned_from_is_warned_of(
    root: Path, whole: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    model = str(whole / "model.safetensors")
    train(root, tmp_path / "sound", epochs=0, init=model)
    assert "trained on" not in caplog.text
    swapped = shutil.copytree(root, tmp_path / "swapped")
    manifest = (swapped / "manifest.csv").read_text()
    for before, after in (("train", "was"), ("val", "train"), ("was", "val")):
        manifest = manifest.replace(f",{before}\n", f",{after}\n")
    (swapped / "manifest.csv").write_text(manifest)
    train(swapped, tmp_path / "leaking", epochs=0, init=model)
    assert "2 of 2 validation subjects were trained on" in caplog.text


def test_validation_can_be_rarer_than_epochs(root: Path, tmp_path: Path) -> None:
    train(root, tmp_path / "run", epochs=3, validate_every=3)
    assert [row["epoch"] for row in read_metrics(tmp_path / "run") if row["val_pixel_ap"]] == ["2"]


@pytest.mark.slow
def test_workers_change_nothing_even_when_resumed(
    root: Path, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = tmp_path / "run"
    with monkeypatch.context() as patch:
        stop_in_epoch(patch, 1, MemoryError)
        with pytest.raises(MemoryError):
            train(root, output, data={"workers": 1})
    train(root, output, data={"workers": 1}, resume=True)
    assert equal(output, whole)


def test_a_gpu_is_never_replaced_silently(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(DeviceError, match="no CUDA device"):
        train(root, tmp_path / "run", accelerator="gpu")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(DeviceError, match="devices=2, but there"):
        train(root, tmp_path / "run", accelerator="gpu", devices=2)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"accelerator": "tpu"}, "accelerator"),
        ({"precision": "16"}, "precision"),
        ({"strategy": "fsdp"}, "strategy"),
        ({"devices": 0}, "devices"),
        ({"epochs": -1}, "epochs"),
        ({"validate_every": 0}, "validate_every"),
        ({"max_minutes": 0.0}, "max_minutes"),
        ({"max_minutes": float("nan")}, "max_minutes"),
        ({"threads": 0}, "threads"),
    ],
)
def test_settings_out_of_range_are_named(wrong: dict[str, object], told: str) -> None:
    with pytest.raises(SettingError, match=rf"trainer\.{told} is"):
        TrainerSettings(**wrong)  # type: ignore[arg-type]


def test_figures_that_are_not_defined_are_written_as_null() -> None:
    assert fit._drop_nan({"a": float("nan"), "b": 0.123456}) == {"a": None, "b": 0.1235}


@pytest.mark.gpu
@pytest.mark.slow
@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
def test_trains_on_a_gpu(root: Path, tmp_path: Path, precision: str) -> None:
    path = train(root, tmp_path / "run", epochs=1, accelerator="gpu", precision=precision)
    model = load_model(path)
    assert model.spec.training["steps"] == 3
    assert all(value.isfinite().all() for value in model.network.state_dict().values())
