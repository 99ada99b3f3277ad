from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fascnet.data.clip_set.manifest import read_manifest, write_manifest
from fascnet.data.label_forms.clip_labels import ClipLabel, write_clip_labels
from fascnet.data.labelling.labels import write_labels
from fascnet.data.training_input.datamodule import FasciculationDataModule
from fascnet.data.training_input.dataset import WindowSettings
from fascnet.data.training_input.transforms import Augmentation
from fascnet.errors import LabelError, ManifestError, SettingError, SplitError
from fascnet.models.preprocessing import Preprocessor
from tests.data.tiny import make_labels, write_tiny_data

FRACTIONS = {"train": 0.6, "val": 0.2, "test": 0.2}


def make_data(root: Path, **changed: Any) -> FasciculationDataModule:
    settings: dict[str, Any] = {
        "root": root,
        "labels": None,
        "rater": None,
        "split_fractions": FRACTIONS,
        "preprocessor": Preprocessor(),
        "window": WindowSettings(n_ticks=16, size_px=32, warm_up_ticks=4),
        "augmentation": Augmentation(),
        "batch_size": 2,
        "windows_per_epoch": 6,
        "workers": 0,
        "cache_dir": None,
        "seed": 0,
        "folds": None,
        "fold": None,
    }
    return FasciculationDataModule(**{**settings, **changed})


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_tiny_data(tmp_path / "data", n_frames=30)


def set_splits(root: Path, *splits: str | None) -> None:
    clips = read_manifest(root)
    write_manifest(root, [replace(clip, split=split) for clip, split in zip(clips, splits, strict=True)])


def names(data: FasciculationDataModule) -> tuple[list[str], list[str]]:
    return [c.source.clip_id for c in data.train_clips], [c.source.clip_id for c in data.val_clips]


def test_reads_the_splits_of_the_manifest_and_leaves_the_test_split_alone(root: Path) -> None:
    (root / "c4.avi").write_bytes(b"never opened")
    data = make_data(root)
    data.setup()
    assert names(data) == (["c0", "c1"], ["c2", "c3"])
    data.setup("fit")
    assert names(data) == (["c0", "c1"], ["c2", "c3"])
    assert (root / ".fascnet-cache").is_dir()


def test_draws_splits_by_subject(root: Path) -> None:
    clips = read_manifest(root)
    write_manifest(
        root, [replace(c, split=None, subject_id="x" if i < 3 else c.subject_id) for i, c in enumerate(clips)]
    )
    drawn = []
    for seed in range(4):
        data = make_data(root, seed=seed)
        data.setup()
        train, val = ({c.source.subject_id for c in part} for part in (data.train_clips, data.val_clips))
        assert train and val and not train & val
        assert len({c.split for c in data.sources if c.subject_id == "x"}) == 1
        drawn.append(names(data))
        again = make_data(root, seed=seed)
        again.setup()
        assert names(again) == drawn[-1]
    assert len({str(d) for d in drawn}) > 1


def test_subjects_without_labels_take_no_place_of_a_split(root: Path) -> None:
    set_splits(root, *[None] * 5)
    for name in ("c0", "c1"):
        (root / "labels" / f"{name}.r.json").unlink()
    write_clip_labels(root / "labels", [ClipLabel("c1", "r", count=3, present=True)])
    for seed in range(4):
        data = make_data(root, seed=seed)
        data.setup()
        splits = {clip.clip_id: clip.split for clip in data.sources}
        assert (splits["c0"], splits["c1"]) == (None, None)
        assert sorted(f"{splits[name]}" for name in ("c2", "c3", "c4")) == ["test", "train", "val"]
    # What the run wrote, put into the manifest, gives the same run.
    write_manifest(root, data.sources)
    again = make_data(root, seed=99)
    again.setup()
    assert names(again) == names(data)


def test_a_labelled_clip_without_a_split_among_others_is_refused(root: Path) -> None:
    set_splits(root, "train", None, "val", "val", "test")
    with pytest.raises(SplitError, match="clip 'c1' has no split while others have"):
        make_data(root).setup()


def test_a_data_set_without_labels_is_refused(root: Path) -> None:
    set_splits(root, *[None] * 5)
    for path in (root / "labels").glob("*.json"):
        path.unlink()
    with pytest.raises(LabelError, match="no labels for any clip of the manifest"):
        make_data(root).setup()


def test_one_subject_in_two_splits_is_refused(root: Path) -> None:
    text = (root / "manifest.csv").read_text()
    (root / "manifest.csv").write_text(text.replace(",s1,", ",s2,"))
    with pytest.raises(SplitError, match="s2"):
        make_data(root).setup()


@pytest.mark.parametrize("empty", ["train", "val"])
def test_an_empty_split_is_refused(root: Path, empty: str) -> None:
    other = "val" if empty == "train" else "train"
    set_splits(root, other, other, other, other, "test")
    with pytest.raises(SplitError, match=f"split '{empty}' has no labelled clip"):
        make_data(root).setup()


def test_a_split_whose_clips_have_no_labels_is_refused(root: Path) -> None:
    for name in ("c2", "c3"):
        (root / "labels" / f"{name}.r.json").unlink()
    with pytest.raises(SplitError, match="split 'val' has no labelled clip"):
        make_data(root).setup()


def test_clips_without_labels_are_left_out_with_a_warning(
    root: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (root / "labels" / "c1.r.json").unlink()
    (root / "labels" / "c4.r.json").unlink()
    data = make_data(root)
    with caplog.at_level(logging.WARNING):
        data.setup()
    assert names(data) == (["c0"], ["c2", "c3"])
    (record,) = [r for r in caplog.records if r.name.startswith("fascnet")]
    assert "1 clip" in record.getMessage() and "c1" in record.getMessage()


def test_of_several_raters_one_must_be_chosen(root: Path) -> None:
    write_labels(root / "labels", make_labels("c0", 30, None, rater="other"))
    with pytest.raises(LabelError, match=r"clip c0 has labels of other, r; give data\.rater"):
        make_data(root).setup()
    data = make_data(root, rater="r")
    data.setup()
    assert len(data.train_clips[0].labels.events) == 1
    with pytest.raises(SplitError, match="val"):
        make_data(root, rater="other").setup()
    with pytest.raises(LabelError, match="no labels of rater 'nobody'"):
        make_data(root, rater="nobody").setup()


def test_labels_and_cache_may_lie_elsewhere(root: Path, tmp_path: Path) -> None:
    (root / "labels").rename(tmp_path / "mine")
    data = make_data(root, labels=tmp_path / "mine", cache_dir=tmp_path / "cache")
    data.setup()
    assert len(list((tmp_path / "cache").glob("*.frames.npy"))) == 4
    assert not (root / ".fascnet-cache").exists()


def test_a_missing_data_set_is_named(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=r"manifest\.csv"):
        make_data(tmp_path).setup()


def test_serves_windows_and_whole_clips(root: Path) -> None:
    data = make_data(root)
    data.setup()
    batches = list(data.train_dataloader())
    assert [tuple(batch["images"].shape) for batch in batches] == [(2, 16, 32, 32)] * 3
    assert list(data.val_dataloader()) == data.val_clips


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"batch_size": 0}, r"data\.batch_size is 0; give 1 or more"),
        ({"batch_size": -1}, r"data\.batch_size is -1"),
        ({"batch_size": 7}, r"data\.windows_per_epoch is 6; give 7 or more"),
        ({"workers": -1}, r"data\.workers is -1; give 0 or more"),
        ({"seed": -1}, r"data\.seed is -1"),
    ],
)
def test_settings_out_of_range_are_named(tmp_path: Path, wrong: dict[str, Any], told: str) -> None:
    with pytest.raises(SettingError, match=told):
        make_data(tmp_path, **wrong)


def test_a_round_of_cross_validation_gives_the_splits(root: Path, tmp_path: Path) -> None:
    subjects = sorted({clip.subject_id for clip in read_manifest(root) if clip.split != "test"})
    folds = tmp_path / "folds.csv"
    rows = [f"{subject},{1 + place % 3}" for place, subject in enumerate(subjects)]
    folds.write_text("\n".join(["subject_id,fold", *rows]) + "\n", encoding="utf-8")
    data = make_data(root, folds=folds, fold=2)
    data.setup()
    of_subject = {row.partition(",")[0]: int(row.rpartition(",")[2]) for row in rows}
    splits = {clip.subject_id: clip.split for clip in data.sources}
    assert splits == {s: {1: "train", 2: "test", 3: "val"}[fold] for s, fold in of_subject.items()}
    with pytest.raises(SplitError, match="fold=None"):
        make_data(root, folds=folds).setup()


def test_clips_that_are_only_called_absent_are_still_and_those_called_present_teach_nothing(
    root: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("c0", "c1"):
        (root / "labels" / f"{name}.r.json").unlink()
    write_clip_labels(
        root / "labels",
        [
            ClipLabel("c0", "r", present=False, examined_s=0.5),
            ClipLabel("c1", "r", count=3, present=True),
            ClipLabel("c2", "r", count=0, present=False),
            ClipLabel("c4", "r", present=False),
        ],
    )
    data = make_data(root)
    with caplog.at_level(logging.WARNING):
        data.setup()
    assert names(data) == (["c0"], ["c2", "c3"])
    assert data.train_clips[0].labels.examined == ((0.0, 0.5),) and not data.train_clips[0].labels.events
    assert data.val_clips[0].labels.events, "a label file goes before clip_labels.csv"
    assert "1 clips are only said to hold twitches" in caplog.text


def test_an_absent_clip_is_still_to_its_end(root: Path) -> None:
    (root / "labels" / "c0.r.json").unlink()
    write_clip_labels(root / "labels", [ClipLabel("c0", "r", present=False)])
    data = make_data(root)
    data.setup()
    assert data.train_clips[0].labels.examined == ((0.0, pytest.approx(1.0)),)


def test_times_without_a_place_want_windows_of_the_whole_image(
    root: Path, caplog: pytest.LogCaptureFixture
) -> None:
    labels = make_labels("c0", 30, range(18, 27))
    write_labels(root / "labels", replace(labels, events=(replace(labels.events[0], region=None),)))
    with caplog.at_level(logging.WARNING):
        make_data(root).setup()
    assert "1 clips have twitches without a place" in caplog.text and "window.size_px=64" in caplog.text
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        make_data(root, window=WindowSettings(n_ticks=16, size_px=64, warm_up_ticks=4)).setup()
    assert "without a place" not in caplog.text
