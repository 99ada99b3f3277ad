from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fascnet.commands.config import compose_config, find_config_dir, instantiate_node, name_module
from fascnet.commands.main import VERBS
from fascnet.errors import SettingError
from fascnet.models.preprocessing import Preprocessor

TRAIN = ["data.root=clinic", "output=run"]


def refuse(verb: str, overrides: list[str], told: str) -> None:
    with pytest.raises(SettingError, match=told) as caught:
        compose_config(verb, overrides)
    assert str(caught.value).startswith(f"{verb}: ")
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


def test_overrides_reach_their_keys_and_references_are_resolved() -> None:
    config = compose_config("train", [*TRAIN, "seed=7", "trainer.epochs=3", "augmentation=none"])
    assert config["data"]["root"] == "clinic"
    assert config["data"]["seed"] == config["seed"] == 7
    assert config["trainer"]["epochs"] == 3
    assert config["data"]["augmentation"] == config["augmentation"]
    assert config["augmentation"]["flip_p"] == 0.0
    assert "experiment" not in config and "defaults" not in config


def test_groups_can_be_chosen() -> None:
    assert compose_config("train", [*TRAIN, "trainer=gpu"])["trainer"]["accelerator"] == "gpu"
    assert compose_config("train", [*TRAIN, "trainer=ddp"])["trainer"]["devices"] == 2
    assert compose_config("train", [*TRAIN, "experiment=demo"])["name"] == "demo"


def test_verbs_can_be_composed_one_after_the_other() -> None:
    for _ in range(2):
        assert compose_config("check", ["data.root=x"])["data"]["root"] == "x"
        assert compose_config("train", TRAIN)["output"] == "run"


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_a_config(verb: str) -> None:
    assert (find_config_dir() / f"{name_module(verb)}.yaml").is_file()


@pytest.mark.parametrize(
    ("overrides", "told"),
    [
        ([], r"give data\.root=…, output=… \(see: fascnet train --help\)"),
        (["data.root=x"], r"give output=… \(see"),
        (["data.root=x", "output=null"], r"give output=… \(see"),
        ([*TRAIN, "output=???"], r"give output=… \(see"),
        ([*TRAIN, "trainer.epoch=3"], r"no key 'trainer\.epoch'; did you mean 'trainer\.epochs'\?"),
        ([*TRAIN, "data.batchsize=3"], r"did you mean 'data\.batch_size'\?"),
        ([*TRAIN, "sed=3"], "did you mean 'seed'"),
        ([*TRAIN, "qqqqqqqq=3"], r"no key 'qqqqqqqq' \(see"),
        ([*TRAIN, "trainer=tpu"], "no trainer=tpu; choose one of: cpu, ddp, gpu"),
        ([*TRAIN, "experiment=none"], "no experiment=none; choose one of"),
        ([*TRAIN, "trainer=3"], "takes a name"),
        ([*TRAIN, "+foo=3"], "nothing reads the key 'foo'"),
        ([*TRAIN, "seed"], "seed"),
        ([*TRAIN, "seed=[1"], r"'seed=\[1' cannot be read; put the value in quotes"),
        (["clinic"], "'clinic' is no setting; settings are KEY=VALUE"),
        (["--data.root=clinic"], "is no setting; settings are KEY=VALUE"),
        (["output=x", "data.root="], r"data\.root is empty; give data\.root=FILE or a folder"),
        ([*TRAIN, "init=Müller (1).safetensors"], r"""'init="Müller \(1\).safetensors"'"""),
        ([*TRAIN, "name=${nowhere}"], "nowhere"),
        (["output=2024", "data.root=x"], "train: output=2024 was read as a number; .* as ./NAME"),
        (["output=x", "data.root=1e3"], "data.root=1000.0 was read as a number"),
        (["output=x", "data.root=[a,true]"], r"data.root=\['a', True\] was read as a truth"),
    ],
)
def test_wrong_overrides_are_one_line(overrides: list[str], told: str) -> None:
    refuse("train", overrides, told)


@pytest.mark.parametrize(
    ("verb", "overrides", "told"),
    [
        ("predict", ["input=12", "output=b"], "input=12"),
        ("predict", ["input=a", "output=b", "model=1.5"], r"model=1\.5"),
        ("check", ["data.root=12"], r"data\.root=12"),
        ("phantom", ["output=12"], "output=12"),
        ("import-labels", ["input=a", "output=b", "manifest=12"], "manifest=12"),
        ("benchmark", ["predictions=12", "labels=b", "output=c"], "predictions=12"),
    ],
)
def test_a_number_is_no_file_or_folder_of_any_verb(verb: str, overrides: list[str], told: str) -> None:
    refuse(verb, overrides, f"{told} was read as a number")


@pytest.mark.parametrize(
    ("verb", "overrides", "whole"),
    [
        ("benchmark", ["predictions=a", "labels=b", "output=c", "consensus=staple"], "consensus"),
        ("benchmark", ["predictions=a", "labels=b", "output=c", "margin=null"], "margin"),
        ("import-labels", ["input=a", "output=b", "manifest=c", "moment=0.2"], "moment"),
        ("study-design", ["output=a", "non_inferiority=0.1"], "non_inferiority"),
        ("phantom", ["output=a", "phantom.twitches=3"], r"phantom\.twitches"),
        ("check", ["data=clinic"], "data"),
    ],
)
def test_a_value_in_the_place_of_keys_is_refused(verb: str, overrides: list[str], whole: str) -> None:
    refuse(verb, overrides, f"'{whole}' holds keys of its own; give {whole}.KEY=…")


@pytest.mark.parametrize("key", ["reject", "name_periodic"])
def test_a_rule_can_be_left_out(key: str) -> None:
    assert compose_config("predict", ["input=a", "output=b", f"{key}=null"])[key] is None


@pytest.mark.parametrize("name", ["Müller's clip (1).mp4", "a=b,c.mp4", "[x].mp4", 'say "a".mp4'])
def test_what_is_advised_for_odd_names_works(name: str) -> None:
    with pytest.raises(SettingError) as refused:
        compose_config("predict", [f"input={name}", "output=b", "model=("])
    assert "cannot be read" in f"{refused.value}"
    escaped = name.replace('"', '\\"')
    assert compose_config("predict", [f'input="{escaped}"', "output=b"])["input"] == name


def test_a_folder_of_digits_can_be_named() -> None:
    assert compose_config("predict", ["input=./2024", "output='7'"])["input"] == "./2024"


def test_builds_what_a_node_describes() -> None:
    node = {"_target_": "fascnet.models.preprocessing.Preprocessor", "pitch_mm": 0.2}
    built = instantiate_node(node, "preprocessor")
    assert isinstance(built, Preprocessor)
    assert built.pitch_mm == 0.2


@pytest.mark.parametrize(
    ("node", "told"),
    [
        ({"_target_": "fascnet.models.preprocessing.Preprocessor", "pitch": 0.2}, "pitch"),
        ({"_target_": "fascnet.models.preprocessing.Preprocessor", "pitch_mm": "x"}, "must be a number"),
        ({"_target_": "fascnet.models.preprocessing.Preprocessor", "pitch_mm": 7}, "pitch_mm is 7"),
        ({"_target_": "fascnet.nowhere.Nothing"}, "'fascnet.nowhere.Nothing' cannot be built"),
        ({"pitch_mm": 0.2}, "must be a node with _target_"),
        (3, "must be a node with _target_"),
    ],
)
def test_nodes_that_cannot_be_built_are_one_line(node: Any, told: str) -> None:
    with pytest.raises(SettingError, match=told) as caught:
        instantiate_node(node, "here")
    assert "\n" not in str(caught.value)


def test_a_fault_of_ours_is_not_dressed_up_as_the_users(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: Preprocessor) -> None:
        raise TypeError("a bug")

    monkeypatch.setattr(Preprocessor, "__init__", fail)
    with pytest.raises(TypeError, match="a bug"):
        instantiate_node({"_target_": "fascnet.models.preprocessing.Preprocessor"}, "here")


def test_the_tree_is_found_inside_a_wheel_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert find_config_dir().name == "configs"
    (tmp_path / "configs").mkdir()
    monkeypatch.setattr("fascnet.commands.config.files", lambda _: tmp_path)
    assert find_config_dir() == tmp_path / "configs"
