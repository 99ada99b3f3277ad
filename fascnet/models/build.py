"""Names of networks, as they stand in configs and model files, and what they build."""

from __future__ import annotations

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
