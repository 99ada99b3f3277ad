from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

from fascnet.data.clip_set.check import check_data_set
from fascnet.data.clip_set.manifest import read_manifest
from fascnet.data.labelling.labels import load_labels, write_labels
from fascnet.errors import OutputError, RecordingError, SettingError
from fascnet.phantom.implant.implant_plan import ImplantSettings
from fascnet.phantom.implant.implant_set import ImplantResult, implant_set
from fascnet.phantom.settings import ConfounderRanges, TwitchRanges
from fascnet.types import Event, Labels

from ..backgrounds import write_recording, write_still

FRACTIONS = {"train": 0.5, "val": 0.25, "test": 0.25}
STILL = ConfounderRanges(
    **{f.name: 0.0 for f in ConfounderRanges.__dataclass_fields__.values() if f.name.endswith("_share")}
)
SETTINGS = ImplantSettings(duration_s=(1.0, 1.0), twitches=TwitchRanges(foci=(1, 1)), confounders=STILL)


@pytest.fixture
def inputs(tmp_path: Path) -> Path:
    folder = tmp_path / "in"
    for k, name in enumerate(("DOE_JANE", "ROE_MAX", "POE_ANN")):
        write_recording(folder / f"{name}.avi", k, n_frames=26, border=20)
    write_still(folder / "MOE_JIM" / "DOE_JANE.png", 9)
    return folder


def make(inputs: Path, output: Path, **changes: object) -> ImplantResult:
    arguments: dict[str, object] = {"seed": 3, "settings": SETTINGS, "split_fractions": FRACTIONS}
    return implant_set(inputs, output, **(arguments | {"assume_no_twitches": True} | changes))


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"assume_no_twitches": "no"}, "assume_no_twitches=no: give true or false"),
        ({"overwrite": "no"}, "overwrite=no: give true or false"),
        ({"workers": "two"}, "workers=two: give a whole number of 1 or more"),
        ({"workers": True}, "workers=True: give a whole number"),
    ],
)
def test_words_are_no_flags_and_no_processes(
    inputs: Path, tmp_path: Path, wrong: dict[str, object], told: str
) -> None:
    with pytest.raises(SettingError, match=told):
        make(inputs, tmp_path / "set", **wrong)
    assert not (tmp_path / "set").exists()


def hash_files(root: Path) -> dict[str, str]:
    files = sorted(path for path in root.rglob("*") if path.is_file())
    return {str(p.relative_to(root)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def test_a_set_is_sound_and_names_nobody(inputs: Path, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    result = make(inputs, tmp_path / "set", on_clip=lambda done, total: seen.append((done, total)))
    assert (result.clips, result.failed, result.skipped, result.assumed) == (8, (), (), 4)
    assert seen == [(k, 8) for k in range(1, 9)]
    assert check_data_set(tmp_path / "set", None) == []
    sources = read_manifest(tmp_path / "set")
    labels = load_labels(tmp_path / "set" / "labels")
    assert {s.split for s in sources} == {"train", "val", "test"}
    assert {bool(labels[s.clip_id]["truth"].fasciculations()) for s in sources} == {True, False}
    for path in (tmp_path / "set").rglob("*"):
        content = b"" if path.is_dir() else path.read_bytes()
        for name in ("DOE_JANE", "ROE_MAX", "POE_ANN", "MOE_JIM", str(inputs)):
            assert name not in path.name and name.encode() not in content


def test_bits_depend_on_the_seed_and_not_on_the_workers(inputs: Path, tmp_path: Path) -> None:
    for name, changes in (("one", {}), ("two", {"workers": 2}), ("other", {"seed": 4})):
        make(inputs, tmp_path / name, **changes)
    one, two, other = (hash_files(tmp_path / name) for name in ("one", "two", "other"))
    assert one == two
    assert one != other


def test_a_stopped_run_goes_on(inputs: Path, tmp_path: Path) -> None:
    make(inputs, tmp_path / "whole")

    def stop(done: int, total: int) -> None:
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make(inputs, tmp_path / "set", on_clip=stop)
    kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "set" / "clips").iterdir()}
    assert len(kept) == 3
    make(inputs, tmp_path / "set")
    assert hash_files(tmp_path / "set") == hash_files(tmp_path / "whole")
    assert all(path.stat().st_mtime_ns == when for path, when in kept.items())
    next((tmp_path / "set" / "labels").iterdir()).unlink()
    make(inputs, tmp_path / "set")
    assert hash_files(tmp_path / "set") == hash_files(tmp_path / "whole")


def test_another_recipe_or_other_files_are_refused(inputs: Path, tmp_path: Path) -> None:
    make(inputs, tmp_path / "set")
    with pytest.raises(OutputError, match="another seed"):
        make(inputs, tmp_path / "set", seed=4)
    write_still(inputs / "MOE_JIM" / "another.png", 10)
    with pytest.raises(OutputError, match="another files"):
        make(inputs, tmp_path / "set")
    assert make(inputs, tmp_path / "set", overwrite=True).clips == 10


def test_one_bad_input_stops_nothing(inputs: Path, tmp_path: Path) -> None:
    (inputs / "AAA.mp4").write_bytes(b"no video")
    (inputs / "MOE_JIM" / "AAA.png").write_bytes(b"no picture")
    labels = tmp_path / "labels"
    write_labels(labels, Labels("ROE_MAX", "a", ((0.0, 1.0),), (Event(0.2, 0.5),)))
    result = make(inputs, tmp_path / "set", labels=labels)
    assert result.clips == 6
    assert sorted(Path(path).name for path, _ in result.failed) == ["AAA.mp4", "AAA.png"]
    assert [Path(path).name for path, _ in result.skipped] == ["ROE_MAX.avi"]
    assert len(read_manifest(tmp_path / "set")) == 6


def test_nobody_vouches(inputs: Path, tmp_path: Path) -> None:
    result = make(inputs, tmp_path / "set", assume_no_twitches=False, split_fractions={"train": 1.0})
    assert (result.clips, len(result.failed)) == (2, 3)
    with pytest.raises(RecordingError, match=r"none of 1 .*assume_no_twitches=true"):
        make(inputs / "DOE_JANE.avi", tmp_path / "other", assume_no_twitches=False)
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize(("key", "value"), [("codec", "xvid"), ("workers", 0), ("seed", -1)])
def test_refuses_before_writing(inputs: Path, tmp_path: Path, key: str, value: object) -> None:
    with pytest.raises(SettingError, match=f"{key}={value}"):
        make(inputs, tmp_path / "set", **{key: value})
    assert not (tmp_path / "set").exists()


def test_needs_no_torch() -> None:
    modules = "fascnet.phantom.implant.implant_set, fascnet.commands.implant"
    code = f"import sys, {modules}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
