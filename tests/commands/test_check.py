from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fascnet.commands.main import run
from fascnet.data.clip_set.manifest import write_manifest
from fascnet.data.labelling.labels import write_labels
from fascnet.data.recording.video_writer import VideoWriter
from fascnet.types import ClipSource, Event, Labels


@pytest.fixture
def root(tmp_path: Path) -> Path:
    with VideoWriter(tmp_path / "a.avi", 16, 16, 30, "ffv1") as writer:
        for k in range(40):
            writer.write(np.full((16, 16), k, np.uint8))
    write_manifest(tmp_path, [ClipSource("a", tmp_path / "a.avi", "s", mm_per_px=0.1)])
    write_labels(tmp_path / "labels", Labels("a", "r", ((0.0, 1.3),), (Event(0.1, 0.4),)))
    return tmp_path


def test_sound_data_set(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", f"data.root={root}"]) == 0
    assert capsys.readouterr().out == f"checked {root}: no problems\n"


def test_each_problem_is_a_line_and_the_exit_code_is_1(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (root / "a.avi").write_bytes(b"")
    assert run(["check", f"data.root={root}"]) == 1
    first, last = capsys.readouterr().out.splitlines()
    assert first.startswith(f"{root / 'a.avi'}: is empty (0 bytes) -> ")
    assert last == f"checked {root}: 1 problem"


def test_labels_may_lie_elsewhere(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / "labels").rename(root / "mine")
    assert run(["check", f"data.root={root}"]) == 1
    assert "there is no such folder of labels" in capsys.readouterr().out
    assert run(["check", f"data.root={root}", f"data.labels={root / 'mine'}"]) == 0


@pytest.mark.parametrize(
    "overrides", [[], ["data.root=absent"], ["data.rot=x"], ["data.root=.", "data.labels=absent"]]
)
def test_wrong_settings_are_one_line(overrides: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", *overrides]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert len(captured.err.splitlines()) == 1
    assert "data." in captured.err
