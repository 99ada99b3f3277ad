from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from fascnet.data.check import check_data_set
from fascnet.data.labels import load_labels
from fascnet.data.manifest import read_manifest
from fascnet.errors import OutputError, SettingError
from fascnet.phantom import generate
from fascnet.phantom.settings import PhantomSettings

SETTINGS = PhantomSettings(duration_s=(1.2, 1.2), height_px=(72, 72), width_px=(80, 80), fps=(20.0, 20.0))
FRACTIONS = {"train": 0.5, "val": 0.25, "test": 0.25}


def make(output: Path, clips: int = 6, seed: int = 3, **changes: object) -> Path:
    arguments = {"settings": SETTINGS, "split_fractions": FRACTIONS} | changes
    return generate.generate_phantom(output, clips, seed, **arguments)


def hash_files(root: Path) -> dict[str, str]:
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


def test_a_set_is_sound_and_complete(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    manifest = make(tmp_path / "set", on_clip=lambda done, total: seen.append((done, total)))
    assert manifest == tmp_path / "set" / "manifest.csv"
    assert seen == [(k, 6) for k in range(1, 7)]
    assert check_data_set(tmp_path / "set", None) == []
    sources = read_manifest(tmp_path / "set")
    labels = load_labels(tmp_path / "set" / "labels")
    assert {source.clip_id for source in sources} == set(labels)
    assert {source.split for source in sources} == {"train", "val", "test"}
    for name in ("train", "val", "test"):
        kinds = {bool(labels[s.clip_id]["truth"].fasciculations()) for s in sources if s.split == name}
        assert kinds == {True, False}


def test_bits_depend_on_the_seed_and_not_on_the_workers(tmp_path: Path) -> None:
    make(tmp_path / "one", clips=3)
    make(tmp_path / "two", clips=3, workers=2)
    make(tmp_path / "other", clips=3, seed=4)
    one, two, other = (hash_files(tmp_path / name) for name in ("one", "two", "other"))
    assert one == two
    assert all(one[name] != other[name] for name in one if name.startswith("clips"))


def test_a_stopped_run_goes_on(tmp_path: Path) -> None:
    make(tmp_path / "whole")

    def stop(done: int, total: int) -> None:
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make(tmp_path / "set", on_clip=stop)
    # A clip whose labels were not written yet counts as unfinished.
    labels = sorted((tmp_path / "set" / "labels").iterdir())
    assert len(labels) == 3
    labels[0].unlink()
    video = tmp_path / "set" / "clips" / labels[0].name.replace(".truth.json", ".avi")
    video.write_bytes(b"cut short")
    kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "set" / "clips").iterdir() if path != video}
    make(tmp_path / "set")
    assert hash_files(tmp_path / "set") == hash_files(tmp_path / "whole")
    assert all(path.stat().st_mtime_ns == when for path, when in kept.items())


def test_another_set_in_the_folder_is_refused_unless_told(tmp_path: Path) -> None:
    make(tmp_path / "set", clips=3)
    with pytest.raises(OutputError, match="another seed; choose another output or set overwrite=true"):
        make(tmp_path / "set", clips=3, seed=4)
    with pytest.raises(OutputError, match="another settings"):
        make(tmp_path / "set", clips=3, settings=PhantomSettings())
    (tmp_path / "set" / "notes.txt").write_text("mine")
    make(tmp_path / "set", clips=3, seed=4, codec="h264_lossless", overwrite=True)
    names = {path.suffix for path in (tmp_path / "set" / "clips").iterdir()}
    assert names == {".mp4"}
    assert len(list((tmp_path / "set" / "labels").iterdir())) == 3
    assert (tmp_path / "set" / "notes.txt").read_text() == "mine"


def test_a_folder_with_something_else_is_never_touched(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("x")
    with pytest.raises(OutputError, match="not empty"):
        make(tmp_path, overwrite=True)
    with pytest.raises(OutputError, match="is a file"):
        make(tmp_path / "thesis.tex")
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


@pytest.mark.parametrize(("key", "value"), [("codec", "xvid"), ("workers", 0)])
def test_refuses_before_writing(tmp_path: Path, key: str, value: object) -> None:
    with pytest.raises(SettingError, match=f"{key}={value}"):
        make(tmp_path / "set", **{key: value})
    assert not (tmp_path / "set").exists()


def test_the_recipe_is_written(tmp_path: Path) -> None:
    make(tmp_path / "set", clips=3)
    recipe = json.loads((tmp_path / "set" / "phantom.json").read_text())
    assert recipe["seed"] == 3
    assert PhantomSettings.from_mapping(recipe["settings"]) == SETTINGS
    assert recipe["made_by"].startswith("fascnet ")


def test_needs_no_torch() -> None:
    code = "import sys, fascnet.phantom.generate, fascnet.commands.phantom; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
