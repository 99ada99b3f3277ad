"""Classical detectors by name: whatever has a file in `configs/detector/`, besides the network."""

from __future__ import annotations

from typing import Any

from fascnet.commands.config import compose_config, find_config_dir, instantiate_node
from fascnet.errors import SettingError

_NO_BASELINE = "network"


def list_baselines() -> list[str]:
    """List the names that `baselines=[…]` takes."""
    names = (path.stem for path in (find_config_dir() / "detector").glob("*.yaml"))
    return sorted(name for name in names if name != _NO_BASELINE)


def build_baseline(name: str) -> Any:
    """Build a baseline with the settings of its file.

    Raises:
        SettingError: there is no such baseline.
    """
    known = list_baselines()
    if name not in known:
        raise SettingError(f"there is no baseline '{name}'; choose from {', '.join(known)}")
    # Composed as `fascnet predict detector=NAME` does it, so that both run the same detector.
    config = compose_config("predict", ["input=none", "output=none", f"detector={name}"])
    return instantiate_node(config["detector"], f"detector={name}")
