from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fascnet.commands.config import find_config_dir
from fascnet.commands.main import run
from fascnet.phantom.settings import PhantomSettings

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the command asks of `make_card`, which takes minutes."""
    arguments: dict[str, Any] = {}

    def make_card(output: Path, **others: Any) -> Path:
        arguments.update(others, output=output)
        others["on_step"]("measure", 1, 2)
        return output / "card.html"

    monkeypatch.setattr("fascnet.phantom.card.make.make_card", make_card)
    return arguments


def test_says_where_the_page_is(asked: dict[str, Any], tmp_path: Path, capsys: Capture) -> None:
    assert run(["phantom", "card", f"output={tmp_path}"]) == 0
    out, err = capsys.readouterr()
    assert out == f"phantom card: {tmp_path / 'card.html'}\n"
    assert err == ""
    assert asked["output"] == tmp_path and asked["real"] is None and asked["real_rules"] == []
    assert asked["settings"] == PhantomSettings()


def test_settings_and_real_clips_reach_the_card(asked: dict[str, Any], tmp_path: Path) -> None:
    overrides = ["phantom=quick", "phantom.twitches.peak_mm=[0.3,0.4]", "real.folder=clips", "seed=5"]
    assert run(["phantom", "card", f"output={tmp_path}", "real=public_muscle", *overrides]) == 0
    assert asked["settings"].twitches.peak_mm == (0.3, 0.4)
    assert asked["settings"].scan.height_px == (192, 192)
    assert asked["real"] == Path("clips") and asked["seed"] == 5
    assert all("pattern" in rule for rule in asked["real_rules"]) and asked["real_rules"]


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("phantom.scan.fps=[60,25]", "phantom.scan.fps=[60, 25]"),
        ("real.folders=x", "did you mean 'real.folder'?"),
        ("output=null", "phantom card: give output=…"),
        ("phantom=softest", "there is no phantom=softest"),
    ],
)
def test_wrong_values_are_one_line(
    asked: dict[str, Any], tmp_path: Path, capsys: Capture, override: str, told: str
) -> None:
    assert run(["phantom", "card", f"output={tmp_path / 'card'}", override]) == 2
    err = capsys.readouterr().err
    assert told in err and err.count("\n") == 1
    assert not asked


def test_the_defaults_stand_in_the_file_alone(asked: dict[str, Any], tmp_path: Path) -> None:
    assert run(["phantom", "card", f"output={tmp_path}"]) == 0
    text = (find_config_dir() / "phantom_card.yaml").read_text(encoding="utf-8")
    assert f"subjects: {asked['subjects']}\n" in text
    assert f"classifier_epochs: {asked['classifier_epochs']}\n" in text
