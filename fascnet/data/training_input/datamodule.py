"""The data of a training run: clips by split, prepared once, served as windows and as whole clips."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch import LightningDataModule
from torch.utils.data import DataLoader, Dataset

from fascnet.data.clip_set.folds import choose_round
from fascnet.data.clip_set.manifest import read_manifest
from fascnet.data.clip_set.splits import draw_splits
from fascnet.data.label_forms.clip_labels import ClipLabel, find_absent, list_labelled, read_clip_labels
from fascnet.data.labelling.labels import load_labels
from fascnet.data.recording.recordings import open_recording
from fascnet.data.training_input.dataset import Window, WindowDataset, WindowSampler, WindowSettings
from fascnet.data.training_input.motion_cache import MotionWindowDataset, measure_clip
from fascnet.data.training_input.sight import FirstSight, Sight
from fascnet.data.training_input.transforms import Augmentation, WindowAugmenter
from fascnet.data.training_input.working_clip import WorkingClip, prepare_clip
from fascnet.errors import LabelError, ManifestError, SettingError, SplitError
from fascnet.models.motion import MotionFrontEnd
from fascnet.models.preprocessing import Preprocessor
from fascnet.types import ClipSource, Labels

logger = logging.getLogger(__name__)


class FasciculationDataModule(LightningDataModule):
    """Reads a data set (contract 2.3), splits it by subject and serves it.

    Args:
        root: folder with `manifest.csv`, or several such folders, learnt from together.
        labels: folder with label files, one for each root; None = `root`/labels.
        rater: whose labels to learn from; None when each clip has just one.
        split_fractions: shares of the subjects that any rater labelled, where the manifest has no split.
        preprocessor: how recordings reach the working grid.
        window: shape of training windows.
        augmentation: how windows are varied; None for not at all.
        batch_size: windows per batch and process.
        windows_per_epoch: windows per epoch, over all processes.
        workers: processes that prepare windows; 0 = in this one.
        cache_dir: where prepared clips are kept; None = `root`/.fascnet-cache.
        seed: of splits and windows.
        folds: table of folds for cross-validation (`fascnet check folds=N`); None for the manifest's splits.
        fold: which fold is held out for testing, from 1; the next one chooses thresholds.
        motion_versions: variations of each clip whose motion is measured once, before training, which then
            takes half the time on a CPU; 0 = every window is varied and measured anew.

    Raises:
        SettingError: a number is out of its range.
    """

    def __init__(
        self,
        root: str | Path | Sequence[str],
        labels: str | Path | Sequence[str] | None,
        rater: str | None,
        split_fractions: Mapping[str, float],
        preprocessor: Preprocessor,
        window: WindowSettings,
        augmentation: Augmentation | None,
        batch_size: int,
        windows_per_epoch: int,
        workers: int,
        cache_dir: str | Path | None,
        seed: int,
        folds: str | Path | None = None,
        fold: int | None = None,
        motion_versions: int = 0,
    ) -> None:
        super().__init__()
        for name, value, least in (
            ("batch_size", batch_size, 1),
            ("windows_per_epoch", windows_per_epoch, batch_size),
            ("workers", workers, 0),
            ("seed", seed, 0),
            ("motion_versions", motion_versions, 0),
        ):
            if value < least:
                raise SettingError(f"data.{name} is {value}; give {least} or more")
        self.roots = _list_paths(root)
        self.labels_dirs = [r / "labels" for r in self.roots] if labels is None else _list_paths(labels)
        if not self.roots or len(self.roots) != len(self.labels_dirs):
            raise SettingError(
                f"data.root names {len(self.roots)} folders and data.labels {len(self.labels_dirs)}; "
                "give a folder of labels for each root, or leave data.labels out"
            )
        self.rater = rater
        self.split_fractions = dict(split_fractions)
        self.preprocessor = preprocessor
        self.window = window
        self.augmentation = augmentation
        self.batch_size = batch_size
        self.windows_per_epoch = windows_per_epoch
        self.workers = workers
        self.cache_dir = self.roots[0] / ".fascnet-cache" if cache_dir is None else Path(cache_dir)
        self.seed = seed
        self.folds, self.fold = folds, fold
        self.motion_versions = motion_versions
        self.sight: Sight = FirstSight(MotionFrontEnd())
        """Of the network that learns, which is not known here: set before the training clips are measured."""
        self.sources: list[ClipSource] = []
        self.train_clips: list[WorkingClip] = []
        self.val_clips: list[WorkingClip] = []

    def setup(self, stage: str | None = None) -> None:
        """Read, split and prepare the clips; once.

        Args:
            stage: `validate` leaves the training clips out, and does not ask for any; else all.

        Raises:
            ManifestError, LabelError, RecordingError, SplitError: the data set has a problem; `fascnet check`
            lists all.
        """
        if self.sources:
            return
        listed = self._list_clips()
        read = [(load_labels(folder), read_clip_labels(folder)) for folder in self.labels_dirs]
        if self.folds is None and self.fold is None:
            labelled = frozenset[str]().union(*(list_labelled(*one) for one in read))
            if labelled.isdisjoint(clip.clip_id for clip in listed):
                raise _make_no_labels_error(self.labels_dirs[0], self.rater)
            clips = draw_splits(listed, self.split_fractions, self.seed, labelled)
        else:
            clips = choose_round(listed, self.folds, self.fold)
        labels: dict[str, dict[str, Labels]] = {}
        for of_files, statements in read:
            labels |= add_absent_clips(clips, of_files, statements)
        chosen = choose_labels(clips, labels, self.rater, self.labels_dirs[0])
        unlabelled = [clip.clip_id for clip in clips if clip.clip_id not in chosen and clip.split != "test"]
        if unlabelled:
            logger.warning(
                "%d clips have no labels and are left out, first %s", len(unlabelled), unlabelled[0]
            )
        self.sources = clips
        for split, found in (("train", self.train_clips), ("val", self.val_clips)):
            if split == "train" and stage == "validate":
                continue
            sources = [clip for clip in clips if clip.split == split and clip.clip_id in chosen]
            if not sources:
                raise SplitError(
                    f"{self.roots[0]}: split '{split}' has no labelled clip; check the column split "
                    "(without one, splits are drawn over the subjects that any rater labelled)"
                )
            found += [prepare_clip(s, chosen[s.clip_id], self.preprocessor, self.cache_dir) for s in sources]
        warn_of_times(self.train_clips, self.window)

    def _list_clips(self) -> list[ClipSource]:
        """Read every root's manifest; a clip_id that two of them use would mix up their labels."""
        listed: dict[str, ClipSource] = {}
        for root in self.roots:
            for clip in read_manifest(root):
                if clip.clip_id in listed:
                    raise ManifestError(
                        f"{root}: clip_id {clip.clip_id} also stands in another root; rename it in one"
                    )
                listed[clip.clip_id] = clip
        return list(listed.values())

    def train_dataloader(self) -> DataLoader[Window]:
        """Serve windows."""
        sampler = WindowSampler(self.windows_per_epoch)
        if self.trainer is not None:
            sampler = WindowSampler(self.windows_per_epoch, self.trainer.global_rank, self.trainer.world_size)
            # Workers prepare the first windows of a resumed run before Lightning tells the sampler its epoch.
            epochs = self.trainer.fit_loop.epoch_progress.current
            sampler.set_epoch(epochs.processed)  # type: ignore[attr-defined] # typed as its base class
        return DataLoader(
            self._make_dataset(),
            batch_size=self.batch_size,
            sampler=sampler,
            num_workers=self.workers,
            persistent_workers=self.workers > 0,
            # A forked worker inherits the locks of OpenCV's and OpenMP's threads and may wait for ever.
            multiprocessing_context="spawn" if self.workers > 0 else None,
            drop_last=True,
        )

    def _make_dataset(self) -> Dataset[Window]:
        if self.motion_versions == 0:
            augmenter = WindowAugmenter(self.augmentation) if self.augmentation is not None else None
            return WindowDataset(self.train_clips, self.window, augmenter, self.seed)
        measured = [
            measure_clip(clip, version, self.augmentation, self.window, self.cache_dir, self.seed, self.sight)
            for version in range(self.motion_versions)
            for clip in self.train_clips
        ]
        return MotionWindowDataset(measured, self.window, self.augmentation, self.seed)

    def transfer_batch_to_device(self, batch: Any, device: torch.device, dataloader_idx: int) -> Any:
        """Move windows to the device; whole clips stay on disk and are read chunk by chunk."""
        if isinstance(batch, WorkingClip):
            return batch
        return super().transfer_batch_to_device(batch, device, dataloader_idx)

    def val_dataloader(self) -> DataLoader[Any]:
        """Serve whole clips, one at a time."""
        return DataLoader(self.val_clips, batch_size=None, collate_fn=None)  # type: ignore[arg-type]


def _list_paths(given: str | Path | Sequence[str]) -> list[Path]:
    return [Path(given)] if isinstance(given, str | Path) else [Path(one) for one in given]


def add_absent_clips(
    clips: Sequence[ClipSource],
    labels: Mapping[str, Mapping[str, Labels]],
    statements: Mapping[str, Mapping[str, ClipLabel]],
) -> dict[str, dict[str, Labels]]:
    """Add clips that `clip_labels.csv` calls free of twitches: all of their examined seconds are still.

    A clip that is only said to hold some trains nothing: no window is as long as the clip.

    Args:
        clips: the data set.
        labels: clip_id → rater → labels.
        statements: clip_id → rater → clip label.

    Raises:
        RecordingError: a recording whose length is needed cannot be read.
    """
    sources = {clip.clip_id: clip for clip in clips if clip.split != "test"}
    joined = {clip_id: dict(by_rater) for clip_id, by_rater in labels.items()}
    for one in find_absent(statements, labels):
        if one.clip_id in sources:
            end_s = one.examined_s if one.examined_s is not None else _measure_length(sources[one.clip_id])
            still = Labels(one.clip_id, one.rater, ((0.0, end_s),), ())
            joined.setdefault(one.clip_id, {})[one.rater] = still
    n_present = sum(clip_id in sources and clip_id not in joined for clip_id in statements)
    if n_present:
        logger.warning("%d clips are only said to hold twitches, not when: they train nothing", n_present)
    return joined


def _measure_length(clip: ClipSource) -> float:
    recording = open_recording(clip.path, fps=clip.fps, find_area=False)
    return float(recording.times_s[-1]) + 1.0 / recording.info.fps


def warn_of_times(clips: Sequence[WorkingClip], window: WindowSettings) -> None:
    """Say when events without a place train nothing because no window shows the whole image."""
    placeless = [clip for clip in clips if any(e.region is None for e in clip.labels.fasciculations())]
    sizes = [max(clip.grid.height, clip.grid.width) for clip in placeless]
    n_small = sum(size > window.size_px for size in sizes)
    if n_small:
        logger.warning(
            "%d clips have twitches without a place, which train only in windows that show the whole image; "
            "for all of them give data.window.size_px=%d",
            n_small,
            16 * math.ceil(max(sizes) / 16),
        )


def choose_labels(
    clips: Sequence[ClipSource], labels: Mapping[str, Mapping[str, Labels]], rater: str | None, folder: Path
) -> dict[str, Labels]:
    """Choose one rater's labels for each clip.

    Args:
        clips: the data set.
        labels: clip_id → rater → labels.
        rater: whose; None when no clip has more than one rater.
        folder: for messages.

    Raises:
        LabelError: several raters and none chosen, or the chosen one labelled nothing.
    """
    chosen: dict[str, Labels] = {}
    for clip in clips:
        of_clip = labels.get(clip.clip_id, {})
        if rater is not None:
            if rater in of_clip:
                chosen[clip.clip_id] = of_clip[rater]
        elif len(of_clip) > 1:
            raise LabelError(
                f"{folder}: clip {clip.clip_id} has labels of {', '.join(sorted(of_clip))}; give data.rater"
            )
        elif of_clip:
            chosen[clip.clip_id] = next(iter(of_clip.values()))
    if not chosen:
        raise _make_no_labels_error(folder, rater)
    return chosen


def _make_no_labels_error(folder: Path, rater: str | None) -> LabelError:
    whose = f" of rater '{rater}'" if rater is not None else ""
    return LabelError(
        f"{folder}: no labels{whose} for any clip of the manifest; check data.labels and data.rater"
    )
