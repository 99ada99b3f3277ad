from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from fascnet.errors import SettingError
from fascnet.inference.model_file import load_model, save_model
from fascnet.models.build import build_network
from fascnet.models.preprocessing import Preprocessor
from fascnet.models.unet import FasciculationUNet
from fascnet.training.start import load_start
from tests.inference.test_model_file import SPEC
from tests.training.runs import NETWORK

PREPROCESSOR = Preprocessor(**SPEC.preprocessing)


def build(seed: int) -> FasciculationUNet:
    torch.manual_seed(seed)
    return build_network(NETWORK["name"], NETWORK["arguments"])


def save(folder: Path, seed: int, salt: str = "same", seen: tuple[str, ...] = ()) -> str:
    spec = replace(
        SPEC,
        network=NETWORK["name"],
        network_args=NETWORK["arguments"],
        salt=salt,
        subjects_sha256=seen,
        training_subjects_sha256=seen[:1],
    )
    path = folder / f"{seed}.safetensors"
    save_model(path, build(seed).eval(), spec)
    return str(path)


def test_one_model_gives_its_weights(tmp_path: Path) -> None:
    built = build(9)
    start = load_start(save(tmp_path, 1, seen=("a" * 64,)), NETWORK, built, PREPROCESSOR)
    assert all(torch.equal(built.state_dict()[k], v) for k, v in build(1).state_dict().items())
    assert (start.salt, start.subjects_sha256) == ("same", ("a" * 64,))


def test_several_models_give_their_mean_and_all_their_subjects(tmp_path: Path) -> None:
    a, b, c = ("a" * 64, "b" * 64, "c" * 64)
    paths = [save(tmp_path, 1, seen=(a, b)), save(tmp_path, 2, seen=(c, b))]
    built = build(9)
    start = load_start(paths, NETWORK, built, PREPROCESSOR)
    first, second = build(1).state_dict(), build(2).state_dict()
    for key, value in built.state_dict().items():
        assert torch.allclose(value.float(), (first[key].float() + second[key].float()) / 2, atol=1e-7), key
    assert start.subjects_sha256 == (a, b, c)
    assert start.training_subjects_sha256 == (a, c)
    assert start.sha256 == tuple(load_model(Path(path)).sha256 for path in paths)


def test_strangers_have_no_mean(tmp_path: Path) -> None:
    paths = [save(tmp_path, 1), save(tmp_path, 2, salt="other")]
    with pytest.raises(SettingError, match=r"2\.safetensors and .*1\.safetensors come from different"):
        load_start(paths, NETWORK, build(9), PREPROCESSOR)


def test_another_network_is_named(tmp_path: Path) -> None:
    wanted = {**NETWORK, "arguments": {**NETWORK["arguments"], "look_ahead": 3}}
    with pytest.raises(SettingError, match=r"1\.safetensors is a fasciculation_unet with"):
        load_start(save(tmp_path, 1), wanted, build(9), PREPROCESSOR)


def test_weights_of_the_second_look_are_averaged_with_what_the_others_use_there(tmp_path: Path) -> None:
    paths = [save(tmp_path, 1), save(tmp_path, 2)]
    assert load_start(paths, NETWORK, build(9), PREPROCESSOR).again is None
    two = load_model(Path(paths[1]))
    save_model(two.path, two.network, two.spec, build(3).eval())
    built = build(9)
    again = load_start(paths, NETWORK, built, PREPROCESSOR).again
    assert again is not None
    first, second, third = (build(seed).state_dict() for seed in (1, 2, 3))
    for key, value in built.state_dict().items():
        assert torch.allclose(value.float(), (first[key].float() + second[key].float()) / 2, atol=1e-7), key
        assert torch.allclose(again[key].float(), (first[key].float() + third[key].float()) / 2, atol=1e-7)


def test_another_front_end_is_no_other_network(tmp_path: Path) -> None:
    earlier = {**NETWORK, "arguments": {**NETWORK["arguments"], "global_motion": "shift", "blur_taps": 5}}
    wanted = {**NETWORK, "arguments": {**NETWORK["arguments"], "global_motion": "affine", "blur_taps": 1}}
    path = save(tmp_path, 1)
    for network in (earlier, wanted):
        built = build_network(network["name"], network["arguments"])
        load_start(path, network, built, PREPROCESSOR)
        assert torch.equal(built.head.weight, build(1).head.weight)
        assert built.front_end.global_motion == network["arguments"]["global_motion"]
        assert built.front_end.blur_taps == network["arguments"]["blur_taps"]


def test_a_network_is_not_shown_another_grid_than_it_learned_from(tmp_path: Path) -> None:
    other = Preprocessor(**{**SPEC.preprocessing, "pitch_mm": 0.2})
    with pytest.raises(SettingError, match=r"1\.safetensors learned from pitch_mm=.*pitch_mm is 0\.2"):
        load_start(save(tmp_path, 1), NETWORK, build(9), other)
