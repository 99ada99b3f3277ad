from __future__ import annotations

from dataclasses import fields
from inspect import signature
from pathlib import Path

import pytest

from fascnet.commands import phantom
from fascnet.commands.config import compose_config, find_config_dir
from fascnet.commands.main import run
from fascnet.data.clip_set.manifest import read_manifest
from fascnet.phantom.data_set.frozen_set import FrozenComparison
from fascnet.phantom.generate import PhantomResult, generate_phantom
from fascnet.phantom.settings import PhantomSettings

PRESETS = sorted(path.stem for path in (find_config_dir() / "phantom").glob("*.yaml"))
GROUPS = sorted(path.name for path in (find_config_dir() / "phantom").iterdir() if path.is_dir())
TINY = [
    "phantom.duration_s=[1.0,1.0]",
    "phantom.scan.height_px=[64,64]",
    "phantom.scan.width_px=[64,64]",
    "phantom.scan.scatterers_per_cell=3",
]
Capture = pytest.CaptureFixture[str]


def test_writes_a_set_and_says_so_in_one_line(tmp_path: Path, capsys: Capture) -> None:
    assert run(["phantom", f"output={tmp_path / 'set'}", "clips=3", *TINY]) == 0
    out, err = capsys.readouterr()
    assert out.count("\n") == 1
    assert str(tmp_path / "set" / "manifest.csv") in out
    assert err == ""
    assert len(read_manifest(tmp_path / "set")) == 3


@pytest.mark.parametrize(
    ("override", "what"),
    [
        ("phantom.scan.fps=[60,25]", "phantom.scan.fps=[60, 25]"),
        ("phantom.twitches.peak_mm=[0,0.2]", "phantom.twitches.peak_mm=0: give a number between"),
        ("phantom.twitches.peak_mm=0.3", "phantom.twitches.peak_mm=0.3: give two numbers"),
        ("phantom.twitches.peek_mm=[0.1,0.2]", "did you mean 'phantom.twitches.peak_mm'?"),
        ("phantom.twitch_peak_mm=[0.1,0.2]", "phantom.twitch_peak_mm"),
        ("+phantom.twitches.more=1", "nothing reads the key 'phantom.twitches.more'"),
        ("phantom.scan=null", "'phantom.scan' holds keys of its own"),
        ("phantom/scan=slow", "there is no phantom/scan=slow; choose one of: "),
        ("clips=1", "clips=1"),
        ("clips=ten", "clips=ten"),
        ("workers=many", "workers=many"),
        ("overwrite=perhaps", "overwrite=perhaps: give true or false"),
        ("phantom=hardest", "hardest"),
        ("codec=xvid", "codec=xvid"),
        ("device=gpu", "device=gpu"),
        ("frozen=benchmark-0", "frozen=benchmark-0: there is no such set"),
        ("split_fractions.train=0.9", "split_fractions: the shares add up to 1.3"),
    ],
)
def test_wrong_values_are_one_line(tmp_path: Path, capsys: Capture, override: str, what: str) -> None:
    assert run(["phantom", f"output={tmp_path / 'set'}", override]) == 2
    err = capsys.readouterr().err
    assert what in err
    assert err.count("\n") == 1
    assert not (tmp_path / "set").exists()


@pytest.mark.parametrize("name", PRESETS)
def test_every_setting_stands_in_the_config_and_is_valid(name: str) -> None:
    config = compose_config("phantom", ["output=x", f"phantom={name}"])
    values = config.pop("phantom")
    assert set(values) == {field.name for field in fields(PhantomSettings)}
    settings = PhantomSettings.from_mapping(values)
    for group in GROUPS:
        assert set(values[group]) == {field.name for field in fields(getattr(settings, group))}, group
    assert set(config) <= set(signature(generate_phantom).parameters)


@pytest.mark.parametrize("group", GROUPS)
def test_every_option_of_a_group_is_valid(group: str) -> None:
    for path in (find_config_dir() / "phantom" / group).glob("*.yaml"):
        config = compose_config("phantom", ["output=x", f"phantom/{group}={path.stem}"])
        PhantomSettings.from_mapping(config["phantom"])


def test_standard_is_the_default_of_the_class() -> None:
    config = compose_config("phantom", ["output=x", "phantom=standard"])
    assert PhantomSettings.from_mapping(config["phantom"]) == PhantomSettings()


def test_a_preset_is_made_of_groups_that_can_be_exchanged() -> None:
    plain = compose_config("phantom", ["output=x", "phantom=standard"])["phantom"]
    changed = compose_config("phantom", ["output=x", "phantom=standard", "phantom/confounders=none"])[
        "phantom"
    ]
    assert {name for name in plain if plain[name] != changed[name]} == {"confounders"}
    shares = [value for key, value in changed["confounders"].items() if key.endswith("_share")]
    assert set(shares) - {changed["confounders"]["contraction_local_share"]} <= {0.0}


def test_the_benchmark_preset_sets_clips_seed_and_splits() -> None:
    config = compose_config("phantom", ["output=x", "phantom=benchmark"])
    assert config["seed"] != compose_config("phantom", ["output=x"])["seed"]
    assert config["split_fractions"] == {"train": 0.0, "val": 0.0, "test": 1.0}
    assert config["clips"] > compose_config("phantom", ["output=x"])["clips"]
    assert compose_config("phantom", ["output=x", "phantom=benchmark", "clips=5"])["clips"] == 5


@pytest.mark.parametrize(
    ("comparison", "code", "told"),
    [
        (FrozenComparison(("a", "b"), (), (), ()), 0, "2 clips identical, 0 equal but for rounding"),
        (FrozenComparison(("a",), ("b",), (), ()), 0, "1 clips identical, 1 equal but for rounding"),
        (FrozenComparison(("a",), (), ("b",), ("c",)), 1, "1 different, 1 missing"),
    ],
)
def test_a_frozen_set_is_compared_in_a_line(
    comparison: FrozenComparison,
    code: int,
    told: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Capture,
) -> None:
    result = PhantomResult(tmp_path / "manifest.csv", comparison)
    monkeypatch.setattr("fascnet.phantom.generate.generate_phantom", lambda *_, **__: result)
    config = compose_config("phantom", [f"output={tmp_path}", "frozen=tiny-1"])
    assert phantom.run(config) == code
    out, err = capsys.readouterr()
    assert out.splitlines()[1].startswith("tiny-1: ") and told in out
    assert (err == "") == (code == 0)
    if code:
        assert "this is not tiny-1 (see b, c)" in err and err.count("\n") == 1
