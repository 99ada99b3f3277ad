from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fascnet.commands.main import run
from fascnet.data.clip_set.folds import read_folds
from fascnet.data.clip_set.manifest import read_manifest, write_manifest
from fascnet.data.labelling.labels import write_labels
from fascnet.data.recording.video_writer import VideoWriter
from fascnet.types import ClipSource, Event, Labels

HERE = "workers=0"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    clips = []
    for name in "abc":
        with VideoWriter(tmp_path / f"{name}.avi", 32, 32, 30, "ffv1") as writer:
            for _ in range(40):
                writer.write(rng.integers(0, 256, (32, 32), dtype=np.uint8))
        clips.append(ClipSource(name, tmp_path / f"{name}.avi", f"s{name}", mm_per_px=0.1))
        write_labels(tmp_path / "labels", Labels(name, "r", ((0.0, 1.3),), (Event(0.1, 0.4),)))
    write_manifest(tmp_path, clips)
    return tmp_path


def test_sound_data_set(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", f"data.root={root}"]) == 0
    assert capsys.readouterr().out == f"checked {root}: no problems\n"


def test_each_problem_is_a_line_and_an_error_is_exit_code_1(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (root / "a.avi").write_bytes(b"")
    assert run(["check", f"data.root={root}", HERE]) == 1
    first, last = capsys.readouterr().out.splitlines()
    assert first.startswith(f"error: {root / 'a.avi'}: is empty (0 bytes) -> ")
    assert last == f"checked {root}: 1 error"


def test_warnings_and_notes_are_no_failure(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, *others = read_manifest(root)
    write_manifest(root, [replace(first, mm_per_px=None), *others])
    write_labels(root / "labels", Labels("b", "r", ((0.0, 1.3),), (Event(0.1, 0.11),)))
    assert run(["check", f"data.root={root}", HERE]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in lines[:-1]] == ["warning", "note"]
    assert lines[-1] == f"checked {root}: 1 warning, 1 note"


def test_labels_may_lie_elsewhere(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / "labels").rename(root / "mine")
    assert run(["check", f"data.root={root}", HERE]) == 1
    assert "there is no such folder of labels" in capsys.readouterr().out
    assert run(["check", f"data.root={root}", f"data.labels={root / 'mine'}", HERE]) == 0


def test_output_holds_a_page_tables_and_folds(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "out"
    assert run(["check", f"data.root={root}", f"output={output}", "folds=3", "seed=1", HERE]) == 0
    assert sorted(path.name for path in output.iterdir()) == [
        "check.html",
        "check.json",
        "clips.csv",
        "folds.csv",
        "problems.csv",
    ]
    assert json.loads((output / "check.json").read_text())["clips"] == 3
    assert len(list(csv.DictReader((output / "clips.csv").open()))) == 3
    assert sorted(read_folds(output / "folds.csv").items(), key=lambda item: item[1])[0][1] == 1
    assert f"page: {output / 'check.html'}\n" in capsys.readouterr().out


def test_nothing_is_written_without_an_output(root: Path) -> None:
    before = sorted(root.rglob("*"))
    run(["check", f"data.root={root}", HERE])
    assert sorted(root.rglob("*")) == before


@pytest.mark.parametrize(
    ("overrides", "key"),
    [
        ([], "data."),
        (["data.root=absent"], "data."),
        (["data.rot=x"], "data."),
        (["data.root=.", "data.labels=absent"], "data."),
        (["data.root=.", "workers=-1"], "workers=-1"),
        (["data.root=.", "workers=two"], "workers=two"),
        (["data.root=.", "folds=5"], "give output=FOLDER"),
        (["data.root=.", "folds=2", "output=out"], "folds=2"),
        (["data.root=.", "seed=x"], "seed=x"),
        (["data.root=.", "output=3"], "output=3"),
    ],
)
def test_wrong_settings_are_one_line(
    overrides: list[str],
    key: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["check", *overrides]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert len(captured.err.splitlines()) == 1
    assert key in captured.err
    assert not list(tmp_path.iterdir())


def test_more_folds_than_subjects_write_nothing(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["check", f"data.root={root}", f"output={tmp_path / 'out'}", "folds=4", HERE]) == 2
    assert "there are 3 subjects to deal" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
