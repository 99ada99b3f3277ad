"""Weights to start from: those of one model, or the mean of several that came from one another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from fascnet.errors import SettingError
from fascnet.inference.model_file import find_model, load_model
from fascnet.inference.second_look import SecondLook
from fascnet.models.build import complete_arguments
from fascnet.models.preprocessing import Preprocessor
from fascnet.models.unet import FasciculationUNet
from fascnet.types import ClipCalibration, EventDefinition


@dataclass(frozen=True, slots=True)
class Start:
    """What a network knew before this training.

    Attributes:
        sha256: of the model files.
        salt: of their subjects' hashes.
        subjects_sha256: whom they have seen at all.
        training_subjects_sha256: whom they have learned from.
        definition: what makes an event, of the first of them.
        second_look: of it, None where it looks once.
        again: weights that judge in the second look, the mean of theirs; None where none of them has any.
        calibration: of its clip scores.
        operating_point: of it.
    """

    sha256: tuple[str, ...]
    salt: str
    subjects_sha256: tuple[str, ...]
    training_subjects_sha256: tuple[str, ...]
    definition: EventDefinition
    calibration: ClipCalibration
    operating_point: Mapping[str, float | int | None]
    second_look: SecondLook | None = None
    again: Mapping[str, torch.Tensor] | None = None


def load_start(
    init: str | Sequence[str],
    network: Mapping[str, Any],
    built: FasciculationUNet,
    preprocessor: Preprocessor,
) -> Start:
    """Load the weights to start from into a network of the same name and arguments.

    What the front end takes for global motion may differ: a network learns to see with another one quickly.

    The mean of the weights after several stages of one training is often better than any of them (Wortsman et
    al. 2022, "Model soups"): what one stage forgot another still knows. That holds only for networks that
    came from one another; the mean of strangers is noise, and the salt of their subjects tells them apart.

    Args:
        init: what `find_model` takes, or several of them.
        network: `name` and `arguments` of `built`.
        built: the network; its weights are replaced.
        preprocessor: what the network is to be shown; the models must have learned from the same.

    Raises:
        SettingError: a model is of another network or another grid, or of another training than the first.
        ModelFileError: a file cannot be read.
    """
    names = [init] if isinstance(init, str) else list(init)
    models = [load_model(find_model(name)) for name in names]
    wanted = _list_weighted(network["name"], network["arguments"])
    for name, model in zip(names, models, strict=True):
        given = _list_weighted(model.spec.network, model.spec.network_args)
        if (model.spec.network, given) != (network["name"], wanted):
            raise SettingError(
                f"init={name} is a {model.spec.network} with {dict(model.spec.network_args)}; "
                "choose the network that it was trained as, or leave init out"
            )
        seen = Preprocessor(**model.spec.preprocessing)
        for key, learned, asked in (
            ("pitch_mm", seen.pitch_mm, preprocessor.pitch_mm),
            ("rate_hz", seen.rate_hz, preprocessor.rate_hz),
        ):
            if learned != asked:
                raise SettingError(
                    f"init={name} learned from {key}={learned:g}, and data.preprocessor.{key} is {asked:g}; "
                    "give it what it learned from, or leave init out"
                )
        if model.spec.salt != models[0].spec.salt:
            raise SettingError(
                f"init: {name} and {names[0]} come from different trainings, and the mean of their weights "
                "is no network; give models that were started from one another"
            )
    built.load_state_dict(_average([model.network for model in models]))
    # Where a model has none for the second look, those of its first are used in both.
    again = [model.again or model.network for model in models]
    specs = [model.spec for model in models]
    return Start(
        tuple(model.sha256 for model in models),
        specs[0].salt,
        join(*(spec.subjects_sha256 for spec in specs)),
        join(*(spec.training_subjects_sha256 for spec in specs)),
        specs[0].event_definition,
        specs[0].calibration,
        specs[0].operating_point,
        specs[0].second_look,
        _average(again) if any(model.again is not None for model in models) else None,
    )


def _list_weighted(name: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments that weights depend on; the motion front end has none, and may be another."""
    return {
        key: value
        for key, value in complete_arguments(name, arguments).items()
        if key not in {"global_motion", "blur_taps"}
    }


def join(*groups: Iterable[str]) -> tuple[str, ...]:
    """Return what is in any of the groups, each once, in order."""
    return tuple(dict.fromkeys(item for group in groups for item in group))


def _average(networks: Sequence[FasciculationUNet]) -> dict[str, torch.Tensor]:
    """Return the mean of each tensor, those of the statistics of batch normalisation among them."""
    states = [network.state_dict() for network in networks]
    means = {key: torch.stack([s[key].double() for s in states]).mean(dim=0) for key in states[0]}
    return {key: mean.to(states[0][key].dtype) for key, mean in means.items()}
