from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from fascnet.data.recording.recordings import open_recording
from fascnet.errors import DeviceError, ModelFileError, SettingError
from fascnet.inference.model_file import load_model, save_model
from fascnet.inference.network import NetworkPredictor, choose_device, load_network_predictor
from fascnet.inference.second_look import SecondLook, look_twice
from fascnet.models.blocks import fold_norms
from fascnet.types import ClipCalibration, EventDefinition, Recording
from tests.data.tiny import make_frames, write_clip
from tests.inference.test_model_file import SPEC
from tests.models.test_unet import make_network


@pytest.fixture
def model_path(tmp_path: Path) -> Path:
    return save_model(tmp_path / "model.safetensors", make_network(2), SPEC)


@pytest.fixture(params=[None, SecondLook(EventDefinition(1.0, 1.0), noticed=0)], ids=["once", "twice"])
def either_path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    spec = replace(SPEC, second_look=request.param)
    return save_model(tmp_path / "either.safetensors", make_network(2), spec)


@pytest.fixture
def recording(tmp_path: Path) -> Recording:
    return open_recording(write_clip(tmp_path / "c.avi", make_frames(80, 0, range(15, 24))), mm_per_px=0.15)


def predict(predictor: NetworkPredictor, recording: Recording) -> NDArray[np.float32]:
    return np.concatenate(list(predictor.stream(recording).chunks))


def test_streams_a_recording(model_path: Path, recording: Recording) -> None:
    predictor = load_network_predictor(str(model_path), "cpu", chunk_frames=7)
    stream = predictor.stream(recording)
    assert (stream.fps, stream.shape, stream.box) == (30.0, (16, 16), (0, 0, 64, 64))
    assert (stream.mm_per_px, stream.assumed_mm_per_px) == (0.15, None)
    heatmaps = np.concatenate(list(stream.chunks))
    assert heatmaps.shape == (80, 16, 16)
    other = load_network_predictor(str(model_path), "cpu", chunk_frames=80)
    assert np.abs(predict(other, recording) - heatmaps).max() < 1e-5


def test_looks_twice_where_the_model_file_says_so(tmp_path: Path, recording: Recording) -> None:
    second = SecondLook(EventDefinition(1.0, 1.0), ClipCalibration(1.1, 0.2))
    path = save_model(tmp_path / "two.safetensors", make_network(2), replace(SPEC, second_look=second))
    predictor = load_network_predictor(str(path), "cpu")
    heatmaps = predict(predictor, recording)
    ticks = predictor.preprocessor.ticks(recording, predictor.preprocessor.plan(recording.info))
    grid = predictor.preprocessor.plan(recording.info)
    expected = look_twice(fold_norms(predictor.model.network), ticks, torch.device("cpu"), second, grid)
    assert np.array_equal(heatmaps, np.concatenate(list(expected)))
    other = load_network_predictor(str(path), "cpu", chunk_frames=3)
    assert np.array_equal(heatmaps, predict(other, recording)), "chunk_frames changes nothing"
    described = predictor.describe()["second_look"]
    assert isinstance(described, dict) and described["calibration"]["slope"] == 1.1


def test_judges_again_with_the_weights_that_the_file_has_for_it(tmp_path: Path, recording: Recording) -> None:
    spec = replace(SPEC, second_look=SecondLook(EventDefinition(1.0, 1.0), noticed=0))
    other = make_network(2)
    with torch.no_grad():
        other.head.get_parameter("bias").add_(2.0)
    own = save_model(tmp_path / "own.safetensors", make_network(2), spec, other)
    same = save_model(tmp_path / "same.safetensors", make_network(2), spec)
    predictor, usual = (load_network_predictor(str(path), "cpu") for path in (own, same))
    assert np.abs(predict(predictor, recording) - predict(usual, recording)).max() > 0.01


def test_nothing_is_decoded_before_it_is_asked_for(
    model_path: Path, recording: Recording, tmp_path: Path
) -> None:
    stream = load_network_predictor(str(model_path), "cpu").stream(recording)
    (tmp_path / "c.avi").unlink()
    with pytest.raises(Exception, match=r"c\.avi"):
        next(stream.chunks)


def test_unknown_spacing_is_assumed_and_said(model_path: Path, tmp_path: Path) -> None:
    recording = open_recording(write_clip(tmp_path / "d.avi", make_frames(5, 0, None)))
    stream = load_network_predictor(str(model_path), "cpu").stream(recording)
    assert (stream.mm_per_px, stream.assumed_mm_per_px) == (None, 0.1)


def test_describes_what_the_model_file_says(model_path: Path) -> None:
    predictor = load_network_predictor(str(model_path), "cpu")
    facts = predictor.describe()
    assert (predictor.name, predictor.event_definition, predictor.calibration) == (
        "tiny",
        SPEC.event_definition,
        SPEC.calibration,
    )
    assert facts["model_sha256"] == load_model(model_path).sha256
    assert "tuning_subjects_sha256" not in facts, "not told apart is not none"
    assert facts["device"] == "cpu"
    assert facts["model_file"] == "model.safetensors"


def test_cuda_is_never_replaced_silently(monkeypatch: pytest.MonkeyPatch, model_path: Path) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(DeviceError, match=r"no CUDA device.*device=auto") as caught:
        load_network_predictor(str(model_path), "cuda")
    assert "\n" not in str(caught.value)
    assert choose_device("auto") == torch.device("cpu")
    assert choose_device("cpu") == torch.device("cpu")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert choose_device("auto") == torch.device("cuda")
    assert choose_device("cuda") == torch.device("cuda")
    assert choose_device("cpu") == torch.device("cpu")


def test_other_devices_are_refused() -> None:
    with pytest.raises(SettingError, match="auto, cpu or cuda"):
        choose_device("mps")


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"precision": "bf16"}, "precision=bf16 needs device=cuda"),
        ({"compile": True}, "compile=true needs device=cuda"),
        ({"precision": "fp16"}, "fp32 or bf16"),
        ({"chunk_frames": 0}, "1 to 256"),
        ({"chunk_frames": 257}, "1 to 256"),
    ],
)
def test_settings_that_do_not_fit_are_refused(
    model_path: Path, settings: dict[str, object], told: str
) -> None:
    with pytest.raises(SettingError, match=told):
        load_network_predictor(str(model_path), "cpu", **settings)  # type: ignore[arg-type]


def test_a_model_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="no such model file"):
        load_network_predictor(str(tmp_path / "m.safetensors"), "cpu")


@pytest.mark.gpu
def test_cuda_equals_cpu(either_path: Path, recording: Recording) -> None:
    on_cpu = predict(load_network_predictor(str(either_path), "cpu"), recording)
    predictor = load_network_predictor(str(either_path), "cuda")
    assert np.abs(predict(predictor, recording) - on_cpu).max() < 1e-3
    assert predictor.describe()["device"] == torch.cuda.get_device_name()


@pytest.mark.gpu
def test_reduced_precision_rounds_and_no_more(either_path: Path, recording: Recording) -> None:
    exact = predict(load_network_predictor(str(either_path), "cuda"), recording)
    rounded = predict(load_network_predictor(str(either_path), "cuda", precision="bf16"), recording)
    assert rounded.dtype == np.float32
    assert 0 < np.abs(rounded - exact).max() < 0.05


@pytest.mark.gpu
@pytest.mark.slow
def test_the_compiled_network_says_the_same(either_path: Path, recording: Recording) -> None:
    exact = predict(load_network_predictor(str(either_path), "cuda"), recording)
    compiled = predict(load_network_predictor(str(either_path), "cuda", compile=True), recording)
    assert np.abs(compiled - exact).max() < 1e-3
