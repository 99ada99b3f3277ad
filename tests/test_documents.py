"""What the documents show is what the program reads."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fascnet.commands.config import name_module
from fascnet.commands.main import VERBS
from fascnet.data.clip_set.manifest import COLUMNS, read_manifest
from fascnet.data.labelling.label_format import CERTAINTIES, parse_labels
from fascnet.inference.heatmap_store import HEATMAP_KEYS
from fascnet.inference.kinematics.columns import KINEMATIC_COLUMNS
from fascnet.inference.tables import (
    ADDED_EVENT_COLUMNS,
    ADDED_SCORE_COLUMNS,
    EVENT_COLUMNS,
    INTERVAL_COLUMNS,
    SCORE_COLUMNS,
    SCREEN_COLUMNS,
)
from tests.data.tiny import FPS, make_frames, write_clip

ROOT = Path(__file__).resolve().parents[1]
DATA_README = (ROOT / "data" / "README.md").read_text(encoding="utf-8")


def find_block(language: str) -> str:
    (block,) = re.findall(rf"```{language}\n(.*?)```", DATA_README, flags=re.DOTALL)
    return str(block)


def test_the_label_example_is_valid() -> None:
    labels = parse_labels(json.loads(find_block("json")), Path("p01_gm_L_003.anna.json"))
    assert labels.clip_id == "p01_gm_L_003" and len(labels.fasciculations()) == 2 < len(labels.events)
    assert all(f"`{word}`" in DATA_README for word in CERTAINTIES)


def test_the_manifest_example_is_valid(tmp_path: Path) -> None:
    block = find_block("csv")
    (tmp_path / "manifest.csv").write_text(block, encoding="utf-8")
    (clip,) = read_manifest(tmp_path)
    assert clip.clip_id == "p01_gm_L_003" and clip.mm_per_px == 0.088
    assert tuple(block.splitlines()[0].split(",")) == COLUMNS


def test_the_python_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "clips").mkdir()
    frames = make_frames(8, 0, None)
    # What a file holds counts, not its name.
    write_clip(tmp_path / "clips" / "clip.avi", frames).rename(tmp_path / "clips" / "p01_gm_L_003.mp4")
    monkeypatch.chdir(tmp_path)
    known: dict[str, Any] = {}
    exec(find_block("python"), known)
    assert known["clip"].frames.shape == frames.shape
    assert known["clip"].times_s == pytest.approx(np.arange(8) / FPS)


def test_every_column_that_predict_writes_is_explained() -> None:
    text = (ROOT / "docs" / "outputs.md").read_text(encoding="utf-8")
    columns = (*SCORE_COLUMNS, *SCREEN_COLUMNS, *ADDED_SCORE_COLUMNS, *EVENT_COLUMNS, *ADDED_EVENT_COLUMNS)
    assert [name for name in columns if f"`{name}`" not in text] == []
    assert ", ".join(INTERVAL_COLUMNS) in text and all(f"`{key}`" in text for key in HEATMAP_KEYS)
    kinematics = (ROOT / "docs" / "kinematics.md").read_text(encoding="utf-8")
    assert [name for name in KINEMATIC_COLUMNS if f"`{name}`" not in kinematics] == []


def test_contributing_describes_every_room() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    rooms = [folder.name for folder in (ROOT / "fascnet").iterdir() if list(folder.glob("*.py"))]
    assert len(rooms) >= 8
    for room in rooms:
        assert room == "__pycache__" or f"`{room}/`" in text


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_a_script_and_a_line_in_the_changelog(verb: str) -> None:
    assert (ROOT / "scripts" / f"{name_module(verb)}.py").is_file()
    assert f"`fascnet {verb}`" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_licence_is_the_one_that_the_package_names() -> None:
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert "Apache License" in text and "Version 2.0, January 2004" in text
    assert "END OF TERMS AND CONDITIONS" in text
    assert 'license = "Apache-2.0"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")
