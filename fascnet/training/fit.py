"""One training run, from data set to model file."""

from __future__ import annotations

import hashlib
import json
import logging
import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch import Trainer, seed_everything
from lightning.pytorch.callbacks import ModelCheckpoint, ProgressBar
from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger

from fascnet import __version__
from fascnet.data.clip_set.subject_hash import hash_subject
from fascnet.data.training_input.datamodule import FasciculationDataModule
from fascnet.errors import DeviceError, SettingError, SplitError
from fascnet.inference.model_file import ModelSpec, save_model
from fascnet.models.build import build_network, complete_arguments
from fascnet.models.unet import FasciculationUNet
from fascnet.training.callbacks import choose_progress
from fascnet.training.looks import LEARN, choose_first_look, choose_sight, pair_looks, refuse_to_learn_again
from fascnet.training.losses import LossSettings
from fascnet.training.module import FasciculationModule, OptimizerSettings
from fascnet.training.run_folder import (
    CHECKPOINT_FILE,
    LOGS,
    MODEL_FILE,
    EarlierMetrics,
    find_checkpoint,
    start_folder,
    write_splits,
)
from fascnet.training.start import Start, join, load_start
from fascnet.training.tuning import tune_looks

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class TrainerSettings:
    """Where and how long training runs.

    Attributes:
        accelerator: `cpu` or `gpu`.
        devices: how many of them, from 1.
        strategy: `auto` for one device, `ddp` for several.
        precision: `32-true` or `bf16-mixed`.
        epochs: passes of `data.windows_per_epoch` windows; 0 trains nothing and chooses event definition,
            calibration and operating point of the model in `init` anew.
        max_minutes: wall clock after which training ends, or None; a run cut by it is not reproducible.
        validate_every: epochs between validations, from 1.
        threads: CPU threads for torch, or None for torch's choice.
    """

    accelerator: str = "cpu"
    devices: int = 1
    strategy: str = "auto"
    precision: str = "32-true"
    epochs: int = 20
    max_minutes: float | None = None
    validate_every: int = 1
    threads: int | None = None

    def __post_init__(self) -> None:
        if self.accelerator not in {"cpu", "gpu"}:
            raise SettingError(f"trainer.accelerator is '{self.accelerator}'; give cpu or gpu")
        if self.precision not in {"32-true", "bf16-mixed"}:
            raise SettingError(f"trainer.precision is '{self.precision}'; give 32-true or bf16-mixed")
        for name, least in (("devices", 1), ("epochs", 0), ("validate_every", 1)):
            if getattr(self, name) < least:
                raise SettingError(f"trainer.{name} is {getattr(self, name)}; give {least} or more")
        if self.max_minutes is not None and not self.max_minutes > 0:
            raise SettingError(f"trainer.max_minutes is {self.max_minutes}; give more than 0, or null")
        if self.threads is not None and self.threads < 1:
            raise SettingError(f"trainer.threads is {self.threads}; give 1 or more, or null")
        if self.strategy not in {"auto", "ddp"}:
            raise SettingError(f"trainer.strategy is '{self.strategy}'; give auto or ddp")


def train_network(
    output: Path,
    data: FasciculationDataModule,
    network: Mapping[str, Any],
    loss: LossSettings,
    optimizer: OptimizerSettings,
    trainer: TrainerSettings,
    seed: int,
    name: str,
    init: str | Sequence[str] | None,
    second_look: bool | str,
    modes: int | None,
    resume: bool,
    overwrite: bool,
    config: Mapping[str, Any],
) -> Path:
    """Train a network and write its run folder.

    The folder holds `model.safetensors` (all that prediction needs), `config.json`, `splits.csv`, `logs/`
    (CSV and TensorBoard) and `checkpoints/last.ckpt` (all that resuming needs).

    Args:
        output: run folder.
        data: what to learn from.
        network: `name` and `arguments` for `build_network`.
        loss: weights of the loss.
        optimizer: learning rate and its schedule.
        trainer: where and how long.
        seed: of weights, splits and windows; 0 seeds like any other.
        name: what the model is called in tables.
        init: model file whose weights to start from, `packaged` for the one in the package, several to start
            from the mean of (`load_start`), or None.
        second_look: whether the model is to look at clips twice; one that started from such a model does.
            `learn`: it is, and what learns is not the first look, which stays that of `init`, but weights of
            their own that judge in the second, from what is seen in it.
        modes: fields that the second look takes away, 1-16; None: as many as `init` does, or `N_MODES`.
        resume: go on from the checkpoint of a run that was stopped, to the same result.
        overwrite: start anew in a folder that already holds a run.
        config: the resolved configuration, kept with the run and in the model file.

    Returns:
        The model file.

    Raises:
        OutputError: the folder holds a run, or cannot be written.
        SettingError: what is resumed was started with another configuration; `init` is another network.
        ModelFileError: `init` cannot be read.
        DeviceError: more GPUs were asked for than there are.
        KeyboardInterrupt: training was stopped by Ctrl+C; the message says how to go on.
    """
    _refuse_missing_device(trainer)
    steps = data.windows_per_epoch // (data.batch_size * trainer.devices)
    if trainer.epochs == 0 and init is None:
        raise SettingError("trainer.epochs=0 trains nothing; give init=FILE, whose thresholds to choose anew")
    if second_look == LEARN:
        refuse_to_learn_again(init is not None, trainer.epochs, data.motion_versions)
    if steps == 0:
        least = f"data.batch_size x trainer.devices, {data.batch_size * trainer.devices}"
        raise SettingError(f"data.windows_per_epoch is {data.windows_per_epoch}; give at least {least}")
    checkpoint = find_checkpoint(output, config, resume, overwrite)
    _settle_process(trainer.threads)
    seed_everything(seed, workers=True, verbose=False)
    built = build_network(network["name"], network["arguments"])
    earlier = None if init is None else load_start(init, network, built, data.preprocessor)
    first = None
    if earlier is not None and second_look == LEARN:
        first = choose_first_look(built, earlier, modes)
    data.sight = choose_sight(built, first, data.preprocessor, () if earlier is None else earlier.sha256)
    data.setup("fit" if trainer.epochs else "validate")
    _refuse_without_twitches(data)
    if earlier is not None:
        _warn_of_learned_subjects(data, earlier)
    # Not before everything that can be refused: a folder that holds a run is not used again.
    if checkpoint is None:
        start_folder(output, config)
    write_splits(output, data.sources)
    module = FasciculationModule(built, loss, optimizer, trainer.max_minutes, first)
    progress = choose_progress()
    fitting = Trainer(
        accelerator=trainer.accelerator,
        devices=trainer.devices,
        strategy=trainer.strategy,
        precision=trainer.precision,  # type: ignore[arg-type]
        max_epochs=trainer.epochs,
        check_val_every_n_epoch=trainer.validate_every,
        gradient_clip_val=optimizer.clip_norm,
        logger=[
            CSVLogger(output, name=LOGS, version=""),
            TensorBoardLogger(output, name=LOGS, version=""),
        ],
        callbacks=[
            ModelCheckpoint(
                (output / CHECKPOINT_FILE).parent,
                filename=Path(CHECKPOINT_FILE).stem,
                save_top_k=1,
                enable_version_counter=False,
                save_on_train_epoch_end=True,
            ),
            EarlierMetrics(output, resumes=checkpoint is not None),
            progress,
        ],
        num_sanity_val_steps=0,
        log_every_n_steps=min(10, steps),
        use_distributed_sampler=False,
        deterministic="warn" if trainer.accelerator == "gpu" else True,
        enable_model_summary=False,
        # Without this Lightning adds a bar of its own beside the plain lines.
        enable_progress_bar=isinstance(progress, ProgressBar),
    )
    try:
        if trainer.epochs:
            fitting.fit(
                module,
                datamodule=data,
                ckpt_path=str(checkpoint) if checkpoint is not None else None,
                weights_only=True,
            )
    except SystemExit as stop:
        # Lightning makes an exit of its own of Ctrl+C, with a code that means something else here.
        raise KeyboardInterrupt(f"{output}: training was stopped; go on with resume=true") from stop
    path = output / MODEL_FILE
    if fitting.is_global_zero:
        looks = pair_looks(module.network, first, network, earlier)
        spec = _describe_model(
            module,
            looks,
            data,
            network,
            trainer,
            seed,
            name,
            config,
            fitting.global_step,
            earlier,
            second_look,
            modes,
        )
        save_model(path, looks[0], spec, looks[1])
    return path


def _settle_process(threads: int | None) -> None:
    """Choose the threads, and let Lightning say only what a user can do something about."""
    if threads is not None:
        torch.set_num_threads(threads)
    for noisy in ("lightning.pytorch", "lightning.fabric"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    # True of every resumed run; the rows that the first would delete are kept by EarlierMetrics.
    for harmless in ("Experiment logs directory", "Checkpoint directory"):
        warnings.filterwarnings("ignore", message=f"{harmless} .* exists and is not empty")


def _refuse_missing_device(trainer: TrainerSettings) -> None:
    if trainer.accelerator == "gpu" and not torch.cuda.is_available():
        raise DeviceError(
            "trainer=gpu, but torch finds no CUDA device; check the driver (nvidia-smi), or use trainer=cpu"
        )
    if trainer.accelerator == "gpu" and trainer.devices > torch.cuda.device_count():
        raise DeviceError(
            f"trainer.devices={trainer.devices}, but there are {torch.cuda.device_count()}; give fewer"
        )


def _refuse_without_twitches(data: FasciculationDataModule) -> None:
    """Refuse validation clips that cannot say what makes an event: every one that is found would be false.

    Raises:
        SplitError: no validation clip holds a fasciculation.
    """
    if not any(clip.labels.fasciculations() for clip in data.val_clips):
        raise SplitError(
            f"split 'val': none of its {len(data.val_clips)} clips holds a labelled fasciculation, and the "
            "thresholds are chosen on them; put subjects with fasciculations into `val` (column split of the "
            "manifest, or another seed)"
        )


def _warn_of_learned_subjects(data: FasciculationDataModule, earlier: Start) -> None:
    """Say so when thresholds would be chosen on subjects whom the network has learned by heart."""
    chosen_on = {clip.source.subject_id for clip in data.val_clips}
    learned = {hash_subject(subject, earlier.salt) for subject in chosen_on} & set(
        earlier.training_subjects_sha256
    )
    if learned:
        logger.warning(
            "%d of %d validation subjects were trained on by the model of init: thresholds and calibration "
            "will be too sure; give the split of that run (its splits.csv) in the manifest",
            len(learned),
            len(chosen_on),
        )


def _draw_salt(seed: int, subjects: Sequence[str], config: Mapping[str, Any]) -> str:
    """Draw the salt of a training from all that makes it: another training of these subjects has another."""
    made_of = json.dumps([seed, list(subjects), _without_paths(config)], sort_keys=True, default=str)
    return hashlib.sha256(made_of.encode()).hexdigest()[:16]


def _describe_model(
    module: FasciculationModule,
    looks: tuple[FasciculationUNet, FasciculationUNet | None],
    data: FasciculationDataModule,
    network: Mapping[str, Any],
    trainer: TrainerSettings,
    seed: int,
    name: str,
    config: Mapping[str, Any],
    steps: int,
    earlier: Start | None,
    second_look: bool | str,
    modes: int | None,
) -> ModelSpec:
    """Choose event definition and calibration on validation clips, and write everything down."""
    device = torch.device("cuda") if trainer.accelerator == "gpu" else torch.device("cpu")
    first, again = looks[0].to(device), None if looks[1] is None else looks[1].to(device)
    tuning = tune_looks(
        first,
        data.val_clips,
        device,
        earlier,
        second_look=bool(second_look),
        trained=trainer.epochs > 0 and module.first is None,
        n_modes=modes,
        again=again,
    )
    trained_on = sorted({clip.source.subject_id for clip in data.train_clips})
    tuned_on = sorted({clip.source.subject_id for clip in data.val_clips})
    subjects = sorted({*trained_on, *tuned_on})
    # Drawn from the data, not from the clock: the same run writes the same file. A model that starts from
    # another keeps its salt, because whom that one has seen is known as hashes only.
    salt = _draw_salt(seed, subjects, config) if earlier is None else earlier.salt
    seen = () if earlier is None else earlier.subjects_sha256
    seen_in_training = () if earlier is None else earlier.training_subjects_sha256
    p = data.preprocessor
    return ModelSpec(
        network=network["name"],
        # What it does not say would be another default in a later version.
        network_args=complete_arguments(network["name"], network["arguments"]),
        preprocessing={
            "pitch_mm": p.pitch_mm,
            "rate_hz": p.rate_hz,
            "assumed_mm_per_px": p.assumed_mm_per_px,
        },
        window=asdict(data.window),
        event_definition=tuning.definition,
        second_look=tuning.second_look,
        calibration=tuning.calibration,
        operating_point=tuning.operating_point,
        subjects_sha256=join(seen, (hash_subject(subject, salt) for subject in subjects)),
        salt=salt,
        training_subjects_sha256=join(
            seen_in_training, (hash_subject(subject, salt) for subject in trained_on)
        ),
        tuning_subjects_sha256=tuple(hash_subject(subject, salt) for subject in tuned_on),
        tuned_on=f"{len(data.val_clips)} validation clips of {len(tuned_on)} subjects",
        metrics={
            "on": "validation clips, also used to choose thresholds and calibration",
            **_drop_nan(tuning.figures),
        },
        training={
            "steps": steps,
            "minutes": round(module.minutes_used, 2) if trainer.max_minutes is not None else None,
            "clips": {"train": len(data.train_clips), "val": len(data.val_clips)},
            "subjects": len(subjects),
            "started_from": None if earlier is None else list(earlier.sha256),
            "config": _without_paths(config),
        },
        name=name,
        fascnet_version=__version__,
    )


def _drop_nan(figures: Mapping[str, float]) -> dict[str, float | None]:
    return {key: None if math.isnan(value) else round(value, 4) for key, value in figures.items()}


def _without_paths(config: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out where things lay and who labelled them: it may name people."""
    kept = {
        key: value for key, value in config.items() if key not in {"output", "init", "resume", "overwrite"}
    }
    private = {"root", "labels", "rater", "cache_dir", "folds"}
    data = {key: value for key, value in config["data"].items() if key not in private}
    return {**kept, "data": data}
