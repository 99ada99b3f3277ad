from __future__ import annotations

from dataclasses import fields
from inspect import signature
from pathlib import Path

import pytest

from fascnet.commands.config import compose_config, find_config_dir
from fascnet.commands.main import run
from fascnet.data.manifest import read_manifest
from fascnet.phantom.generate import generate_phantom
from fascnet.phantom.settings import PhantomSettings

TINY = ["phantom.duration_s=[1.0,1.0]", "phantom.height_px=[64,64]", "phantom.width_px=[64,64]"]


def test_writes_a_set_and_says_so_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["phantom", f"output={tmp_path / 'set'}", "clips=3", *TINY]) == 0
    out, err = capsys.readouterr()
    assert out.count("\n") == 1
    assert str(tmp_path / "set" / "manifest.csv") in out
    assert err == ""
    assert len(read_manifest(tmp_path / "set")) == 3


@pytest.mark.parametrize(
    ("override", "what"),
    [
        ("phantom.fps=[60,25]", "phantom.fps"),
        ("phantom.twitch_peak=[0.1,0.2]", "phantom.twitch_peak"),
        ("clips=1", "clips=1"),
        ("phantom=hardest", "hardest"),
        ("codec=xvid", "codec=xvid"),
    ],
)
def test_wrong_values_are_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], override: str, what: str
) -> None:
    assert run(["phantom", f"output={tmp_path / 'set'}", override]) == 2
    err = capsys.readouterr().err
    assert what in err
    assert err.count("\n") == 1
    assert not (tmp_path / "set").exists()


@pytest.mark.parametrize("name", ["quick", "standard"])
def test_every_setting_stands_in_the_config_and_is_valid(name: str) -> None:
    config = compose_config("phantom", ["output=x", f"phantom={name}"])
    assert list(config["phantom"]) == [field.name for field in fields(PhantomSettings)]
    PhantomSettings.from_mapping(config.pop("phantom"))
    assert set(config) <= set(signature(generate_phantom).parameters)


def test_quick_is_the_default_of_the_class() -> None:
    config = compose_config("phantom", ["output=x"])
    assert PhantomSettings.from_mapping(config["phantom"]) == PhantomSettings()


@pytest.mark.parametrize("path", ["phantom.yaml", "phantom/quick.yaml", "phantom/standard.yaml"])
def test_every_key_has_a_comment_above(path: str) -> None:
    lines = (find_config_dir() / path).read_text(encoding="utf-8").splitlines()
    for before, line in zip(["", *lines], lines, strict=False):
        key = line.strip().partition(":")[0]
        is_leaf = ":" in line and not line.lstrip().startswith(("#", "-")) and not line.rstrip().endswith(":")
        assert not is_leaf or before.lstrip().startswith("#"), f"{path}: {key}"
