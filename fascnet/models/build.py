"""Names of networks, as they stand in configs and model files, and what they build."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from fascnet.errors import SettingError
from fascnet.models.unet import FasciculationUNet

NETWORKS: dict[str, Callable[..., FasciculationUNet]] = {"fasciculation_unet": FasciculationUNet}


def build_network(name: str, arguments: Mapping[str, Any]) -> FasciculationUNet:
    """Build a network from its name and arguments.

    Raises:
        SettingError: the name is unknown or an argument does not fit.
    """
    if name not in NETWORKS:
        raise SettingError(f"there is no network '{name}'; choose one of: {', '.join(NETWORKS)}")
    try:
        return NETWORKS[name](**arguments)
    except (TypeError, ValueError) as error:
        raise SettingError(f"network {name}: {error}") from error


def understand_earlier(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of a model file of any version: what it does not say was another default then."""
    return {"global_motion": "shift", "blur_taps": 5, **arguments}


def complete_arguments(name: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return a network's arguments with those that were left out, as plain values that can be compared."""
    defaults = {key: p.default for key, p in inspect.signature(NETWORKS[name]).parameters.items()}
    merged = {**defaults, **arguments}
    return {key: list(v) if isinstance(v, list | tuple) else v for key, v in merged.items()}
