from __future__ import annotations

import json
import shutil
import struct
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from fascnet.data.clip_set.subject_hash import hash_subject
from fascnet.errors import ModelFileError, OutputError
from fascnet.inference.model_file import (
    FORMAT,
    HEADER_KEY,
    PACKAGED,
    ModelSpec,
    find_model,
    load_model,
    save_model,
)
from fascnet.inference.second_look import SecondLook
from fascnet.types import ClipCalibration, EventDefinition
from tests.models.test_unet import make_clip, make_network

SPEC = ModelSpec(
    network="fasciculation_unet",
    network_args={
        "widths": [4, 8],
        "look_ahead": 2,
        "dilations": [1, 2],
        "global_motion": "affine",
        "blur_taps": 3,
    },
    preprocessing={"pitch_mm": 0.15, "rate_hz": 30.0, "assumed_mm_per_px": 0.1},
    event_definition=EventDefinition(0.6, 0.25, 0.1, 0.1, 0.01, 0.02),
    calibration=ClipCalibration(1.5, -0.5, 2.0),
    window={"n_ticks": 48},
    subjects_sha256=tuple(hash_subject(s, "pepper") for s in ("Anna Meier", "Bob")),
    salt="pepper",
    metrics={"event_f1": 0.5, "clip_auroc": None},
    training={"config": {"seed": 0}},
    name="tiny",
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return save_model(tmp_path / "model.safetensors", make_network(2), SPEC)


def refuse(path: Path, told: str) -> None:
    with pytest.raises(ModelFileError, match=told if told else None) as caught:
        load_model(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


def rewrite(path: Path, change: dict[str, Any] | None = None, header: str | None = None) -> None:
    """Write the file anew with another specification; a value of None drops the key."""
    tree = json.loads(read_header(path)[HEADER_KEY])
    for key, value in (change or {}).items():
        tree[key] = value
        if value is None:
            del tree[key]
    save_file(load_file(path), path, metadata={HEADER_KEY: json.dumps(tree) if header is None else header})


def read_header(path: Path) -> dict[str, str]:
    """Parse the file by the safetensors specification alone: 8 bytes of length, JSON, raw numbers."""
    raw = path.read_bytes()
    (length,) = struct.unpack("<Q", raw[:8])
    tree = json.loads(raw[8 : 8 + length])
    metadata: dict[str, str] = tree.pop("__metadata__")
    ends = max(entry["data_offsets"][1] for entry in tree.values())
    assert len(raw) == 8 + length + ends, "something else is in the file"
    return metadata


def test_weights_and_specification_come_back(path: Path) -> None:
    model = load_model(path)
    assert model.spec == SPEC
    images, dt_s = make_clip(6)
    with torch.no_grad():
        assert torch.allclose(model.network(images, dt_s)[0], make_network(2)(images, dt_s)[0], atol=1e-6)
    assert not model.network.training
    assert not any(p.requires_grad for p in model.network.parameters())
    assert len(model.sha256) == 64


def test_a_second_look_comes_back_and_is_not_written_where_there_is_none(tmp_path: Path) -> None:
    second = SecondLook(EventDefinition(0.4, 0.2, score_unrest=-3.0), ClipCalibration(1.1, 0.9))
    spec = replace(SPEC, second_look=second)
    assert load_model(save_model(tmp_path / "two.safetensors", make_network(2), spec)).spec == spec
    rewrite(tmp_path / "two.safetensors", {"second_look": {"definition": {}, "calibration": {}}})
    earlier = load_model(tmp_path / "two.safetensors").spec.second_look
    assert earlier is not None and earlier.n_modes == 2, "what files said nothing of"
    once = save_model(tmp_path / "one.safetensors", make_network(2), SPEC)
    assert "second_look" not in json.loads(read_header(once)[HEADER_KEY])


def test_weights_of_the_second_look_come_back(tmp_path: Path) -> None:
    spec = replace(SPEC, second_look=SecondLook(EventDefinition(0.4, 0.2)))
    other = make_network(2)
    with torch.no_grad():
        other.head.weight.mul_(2.0)
    path = save_model(tmp_path / "m.safetensors", make_network(2), spec, other)
    model = load_model(path)
    assert model.again is not None and not model.again.training
    for kept, given in ((model.network, make_network(2)), (model.again, other)):
        assert all(torch.equal(kept.state_dict()[key], value) for key, value in given.state_dict().items())
    assert load_model(save_model(tmp_path / "n.safetensors", make_network(2), spec)).again is None
    tensors = load_file(path)
    del tensors["again.head.bias"]
    save_file(tensors, path, metadata=read_header(path))
    refuse(path, "Error")


def test_the_same_model_is_the_same_file(path: Path, tmp_path: Path) -> None:
    other = save_model(tmp_path / "b.safetensors", make_network(2), SPEC)
    assert other.read_bytes() == path.read_bytes()


def test_others_may_read_the_file_as_they_may_any_other(path: Path, tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("")
    assert path.stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_the_file_holds_numbers_and_json_and_nothing_else(path: Path) -> None:
    metadata = read_header(path)
    assert list(metadata) == [HEADER_KEY]
    assert json.loads(metadata[HEADER_KEY])["format"] == FORMAT


def test_loads_in_a_fresh_process_without_what_training_needs(path: Path, tmp_path: Path) -> None:
    moved = tmp_path / "elsewhere" / "m.safetensors"
    moved.parent.mkdir()
    shutil.move(path, moved)
    code = f"""
import sys
class Block:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {{"hydra", "lightning", "pytorch_lightning", "omegaconf", "albumentations"}}:
            raise ImportError("blocked: " + name)
sys.meta_path.insert(0, Block())
import torch
def no_pickle(*args, **kwargs):
    raise AssertionError("torch.load was called")
torch.load = no_pickle
from pathlib import Path
from fascnet.inference.network import load_network_predictor
predictor = load_network_predictor({str(moved)!r}, "cpu")
print(predictor.name, predictor.event_definition.onset_threshold)
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=moved.parent,
        check=False,
        timeout=120,
    )
    assert done.stdout == "tiny 0.6\n", done.stderr


def test_missing(tmp_path: Path) -> None:
    refuse(tmp_path / "no.safetensors", "no such model file")
    refuse(tmp_path, "no such model file")


def test_pickles_are_refused_unread(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[Any, tuple[str]]:
            return (Path.touch, (tmp_path / "sprung",))  # type: ignore[return-value]

    path = tmp_path / "model.safetensors"
    for old_format in (False, True):
        torch.save({"trap": Trap()}, path, _use_new_zipfile_serialization=not old_format)
        refuse(path, "not a model file, or damaged")
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize("share", [0.0, 0.001, 0.1, 0.5, 0.99])
def test_truncated(path: Path, share: float) -> None:
    raw = path.read_bytes()
    path.write_bytes(raw[: int(share * len(raw))])
    refuse(path, "damaged")


def test_any_damaged_byte_of_the_header_is_refused_or_harmless(path: Path) -> None:
    raw = bytearray(path.read_bytes())
    (length,) = struct.unpack("<Q", raw[:8])
    refused = 0
    for position in [*range(8), *range(8, 8 + length, 97)]:
        for flip in (0x01, 0x80):
            raw[position] ^= flip
            path.write_bytes(raw)
            try:
                load_model(path)
            except ModelFileError as error:
                refused += 1
                assert "\n" not in str(error)
            raw[position] ^= flip
    assert refused > 40


def test_other_weights(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    save_file({"a": torch.zeros(2)}, path)
    refuse(path, "weights of something else")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"format": "fascnet-model/9"}, "format 'fascnet-model/9'; this fascnet reads 'fascnet-model/1'"),
        ({"format": None}, "format None"),
        ({"network": None}, "damaged"),
        ({"preprocessing": None}, "damaged"),
        ({"event_definition": None}, "damaged"),
        ({"calibration": None}, "damaged"),
        ({"network": "resnet"}, "no network 'resnet'"),
        ({"network": ["resnet"]}, "newer fascnet"),
        ({"network_args": {"widths": [4, 16], "dilations": [1, 2]}}, "newer fascnet"),
        ({"network_args": {"depth": 3}}, "depth"),
        ({"network_args": 3}, ""),
        ({"preprocessing": {"pitch_mm": 99.0}}, "pitch_mm"),
        ({"preprocessing": {"pitch": 0.1}}, "pitch"),
        ({"preprocessing": {"pitch_mm": "wide"}}, ""),
        ({"event_definition": {"onset_threshold": float("nan")}}, "no number"),
        ({"event_definition": {"onset_threshold": "high"}}, "no number"),
        ({"event_definition": {"onset_threshold": True}}, "no number"),
        ({"event_definition": {"threshold": 0.5}}, "damaged"),
        ({"event_definition": [0.5]}, "damaged"),
        ({"event_definition": {"onset_threshold": 0.2, "offset_threshold": 0.9}}, "threshold"),
        ({"event_definition": {"onset_threshold": 7.0}}, "threshold"),
        ({"calibration": {"slope": float("inf")}}, "no number"),
        ({"calibration": {"slope": 10**400}}, "no number"),
        ({"operating_point": {"clip_threshold": "high"}}, "no number"),
        ({"operating_point": {"clip_threshold": None}}, "no number"),
        ({"subjects_sha256": 4}, "damaged"),
        ({"second_look": 3}, "damaged"),
        ({"second_look": {"definition": {}}}, "damaged"),
        ({"second_look": {"definition": {"onset_threshold": 7.0}, "calibration": {}}}, "threshold"),
        ({"second_look": {"definition": {}, "calibration": {"slope": "steep"}}}, "no number"),
        ({"second_look": {"definition": {}, "calibration": {}, "noticed": [0.1]}}, "no number"),
        ({"second_look": {"definition": {}, "calibration": {}, "n_modes": 0}}, "n_modes is 0"),
        ({"second_look": {"definition": {}, "calibration": {}, "n_modes": "two"}}, "n_modes is two"),
        ({"second_look": {"definition": {}, "calibration": {}, "n_modes": True}}, "no number"),
    ],
)
def test_damaged_specifications(path: Path, change: dict[str, Any], told: str) -> None:
    rewrite(path, change)
    refuse(path, told)


@pytest.mark.parametrize("header", ["", "{", "[]", "3", "null", '"x"', "[" * 100_000])
def test_specification_that_is_no_json_object(path: Path, header: str) -> None:
    rewrite(path, header=header)
    refuse(path, "")


def test_keys_of_later_versions_are_passed_over(path: Path) -> None:
    rewrite(path, {"colour": "blue"})
    assert load_model(path).spec == SPEC


def test_a_file_from_before_there_was_a_choice_measures_motion_as_then(path: Path) -> None:
    then = {"global_motion": "shift", "blur_taps": 5}
    rewrite(path, {"network_args": {k: v for k, v in SPEC.network_args.items() if k not in then}})
    model = load_model(path)
    for key, value in then.items():
        assert model.spec.network_args[key] == value
        assert getattr(model.network.front_end, key) == value


def test_weights_that_are_no_numbers_are_refused(path: Path) -> None:
    tensors = load_file(path)
    tensors["head.weight"][:] = float("nan")
    save_file(tensors, path, metadata=read_header(path))
    refuse(path, "head.weight")


def test_what_cannot_be_written_as_json_is_not_saved(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JSON"):
        save_model(tmp_path / "m.safetensors", make_network(2), replace(SPEC, metrics={"f1": float("nan")}))
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        save_model(tmp_path / "file" / "m.safetensors", make_network(2), SPEC)


def test_subjects_can_be_recognised_but_not_read(path: Path) -> None:
    assert b"Anna" not in path.read_bytes()
    spec = load_model(path).spec
    seen = {hash_subject(name, spec.salt): name for name in ("Carl", "Bob", "Anna Meier", "bob")}
    assert [seen[digest] for digest in spec.subjects_sha256] == ["Anna Meier", "Bob"]
    assert hash_subject("Bob", "pepper") != hash_subject("Bob", "salt")


def test_packaged_models_have_names_and_other_models_are_paths() -> None:
    assert find_model() == find_model("packaged")
    assert find_model("fast").parent == find_model().parent
    assert find_model().parent.parent.name == "fascnet"
    assert find_model("runs/fast") == Path("runs/fast")


def test_the_packaged_models_are_one_network_that_looks_twice_or_once() -> None:
    twice, once = (load_model(find_model(name)) for name in ("packaged", "fast"))
    assert twice.spec.second_look is not None and once.spec.second_look is None
    assert twice.spec.second_look.definition == once.spec.event_definition
    mine, other = twice.network.state_dict(), once.network.state_dict()
    assert all(torch.equal(mine[key], other[key]) for key in mine.keys() | other.keys())
    assert sum(find_model(name).stat().st_size for name in PACKAGED) <= 8_000_000
