from __future__ import annotations

from dataclasses import fields
from inspect import signature
from pathlib import Path

import pytest

from fascnet.commands import implant
from fascnet.commands.config import compose_config, find_config_dir
from fascnet.data.clip_set.manifest import read_manifest
from fascnet.errors import SettingError
from fascnet.phantom.implant.implant_plan import ImplantSettings
from fascnet.phantom.implant.implant_set import implant_set

from ..phantom.backgrounds import write_recording, write_still

SHORT = ["duration_s=[1.0,1.0]", "split_fractions.val=0", "split_fractions.test=0", "clips_per_background=1"]


def run(tmp_path: Path, *overrides: str) -> int:
    places = [f"input={tmp_path / 'in'}", f"output={tmp_path / 'set'}"]
    return implant.run(compose_config("implant", [*places, *SHORT, *overrides]))


def test_writes_a_set_and_says_so_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_still(tmp_path / "in" / "a.png")
    assert run(tmp_path, "background.mm_per_px=0.2") == 0
    out, err = capsys.readouterr()
    assert out.count("\n") == 1 and str(tmp_path / "set" / "manifest.csv") in out
    assert err == ""
    assert len(read_manifest(tmp_path / "set")) == 1


def test_what_could_not_be_used_is_listed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_still(tmp_path / "in" / "a.png")
    path = write_recording(tmp_path / "in" / "b.avi", n_frames=26)
    assert run(tmp_path) == 1
    out, err = capsys.readouterr()
    assert f"failed: {path}: nobody has said" in err
    assert "pixel spacing assumed for 1 backgrounds" in err
    assert out.startswith("implant: 1 clips")
    assert run(tmp_path, "assume_no_twitches=true", "overwrite=true") == 0


def test_wrong_values_name_the_key(tmp_path: Path) -> None:
    write_still(tmp_path / "in" / "a.png")
    for override, says in (
        ("background.still_fps=1", "background.still_fps"),
        ("twitches.peak_mm=[0.5,0.1]", "twitches.peak_mm"),
        ("clips_per_background=0", "clips_per_background"),
    ):
        with pytest.raises(SettingError, match=says):
            run(tmp_path, override)
    assert not (tmp_path / "set").exists()


def test_every_setting_stands_in_the_config() -> None:
    config = compose_config("implant", ["input=x", "output=y"])
    settings = implant.read_settings(dict(config))
    assert settings == ImplantSettings(confounders=settings.confounders)
    shares = {f.name: getattr(settings.confounders, f.name) for f in fields(settings.confounders)}
    # The share of contractions that are local says nothing where there are none.
    shares.pop("contraction_local_share", None)
    assert not any(value for name, value in shares.items() if name.endswith("_share"))
    own = {spec.name for spec in fields(ImplantSettings)}
    assert own <= set(config)
    assert set(config) - own - {"input"} <= set(signature(implant_set).parameters)


def test_every_key_has_a_comment_above() -> None:
    lines = (find_config_dir() / "implant.yaml").read_text(encoding="utf-8").splitlines()
    for before, line in zip(["", *lines], lines, strict=False):
        is_leaf = ":" in line and not line.lstrip().startswith(("#", "-")) and not line.rstrip().endswith(":")
        assert not is_leaf or before.lstrip().startswith("#"), line
