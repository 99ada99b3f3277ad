"""Every YAML file composed and built as the commands do it; every key read by somebody, none ignored."""

from __future__ import annotations

import importlib
import inspect
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import create_autospec

import pytest
import yaml
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from fascnet.baselines.farneback import FarnebackPredictor
from fascnet.commands.config import compose_config, find_config_dir, instantiate_node, name_module
from fascnet.commands.main import VERBS, run
from fascnet.errors import SettingError

from .evaluation.study import write_study

CONFIGS = find_config_dir()
FILES = sorted(path.relative_to(CONFIGS).as_posix() for path in CONFIGS.rglob("*.yaml"))
VERB_OF_GROUP = {
    "augmentation": "train",
    "data": "train",
    "detector": "predict",
    "experiment": "train",
    "network": "train",
    "phantom": "phantom",
    "phantom/body": "phantom",
    "phantom/confounders": "phantom",
    "phantom/recording": "phantom",
    "phantom/scan": "phantom",
    "phantom/twitches": "phantom",
    "real": "phantom card",
    "trainer": "train",
}
VERB_OF_FILE = {name_module(verb): verb for verb in VERBS}
NEEDED = {
    "import-labels": ["input=nowhere/in", "output=nowhere/out", "manifest=nowhere/clips"],
    "export-labels": [
        "input=nowhere/in",
        "output=nowhere/out",
        "manifest=nowhere/clips",
        "form=cvat",
    ],
    "study-design": ["value=0.9", "per_subject=4", "icc=0.2", "subjects=[5]", "studies=2", "resamples=20"],
    "phantom": ["output=nowhere/out"],
    "phantom card": ["output=nowhere/out"],
    "implant": ["input=nowhere/in", "output=nowhere/out"],
    "check": ["data.root=nowhere/root"],
    "train": ["output=nowhere/out", "data.root=nowhere/root"],
    "predict": ["input=nowhere/in", "output=nowhere/out"],
    "benchmark": ["predictions=nowhere/out", "labels=nowhere/labels", "output=nowhere/judged"],
}


def list_options(group: str) -> list[str]:
    return sorted(path.stem for path in (CONFIGS / group).glob("*.yaml"))


def list_choices() -> Iterator[tuple[str, str]]:
    """Yield (verb, group choice) so that every file is composed at least once."""
    for file in FILES:
        group, _, option = file.removesuffix(".yaml").rpartition("/")
        yield (VERB_OF_GROUP[group], f"{group}={option}") if group else (VERB_OF_FILE[option], "")
    # Groups of the phantom in other places.
    for option in list_options("phantom/twitches"):
        yield "implant", f"phantom/twitches@twitches={option}"
    for option in list_options("phantom/confounders"):
        yield "implant", f"phantom/confounders@confounders={option}"


CHOICES = list(list_choices())


def compose_choice(verb: str, choice: str) -> dict[str, Any]:
    return compose_config(verb, [*NEEDED[verb], *([choice] if choice else [])])


def find_nodes(tree: object, where: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every mapping that describes an object to build."""
    if isinstance(tree, dict):
        if "_target_" in tree:
            yield where, tree
        for key, child in tree.items():
            yield from find_nodes(child, f"{where}.{key}" if where else str(key))


def list_keys(tree: object, prefix: str = "") -> Iterator[str]:
    if isinstance(tree, dict):
        for key, child in tree.items():
            if key != "_target_":
                yield f"{prefix}{key}"
                yield from list_keys(child, f"{prefix}{key}.")


def misspell(key: str) -> str:
    """Change the last part's middle letter."""
    start, dot, last = key.rpartition(".")
    middle = len(last) // 2
    letter = "x" if last[middle] != "x" else "y"
    return f"{start}{dot}{last[:middle]}{letter}{last[middle + 1 :]}"


def test_every_file_has_a_verb() -> None:
    of_files = {VERB_OF_FILE[file.removesuffix(".yaml")] for file in FILES if "/" not in file}
    assert set(VERBS) == set(NEEDED) == of_files
    assert {file.rpartition("/")[0] for file in FILES if "/" in file} == set(VERB_OF_GROUP)


@pytest.mark.parametrize(("verb", "choice"), CHOICES)
def test_composes_and_builds_without_touching_a_file(
    verb: str, choice: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    config = compose_choice(verb, choice)
    for where, node in find_nodes(config):
        if not node["_target_"].endswith(
            ".load_network_predictor"
        ):  # reads a model file; test_network has it
            assert instantiate_node(node, where) is not None
    if verb in {"phantom", "phantom card"}:
        importlib.import_module("fascnet.phantom.settings").PhantomSettings.from_mapping(config["phantom"])
    if verb == "implant":
        importlib.import_module("fascnet.commands.implant").read_settings(config)
    if verb == "train":
        build_network = importlib.import_module("fascnet.models.build").build_network
        build_network(config["network"]["name"], config["network"]["arguments"])
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("verb", "choice"), CHOICES)
def test_nodes_name_all_arguments_and_nothing_else(verb: str, choice: str) -> None:
    for where, node in find_nodes(compose_choice(verb, choice)):
        module, _, attribute = node["_target_"].rpartition(".")
        arguments = set(inspect.signature(getattr(importlib.import_module(module), attribute)).parameters)
        assert set(node) - {"_target_"} == arguments, where
        for key in arguments:
            wrong = {misspell(name) if name == key else name: value for name, value in node.items()}
            with pytest.raises(SettingError, match=f"'{misspell(key)}'|'{key}'"):
                instantiate_node(wrong, where)


class Watched(dict[str, Any]):
    """Remembers which of its keys were read; nodes with `_target_` are checked by signature instead."""

    def __init__(self, tree: dict[str, Any], read: set[str], prefix: str = "") -> None:
        super().__init__(tree)
        self._read, self._prefix = read, prefix

    def __getitem__(self, key: str) -> Any:
        value = super().__getitem__(key)
        self._read.add(f"{self._prefix}{key}")
        if isinstance(value, dict) and "_target_" in value:
            self._read.update(list_keys(value, f"{self._prefix}{key}."))
        elif isinstance(value, dict):
            return Watched(value, self._read, f"{self._prefix}{key}.")
        return value

    def __iter__(self) -> Iterator[str]:  # also makes dict(…) and **… ask for each key
        return iter(list(super().keys()))

    def get(self, key: str, default: Any = None) -> Any:
        return self[key] if key in self else default  # noqa: SIM401 - `get` would not be seen

    def pop(self, key: str, *default: Any) -> Any:
        self[key]
        return super().pop(key, *default)

    def items(self) -> Any:
        return [(key, self[key]) for key in self]

    def values(self) -> Any:
        return [self[key] for key in self]


def test_the_watch_itself_sees_what_is_not_read() -> None:
    read: set[str] = set()
    tree = Watched({"a": 1, "b": {"c": 2, "d": 3}, "e": {"_target_": "x", "f": 4}, "g": 5}, read)
    assert tree["a"] + tree["b"]["c"] + tree["e"]["f"] == 7
    assert read == {"a", "b", "b.c", "e", "e.f"}
    assert dict(**tree["b"]) == {"c": 2, "d": 3} and "b.d" in read


def replace_package_call(verb: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a stand-in with the same signature in place of the slow call; it reads what the real one reads."""

    def stand_in(path: str, result: Callable[..., Any]) -> None:
        module, _, attribute = path.rpartition(".")
        original = getattr(importlib.import_module(module), attribute)
        monkeypatch.setattr(path, create_autospec(original, side_effect=result))

    if verb == "phantom":
        made = SimpleNamespace(manifest=Path("manifest.csv"), comparison=None)
        stand_in("fascnet.phantom.generate.generate_phantom", lambda output, **_: made)
    elif verb == "phantom card":
        stand_in("fascnet.phantom.card.make.make_card", lambda output, **_: output / "card.html")
    elif verb == "implant":
        implanted = importlib.import_module("fascnet.phantom.implant.implant_set").ImplantResult
        result = implanted(Path("manifest.csv"), 0, (), (), (), 0)
        stand_in("fascnet.phantom.implant.implant_set.implant_set", lambda *_, **__: result)
    elif verb == "check":
        stand_in("fascnet.data.clip_set.check.check_data_set", lambda root, labels: [])
    elif verb == "import-labels":
        imported = importlib.import_module("fascnet.data.label_forms.importing").ImportReport
        stand_in(
            "fascnet.data.label_forms.importing.import_labels", lambda *_, **__: imported((), (), 0, None, ())
        )
        stand_in("fascnet.data.recording.find_clips.find_clips", lambda _: [])
    elif verb == "export-labels":
        stand_in("fascnet.commands.export_labels._load_ratings", lambda folder, rater: [])
        stand_in("fascnet.data.label_forms.exporting.export_clips", lambda *_: [])
        stand_in("fascnet.data.recording.find_clips.find_clips", lambda _: [])
    elif verb == "predict":
        study = importlib.import_module("fascnet.inference.study")
        result = study.StudyResult(Path("out"), (), (), 0, None)
        stand_in("fascnet.inference.study.predict_study", lambda *_, **__: result)
        stand_in("fascnet.inference.network.load_network_predictor", lambda **_: FarnebackPredictor())
    elif verb == "train":
        build_network = importlib.import_module("fascnet.models.build").build_network

        def train(output: Path, network: Any, **_: object) -> Path:
            build_network(network["name"], network["arguments"])
            return output / "model.safetensors"

        stand_in("fascnet.training.fit.train_network", train)
        trained = SimpleNamespace(spec=SimpleNamespace(metrics={}))
        stand_in("fascnet.inference.model_file.load_model", lambda _: trained)


def find_interpolated(verb: str, choice: str) -> set[str]:
    """Keys that reach their reader through another node, such as `${seed}`."""
    with initialize_config_dir(config_dir=str(CONFIGS), version_base="1.3"):
        overrides = [*NEEDED[verb], *([choice] if choice else [])]
        raw = compose(config_name=name_module(verb), overrides=overrides)
    names = re.findall(r"\$\{([a-z_.]+)\}", OmegaConf.to_yaml(raw, resolve=False))
    tree = OmegaConf.to_container(raw, resolve=False)
    assert isinstance(tree, dict)
    return {key for name in names for key in (name, *list_keys(tree[name], f"{name}."))}


@pytest.mark.parametrize(("verb", "choice"), CHOICES)
def test_every_key_is_read_by_its_command(
    verb: str, choice: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    overrides = [*NEEDED[verb], *([choice] if choice else [])]
    if verb == "check":
        Path("nowhere/root").mkdir(parents=True)
    if verb == "export-labels":
        Path("nowhere/in").mkdir(parents=True)
    if verb == "benchmark":
        predictions, labels = write_study(tmp_path, n_subjects=2)
        overrides = [f"predictions={predictions}", f"labels={labels}", "output=judged", "reference=anna"]
        overrides += ["bootstrap.resamples=2", "baselines=[farneback]", "input=none", "farneback_bar=true"]
        run_baseline, bar = (lambda *_: predictions), (lambda *_: None)
        monkeypatch.setattr("fascnet.commands.benchmark._run_baseline", run_baseline)
        monkeypatch.setattr("fascnet.commands.benchmark._measure_bar", bar)
        monkeypatch.setattr("fascnet.commands.benchmark._find_input", lambda *_: [])
    replace_package_call(verb, monkeypatch)
    config = compose_config(verb, overrides)
    read: set[str] = set()
    importlib.import_module(f"fascnet.commands.{name_module(verb)}").run(Watched(config, read))
    expected = set(list_keys(config)) - find_interpolated(verb, choice)
    # Bound by name: an unknown key was refused above.
    by_name = {
        "phantom": ("phantom", "split_fractions"),
        "phantom card": ("phantom",),
        "implant": ("twitches", "confounders", "background", "split_fractions"),
    }
    for node in by_name.get(verb, ()):
        expected -= set(list_keys(config[node], f"{node}."))
    if verb == "train":  # likewise
        expected -= set(list_keys(config["network"]["arguments"], "network.arguments."))
    # Read by the three that are replaced here; test_benchmark_hands_over_the_farneback_settings.
    if verb == "benchmark":
        expected -= {
            "input",
            "split",
            "folds",
            "fold",
            "workers",
            *(key for key in expected if key.startswith("farneback.")),
        }
        expected -= {"farneback"}
    assert sorted(expected - read) == []


def test_benchmark_hands_over_the_farneback_settings() -> None:
    config = compose_config("benchmark", NEEDED["benchmark"])
    assert set(config["farneback"]) == set(inspect.signature(FarnebackPredictor).parameters)
    predict = compose_config("predict", [*NEEDED["predict"], "detector=farneback"])
    detector = {key: value for key, value in predict["detector"].items() if key != "_target_"}
    assert config["farneback"] == detector, "the same baseline, however it is called"


@pytest.mark.parametrize("verb", VERBS)
def test_a_misspelt_override_is_one_line(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    keys = list(list_keys(compose_choice(verb, "")))
    assert len(keys) > 2
    for key in keys[:: 1 + len(keys) // 25]:
        assert run([*verb.split(), *NEEDED[verb], f"{misspell(key)}=1"]) == 2
        lines = capsys.readouterr().err.splitlines()
        assert len(lines) == 1, key
        assert f"'{misspell(key)}'" in lines[0] and f"{key.rpartition('.')[2]}'" in lines[0], lines[0]


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize(
    ("override", "named"),
    [
        ("no_such_group=a", "no_such_group"),
        ("output", "output"),
        ("output=[", "output=["),
        ("+added=1", "'added'"),
        ("=3", "is key=value"),
    ],
)
def test_other_wrong_overrides_are_one_line(
    verb: str,
    override: str,
    named: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run([*verb.split(), *NEEDED[verb], override]) == 2
    out, err = capsys.readouterr()
    assert out == "" and len(err.splitlines()) == 1
    assert named in err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("verb", "key"), [("benchmark", "matching"), ("benchmark", "bootstrap"), ("check", "data")]
)
def test_an_added_key_inside_a_node_is_one_line(
    verb: str, key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "nowhere" / "root").mkdir(parents=True)
    assert run([verb, *NEEDED[verb], f"+{key}.added=1"]) == 2
    err = capsys.readouterr().err
    assert len(err.splitlines()) == 1 and f"'{key}.added'" in err


@pytest.mark.parametrize(("group", "verb"), VERB_OF_GROUP.items())
@pytest.mark.parametrize("option", ["no_such_option", "3"])
def test_a_wrong_choice_is_one_line(
    group: str, verb: str, option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*verb.split(), *NEEDED[verb], f"{group}={option}"]) == 2
    err = capsys.readouterr().err
    assert len(err.splitlines()) == 1
    assert ("takes a name" if option == "3" else f"no {group}={option}; choose one of") in err


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("sead: 1", "'sead'"),
        ("network: {nmae: x}", "network.n"),
        ("network: {arguments: {width: [8]}}", "width'"),
        ("trainer: {epoch: 5}", "'epoch'"),
        ("data: {window: {ticks: 5}}", "'ticks'"),
    ],
)
def test_a_misspelt_key_in_an_experiment_is_one_line(
    text: str,
    named: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    copy = tmp_path / "configs"
    shutil.copytree(CONFIGS, copy)
    (copy / "experiment" / "mine.yaml").write_text(f"# @package _global_\n{text}\n", encoding="utf-8")
    monkeypatch.setattr("fascnet.commands.config.find_config_dir", lambda: copy)
    assert run(["train", f"output={tmp_path / 'out'}", f"data.root={tmp_path}", "experiment=mine"]) == 2
    err = capsys.readouterr().err
    assert len(err.splitlines()) == 1 and named in err
    assert not (tmp_path / "out").exists()


def test_an_experiment_changes_what_it_names(tmp_path: Path) -> None:
    plain = compose_config("train", NEEDED["train"])
    demo = compose_config("train", [*NEEDED["train"], "experiment=demo"])
    named = yaml.safe_load((CONFIGS / "experiment" / "demo.yaml").read_text(encoding="utf-8"))
    assert demo["name"] == named["name"] != plain["name"]
    assert {key: demo["trainer"][key] for key in named["trainer"]} == named["trainer"]
    assert demo["trainer"].keys() == plain["trainer"].keys() and demo["loss"] == plain["loss"]


@pytest.mark.parametrize("file", FILES)
def test_every_leaf_has_a_comment_above(file: str) -> None:
    before = ""
    for line in (CONFIGS / file).read_text(encoding="utf-8").splitlines():
        key, colon, value = line.strip().partition(":")
        is_leaf = (
            bool(colon and value.strip()) and not line.lstrip().startswith(("#", "- ")) and key != "_target_"
        )
        assert not is_leaf or re.match(r"\s*# \S+.*", before), f"{key} has no comment"
        assert not is_leaf or line[: len(line) - len(line.lstrip())] == before[: before.index("#")], (
            f"{key}: indent"
        )
        before = line


@pytest.mark.parametrize("file", FILES)
def test_no_key_stands_twice(file: str) -> None:
    """PyYAML keeps the last of two keys silently."""
    node = yaml.compose((CONFIGS / file).read_text(encoding="utf-8"))

    def check(node: yaml.Node | None) -> None:
        if isinstance(node, yaml.MappingNode):
            keys = [key.value for key, _ in node.value]
            assert len(keys) == len(set(keys))
            for _, child in node.value:
                check(child)

    check(node)


@pytest.mark.parametrize("verb", VERBS)
def test_help_shows_every_key_of_the_verb(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*verb.split(), "--help"]) == 0
    shown = capsys.readouterr().out
    assert (CONFIGS / f"{name_module(verb)}.yaml").read_text(encoding="utf-8").strip() in shown
    for group in (group for group, of_verb in VERB_OF_GROUP.items() if of_verb == verb):
        assert f"# {group}=… is one of: {', '.join(list_options(group))}" in shown
    keys = list(list_keys(compose_choice(verb, "")))
    for key in (key for key in keys if not any(other.startswith(f"{key}.") for other in keys)):
        assert re.search(rf"^ *(?:[a-z_.]+\.)?{key.rpartition('.')[2]}:", shown, flags=re.MULTILINE), key
