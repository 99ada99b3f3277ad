"""What is in a model file: weights and everything prediction needs, in one safetensors file without any code.

The specification is JSON in the file's header, under the key `fascnet`. Loading needs neither Hydra,
Lightning, configs nor data.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from importlib.resources import files
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from fascnet import __version__
from fascnet.data.whole_file import write_whole
from fascnet.errors import ModelFileError, SettingError
from fascnet.inference.events import EventFinder
from fascnet.inference.second_look import NOTICED, SecondLook
from fascnet.models.build import build_network, understand_earlier
from fascnet.models.preprocessing import Preprocessor
from fascnet.models.unet import FasciculationUNet
from fascnet.types import ClipCalibration, EventDefinition

FORMAT = "fascnet-model/1"
HEADER_KEY = "fascnet"


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """Everything about a model but its weights.

    Attributes:
        network: name in `models.build.NETWORKS`.
        network_args: its arguments.
        preprocessing: arguments of `Preprocessor`.
        window: shape of the windows that it was trained on.
        event_definition: the numbers that turn its heatmaps into events, chosen on validation clips.
        second_look: what looking at a clip twice needs to know; None: its heatmaps come from one look.
        calibration: turns its pooled clip logit into a probability, fitted on validation clips.
        operating_point: `clip_threshold`, the score from which a clip counts as positive, with the
            specificity asked for and what it gave on validation clips; empty: none was chosen.
        subjects_sha256: `hash_subject` of every subject it has seen, in training or validation.
        salt: of those hashes.
        training_subjects_sha256: those of them whose clips the weights were fitted on; empty: not told apart.
        tuning_subjects_sha256: those that event definition and calibration were chosen on; likewise.
        tuned_on: the same in words.
        metrics: figures on validation clips, with the rule they follow.
        training: how it was trained: resolved configuration, data, steps.
        name: what to call it.
        fascnet_version: version that wrote it.
    """

    network: str
    network_args: dict[str, Any]
    preprocessing: dict[str, float]
    event_definition: EventDefinition
    calibration: ClipCalibration
    operating_point: dict[str, float | int | None] = field(default_factory=dict)
    second_look: SecondLook | None = None
    window: dict[str, Any] = field(default_factory=dict)
    subjects_sha256: tuple[str, ...] = ()
    salt: str = ""
    training_subjects_sha256: tuple[str, ...] = ()
    tuning_subjects_sha256: tuple[str, ...] = ()
    tuned_on: str = ""
    metrics: dict[str, Any] = field(default_factory=dict)
    training: dict[str, Any] = field(default_factory=dict)
    name: str = "network"
    fascnet_version: str = __version__


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """A loaded model.

    Attributes:
        spec: its specification.
        network: in evaluation mode, on the CPU.
        sha256: hash of the file.
        path: the file.
        again: the one that judges in the second look, likewise; None: `network` does, or there is none.
    """

    spec: ModelSpec
    network: FasciculationUNet
    sha256: str
    path: Path
    again: FasciculationUNet | None = None


PACKAGED = {"packaged": "model.safetensors", "fast": "fast.safetensors"}
"""Names of the models that come with the package: the one that is used when no other is given, and the same
network that looks at clips only once."""


def find_model(model: str | None = None) -> Path:
    """Return the file of a model: of one in the package by its name in `PACKAGED`, else the path that it is.

    Args:
        model: name or path; None is `packaged`.
    """
    if model is None:
        model = "packaged"
    name = PACKAGED.get(model)
    return Path(model) if name is None else Path(str(files("fascnet") / "weights" / name))


EARLIER_N_MODES = 2
"""What files that say nothing of it mean."""

AGAIN = "again."
"""Prefix of the weights that judge in the second look."""


def save_model(
    path: Path, network: FasciculationUNet, spec: ModelSpec, again: FasciculationUNet | None = None
) -> Path:
    """Write a model file, whole or not at all.

    Args:
        path: the file.
        network: its weights.
        spec: everything else.
        again: the network that judges in the second look, where it is another.

    Raises:
        OutputError: the file cannot be written.
    """
    tensors = _list_tensors(network)
    if again is not None:
        tensors |= {AGAIN + name: tensor for name, tensor in _list_tensors(again).items()}
    described = asdict(spec)
    if spec.second_look is None:
        # Files of models that look once stay readable for versions that know nothing else.
        del described["second_look"]
    header = {HEADER_KEY: json.dumps({"format": FORMAT, **described}, sort_keys=True, allow_nan=False)}
    with write_whole(path) as beside:
        # Not save_file: it makes files that nobody else may read.
        beside.write_bytes(save(tensors, metadata=header))
    return path


def load_model(path: Path) -> Model:
    """Load a model file.

    Raises:
        ModelFileError: it is missing, damaged, no fascnet model, or of another format version.
    """
    if not path.is_file():
        raise ModelFileError(f"{path}: there is no such model file; check its path")
    try:
        with safe_open(path, framework="pt") as file:
            header = (file.metadata() or {}).get(HEADER_KEY)
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
    except (SafetensorError, OSError) as error:
        raise ModelFileError(
            f"{path}: not a model file, or damaged ({error}); copy or train it again"
        ) from error
    if header is None:
        raise ModelFileError(f"{path}: weights of something else; a fascnet model file says so in its header")
    spec = _read_spec(path, header)
    try:
        network = build_network(spec.network, spec.network_args)
        Preprocessor(**spec.preprocessing)
        for definition in _list_definitions(spec):
            EventFinder(definition, fps=30.0, shape=(1, 1), box=(0, 0, 1, 1))
        network.load_state_dict(_choose_tensors(tensors, ""), strict=True)
        again = None
        if any(name.startswith(AGAIN) for name in tensors):
            again = build_network(spec.network, spec.network_args)
            again.load_state_dict(_choose_tensors(tensors, AGAIN), strict=True)
    except (SettingError, TypeError, RuntimeError) as error:
        raise ModelFileError(
            f"{path}: {str(error).splitlines()[0]}; was it written by a newer fascnet?"
        ) from error
    broken = [name for name, tensor in tensors.items() if not tensor.isfinite().all()]
    if broken:
        raise ModelFileError(f"{path}: {broken[0]} holds something that is no number; copy or train it again")
    for each in (network, again):
        if each is not None:
            each.eval().requires_grad_(False).to(memory_format=torch.channels_last)
    return Model(spec, network, hashlib.sha256(path.read_bytes()).hexdigest(), path, again)


def _list_tensors(network: FasciculationUNet) -> dict[str, torch.Tensor]:
    return {name: value.detach().cpu().contiguous() for name, value in network.state_dict().items()}


def _choose_tensors(tensors: Mapping[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    """Return those of one network, under its own names."""
    return {
        name.removeprefix(prefix): tensor
        for name, tensor in tensors.items()
        if name.startswith(AGAIN) == bool(prefix)
    }


def _list_definitions(spec: ModelSpec) -> list[EventDefinition]:
    second = [] if spec.second_look is None else [spec.second_look.definition]
    return [spec.event_definition, *second]


def _read_spec(path: Path, header: str) -> ModelSpec:
    """Parse and check the specification."""
    try:
        raw: Mapping[str, Any] = json.loads(header)
        if raw.get("format") != FORMAT:
            raise ModelFileError(f"{path}: format {raw.get('format')!r}; this fascnet reads {FORMAT!r}")
        known = {f.name for f in fields(ModelSpec)}
        values = {key: value for key, value in raw.items() if key in known}
        values["network_args"] = understand_earlier(raw["network_args"])
        values["event_definition"] = EventDefinition(**raw["event_definition"])
        values["calibration"] = ClipCalibration(**raw["calibration"])
        if raw.get("second_look") is not None:
            second = raw["second_look"]
            values["second_look"] = SecondLook(
                EventDefinition(**second["definition"]),
                ClipCalibration(**second["calibration"]),
                second.get("noticed", NOTICED),
                second.get("n_modes", EARLIER_N_MODES),
            )
        values["subjects_sha256"] = tuple(raw["subjects_sha256"])
        for key in ("training_subjects_sha256", "tuning_subjects_sha256"):
            values[key] = tuple(raw.get(key, ()))
        spec = ModelSpec(**values)
        numbers = [n for each in _list_definitions(spec) for n in asdict(each).values()]
        numbers += asdict(spec.calibration).values()
        if spec.second_look is not None:
            second_look = spec.second_look
            numbers += [*asdict(second_look.calibration).values(), second_look.noticed, second_look.n_modes]
        if "clip_threshold" in spec.operating_point:
            numbers.append(spec.operating_point["clip_threshold"])
    except (json.JSONDecodeError, RecursionError, AttributeError, KeyError, TypeError, SettingError) as error:
        raise ModelFileError(
            f"{path}: its specification is damaged ({error}); copy or train it again"
        ) from error
    # NaN compares as False; seconds, probabilities and slopes beyond the bound are damage.
    if not all(type(n) in {int, float} and abs(n) < 1e9 for n in numbers):
        raise ModelFileError(
            f"{path}: its event definition, calibration or operating point holds something that is no number"
        )
    return spec
