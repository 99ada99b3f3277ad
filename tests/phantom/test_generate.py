from __future__ import annotations

import csv
import hashlib
import json
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from fascnet.commands.config import compose_config
from fascnet.data.clip_set.check import check_data_set
from fascnet.data.clip_set.manifest import read_manifest
from fascnet.data.labelling.labels import load_labels
from fascnet.data.recording.recordings import open_recording
from fascnet.errors import OutputError, SettingError
from fascnet.phantom import generate
from fascnet.phantom.data_set import frozen_set
from fascnet.phantom.generate import PhantomResult, generate_phantom, make_scene
from fascnet.phantom.plan import plan_clips
from fascnet.phantom.render import render_frames
from fascnet.phantom.settings import PhantomSettings
from fascnet.phantom.truth import make_truth

from .tiny import TINY, switch

FRACTIONS = {"train": 0.5, "val": 0.25, "test": 0.25}
ROOT = Path(__file__).resolve().parents[2]


def make(output: Path, clips: int = 4, seed: int = 3, **changes: object) -> PhantomResult:
    arguments = {"settings": TINY, "split_fractions": FRACTIONS, **changes}
    return generate_phantom(output, clips, seed, **arguments)  # type: ignore[arg-type]


def change(**groups: object) -> PhantomSettings:
    return PhantomSettings.from_mapping({**TINY.to_mapping(), **groups})


def hash_files(root: Path) -> dict[str, str]:
    return {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


def read_rows(root: Path) -> list[dict[str, str]]:
    with (root / "clips.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def read_frames(path: Path) -> np.ndarray:
    return np.stack([frame.image for frame in open_recording(path).frames()])


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A set of four clips of three subjects, made in one go."""
    output = tmp_path_factory.mktemp("phantom") / "whole"
    make(output)
    return output


@pytest.mark.parametrize("name", frozen_set.list_frozen())
def test_a_frozen_set_is_made_as_it_was_frozen(name: str, tmp_path: Path) -> None:
    """Its clip of fewest frames; rounding on another processor is allowed for, nothing else."""
    folder = ROOT / "fascnet" / "phantom" / "frozen"
    recipe = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    with (folder / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    shortest = min(rows, key=lambda row: int(row["frames"]))["clip_id"]
    settings = PhantomSettings.from_mapping(recipe["settings"])
    plans = plan_clips(recipe["clips"], recipe["seed"], settings, recipe["split_fractions"])
    plan = next(plan for plan in plans if plan.clip_id == shortest)
    row = generate._write_clip(generate._Job(plan, tmp_path, recipe["seed"], settings, "ffv1", "cpu", False))
    comparison = frozen_set.compare_frozen(name, {shortest: row})
    assert shortest in {*comparison.identical, *comparison.rounded}
    assert len(rows) == len(plans) == 300
    assert len({plan.subject_id for plan in plans}) == 60


def test_the_benchmark_preset_is_a_test_set_of_many_subjects() -> None:
    config = compose_config("phantom", ["output=nowhere", "phantom=benchmark"])
    settings = PhantomSettings.from_mapping(config["phantom"])
    plans = plan_clips(config["clips"], config["seed"], settings, config["split_fractions"])
    assert len(plans) == 300
    assert len({plan.subject_id for plan in plans}) == 60
    assert {plan.split for plan in plans} == {"test"}
    assert settings.duration_s == (10.0, 60.0)
    if config["frozen"] is not None:
        split = {key: float(share) for key, share in config["split_fractions"].items()}
        recipe = {**config, "settings": settings.to_mapping(), "split_fractions": split}
        frozen_set.check_recipe(config["frozen"], {**recipe, "generator_version": generate.GENERATOR_VERSION})


def test_a_set_is_sound_and_complete(whole: Path) -> None:
    assert check_data_set(whole, None) == []
    sources = read_manifest(whole)
    labels = load_labels(whole / "labels")
    assert (
        {source.clip_id for source in sources} == set(labels) == {row["clip_id"] for row in read_rows(whole)}
    )
    assert {source.split for source in sources} == {"train", "val", "test"}
    assert len({source.subject_id for source in sources}) == 3
    assert {bool(found["truth"].fasciculations()) for found in labels.values()} == {True, False}
    assert len(hash_files(whole)) == 4 + 4 + 3


def test_progress_is_told_clip_by_clip(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    result = make(tmp_path, clips=3, on_clip=lambda done, total: seen.append((done, total)))
    assert seen == [(1, 3), (2, 3), (3, 3)]
    assert result == PhantomResult(tmp_path / "manifest.csv", None)


def test_the_table_says_what_the_files_hold(whole: Path) -> None:
    sources = {source.clip_id: source for source in read_manifest(whole)}
    for row in read_rows(whole):
        source = sources[row["clip_id"]]
        frames = read_frames(source.path)
        assert row["frames"] == str(len(frames)) == "20"
        assert row["frames_sha256"] == hashlib.sha256(frames.tobytes()).hexdigest()
        label = whole / "labels" / f"{row['clip_id']}.truth.json"
        assert row["labels_sha256"] == hashlib.sha256(label.read_bytes()).hexdigest()
        assert (row["subject_id"], row["split"], row["muscle"]) == (
            source.subject_id,
            source.split,
            source.muscle,
        )
        assert (float(row["fps"]), float(row["mm_per_px"])) == (source.fps, source.mm_per_px)
        x0, y0, x1, y1 = (int(edge) for edge in row["box"].split())
        assert (x1 - x0, y1 - y0) == (64, 64)
        assert x1 <= frames.shape[2] and y1 <= frames.shape[1]


def test_files_hold_what_was_drawn(whole: Path) -> None:
    plan = plan_clips(4, 3, TINY, FRACTIONS)[2]
    scene = make_scene(plan, 3, TINY)
    (source,) = (source for source in read_manifest(whole) if source.clip_id == plan.clip_id)
    np.testing.assert_array_equal(read_frames(source.path), list(render_frames(scene)))
    labels = load_labels(whole / "labels")[plan.clip_id]["truth"]
    assert labels == make_truth(scene.script, scene.picture_frame, plan.clip_id)


def test_bits_depend_on_the_seed_and_not_on_the_workers(whole: Path, tmp_path: Path) -> None:
    make(tmp_path / "two", workers=2)
    make(tmp_path / "other", clips=3, seed=4)
    one, two, other = hash_files(whole), hash_files(tmp_path / "two"), hash_files(tmp_path / "other")
    assert one == two
    clips = [name for name in other if name.startswith("clips/")]
    assert len(clips) == 3 and not {other[name] for name in clips} & set(one.values())


def test_bits_do_not_depend_on_the_threads(whole: Path, tmp_path: Path) -> None:
    cv2.setNumThreads(4)
    try:
        make(tmp_path / "set")
    finally:
        cv2.setNumThreads(1)
    assert hash_files(tmp_path / "set") == hash_files(whole)


def test_a_clip_depends_on_its_own_number_and_its_subject_s_alone() -> None:
    plan = plan_clips(4, 3, TINY, FRACTIONS)[2]
    renamed = replace(plan, split="test", clip_id="other")
    assert make_scene(plan, 3, TINY) == make_scene(renamed, 3, TINY)
    assert make_scene(plan, 3, TINY) != make_scene(replace(plan, index=3), 3, TINY)
    assert make_scene(plan, 3, TINY).subject != make_scene(replace(plan, subject_index=0), 3, TINY).subject


KILLED = """
import os, signal, sys
from pathlib import Path
import tests.phantom.test_generate as mine
def stop(done, total):
    if done == 2:
        os.kill(os.getpid(), signal.SIGKILL)
mine.make(Path(sys.argv[1]), on_clip=stop)
"""

KILLED_WITHIN = """
import os, signal, sys
from pathlib import Path
import fascnet.phantom.generate as generate
import tests.phantom.test_generate as mine
real, clips = generate.render_frames, []
def render(scene, device):
    clips.append(scene)
    for k, frame in enumerate(real(scene, device)):
        if len(clips) == 3 and k == 7:
            os.kill(os.getpid(), signal.SIGKILL)
        yield frame
generate.render_frames = render
mine.make(Path(sys.argv[1]))
"""


@pytest.mark.parametrize("code", [KILLED, KILLED_WITHIN], ids=["between", "within"])
def test_a_killed_run_goes_on_without_a_damaged_or_repeated_clip(
    whole: Path, tmp_path: Path, code: str
) -> None:
    command = [sys.executable, "-c", code, str(tmp_path / "set")]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert len(read_rows(tmp_path / "set")) == 2
    kept = {
        path: path.stat().st_mtime_ns
        for row in read_rows(tmp_path / "set")
        for path in (tmp_path / "set").rglob(f"{row['clip_id']}.*")
    }
    assert len(kept) == 4
    seen: list[int] = []
    make(tmp_path / "set", on_clip=lambda done, total: seen.append(done))
    assert seen == [3, 4]
    assert hash_files(tmp_path / "set") == hash_files(whole)
    assert all(path.stat().st_mtime_ns == when for path, when in kept.items())


@pytest.mark.parametrize("lost", ["clips/*.avi", "labels/*.json", "clips.csv", "manifest.csv"])
def test_what_was_lost_is_made_again(whole: Path, tmp_path: Path, lost: str) -> None:
    for name in hash_files(whole):
        target = tmp_path / "set" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((whole / name).read_bytes())
    sorted((tmp_path / "set").glob(lost))[0].unlink()
    make(tmp_path / "set")
    assert hash_files(tmp_path / "set") == hash_files(whole)


def test_a_finished_set_is_left_alone(whole: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in whole.rglob("*.avi")}
    seen: list[int] = []
    make(whole, on_clip=lambda done, total: seen.append(done))
    assert seen == []
    assert {path: path.stat().st_mtime_ns for path in whole.rglob("*.avi")} == before


def test_another_set_in_the_folder_is_refused_unless_told(tmp_path: Path) -> None:
    make(tmp_path / "set", clips=3)
    before = hash_files(tmp_path / "set")
    for changes, named in (
        ({"seed": 4}, "another seed;"),
        ({"settings": change(duration_s=[1.0, 1.1])}, "another settings;"),
        ({"clips": 5}, "another clips;"),
        ({"codec": "h264"}, "another codec;"),
        ({"displacement": True}, "another displacement;"),
    ):
        with pytest.raises(OutputError, match=f"{named} choose another output or set overwrite=true"):
            make(tmp_path / "set", **{"clips": 3, **changes})
    assert hash_files(tmp_path / "set") == before


def test_overwrite_removes_only_what_a_run_writes(tmp_path: Path) -> None:
    make(tmp_path / "set", clips=3, displacement=True)
    mine = [
        tmp_path / "set" / name for name in ("notes.txt", "labels/p3s000_c0000.anna.json", "clips/mine.avi")
    ]
    for path in mine:
        path.write_text("mine")
    make(tmp_path / "set", clips=3, seed=4, codec="h264_lossless", overwrite=True)
    names = {path.name for path in (tmp_path / "set" / "clips").iterdir()}
    assert {name.rpartition(".")[2] for name in names - {"mine.avi"}} == {"mp4"}
    assert len(names) == 4
    assert len(list((tmp_path / "set" / "labels").glob("*.truth.json"))) == 3
    assert not list((tmp_path / "set" / "displacement").iterdir())
    assert all(path.read_text() == "mine" for path in mine)


def test_a_folder_with_something_else_is_never_touched(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("x")
    with pytest.raises(OutputError, match="not empty"):
        make(tmp_path, overwrite=True)
    with pytest.raises(OutputError, match="is a file"):
        make(tmp_path / "thesis.tex")
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("codec", "xvid"),
        ("device", "gpu"),
        ("workers", 0),
        ("workers", "two"),
        ("clips", 2),
        ("seed", -1),
        ("displacement", "maybe"),
        ("overwrite", "no"),
        ("frozen", "benchmark-999"),
    ],
)
def test_refuses_before_writing(tmp_path: Path, key: str, value: object) -> None:
    with pytest.raises(SettingError, match=f"{key}={value}"):
        make(tmp_path / "set", **{key: value})
    assert not (tmp_path / "set").exists()


def test_a_device_that_is_not_there_is_told_before_writing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(SettingError, match=r"device=cuda.* choose device=cpu"):
        make(tmp_path / "set", device="cuda")
    assert not (tmp_path / "set").exists()


def test_the_recipe_is_written(whole: Path) -> None:
    recipe = json.loads((whole / "phantom.json").read_text())
    assert recipe["seed"] == 3 and recipe["generator_version"] == generate.GENERATOR_VERSION
    assert PhantomSettings.from_mapping(recipe["settings"]) == TINY
    assert recipe["made_by"].startswith("fascnet ")


def test_displacement_files_come_when_asked(whole: Path, tmp_path: Path) -> None:
    make(tmp_path / "set", displacement=True)
    plain, moved = hash_files(whole), hash_files(tmp_path / "set")
    assert {name: moved[name] for name in plain if name != "phantom.json"} == {
        name: value for name, value in plain.items() if name != "phantom.json"
    }
    fields = sorted((tmp_path / "set" / "displacement").glob("*.npy"))
    assert [field.stem for field in fields] == sorted(row["clip_id"] for row in read_rows(whole))
    assert all(np.load(field, mmap_mode="r").shape == (20, 16, 16, 2) for field in fields)
    fields[0].unlink()
    make(tmp_path / "set", displacement=True)
    assert hash_files(tmp_path / "set") == moved


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_shares_reach_the_clips(tmp_path: Path, share: float) -> None:
    settings = change(**switch(share), duration_s=[1.5, 1.5], twitches={"clip_share": 1.0})
    # A long freeze may hide the only twitch.
    recording = replace(settings.recording, keyframe_period=(12, 20), freeze_s=(0.05, 0.1))
    settings = replace(settings, recording=recording)
    make(tmp_path / "set", clips=3, settings=settings)
    # Three short clips of a crowded screen may leave its finder unsure, which is no fault of the set.
    problems = check_data_set(tmp_path / "set", None)
    assert [problem for problem in problems if problem.kind != "unsure_area"] == []
    for row in read_rows(tmp_path / "set"):
        assert (row["screen"], row["lossy_codec"] != "") == (("yes", True) if share else ("no", False))
        assert (row["confounders"] == "") == (share == 0)
        if share:
            assert int(row["n_confounders"]) >= 12


def test_labels_lie_on_the_picture_wherever_the_screen_puts_it(tmp_path: Path) -> None:
    settings = change(recording={"screen_share": 1.0}, twitches={"clip_share": 1.0})
    make(tmp_path / "set", clips=3, settings=settings)
    labels = load_labels(tmp_path / "set" / "labels")
    shifted = 0
    for row in read_rows(tmp_path / "set"):
        x0, y0, x1, y1 = (int(edge) for edge in row["box"].split())
        shifted += x0 + y0 > 0
        for event in labels[row["clip_id"]]["truth"].fasciculations():
            points = np.array(event.region.points)  # type: ignore[union-attr]
            assert np.all(points.min(axis=0) >= (x0, y0))
            assert np.all(points.max(axis=0) <= (x1 - 1, y1 - 1))
    assert shifted


def freeze(folder: Path, root: Path, name: str) -> None:
    """Put a set into a package, as the maintainers' script does."""
    (folder / "frozen").mkdir()
    recipe = json.loads((root / "phantom.json").read_text())
    kept = {key: recipe[key] for key in frozen_set.RECIPE_KEYS}
    (folder / "frozen" / f"{name}.json").write_text(json.dumps(kept))
    with (folder / "frozen" / f"{name}.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, frozen_set.COLUMNS, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(read_rows(root))


def test_a_frozen_set_is_known_again(whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    freeze(tmp_path, whole, "tiny-1")
    monkeypatch.setattr(frozen_set, "files", lambda package: tmp_path)
    found = make(tmp_path / "set", frozen="tiny-1", codec="h264_lossless").comparison
    assert found is not None and found.is_sound
    assert found.identical == tuple(row["clip_id"] for row in read_rows(whole))
    scan = {**TINY.to_mapping()["scan"], "noise_db": [-40.0, -15.0]}
    with pytest.raises(SettingError, match=r"frozen=tiny-1: settings\.scan\.noise_db differ"):
        make(tmp_path / "other", frozen="tiny-1", settings=change(scan=scan))
    assert not (tmp_path / "other").exists()


def test_a_frozen_set_with_another_frame_is_not_the_same(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    freeze(tmp_path, whole, "tiny-1")
    monkeypatch.setattr(frozen_set, "files", lambda package: tmp_path)
    real = render_frames
    offsets = iter([0, 1, 30, 0])

    def render(scene: object, device: str) -> object:
        offset = next(offsets)
        for k, frame in enumerate(real(scene, device)):  # type: ignore[arg-type]
            changed = frame.copy()
            if k == 5:
                changed[0, 0] = (int(frame[0, 0]) + offset) % 256
            if offset == 30:
                changed = np.roll(changed, k, axis=1)
            yield changed

    monkeypatch.setattr(generate, "render_frames", render)
    found = make(tmp_path / "set", frozen="tiny-1").comparison
    assert found is not None and not found.is_sound
    ids = [row["clip_id"] for row in read_rows(whole)]
    assert found.rounded == (ids[1],) and found.different == (ids[2],)
    assert found.identical == (ids[0], ids[3]) and found.missing == ()


def test_needs_no_torch() -> None:
    code = "import sys, fascnet.phantom.generate, fascnet.commands.phantom; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, cwd=ROOT).returncode == 0
