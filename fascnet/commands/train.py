"""`fascnet train`: trains a network on labelled clips."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fascnet.commands.config import instantiate_node
from fascnet.commands.whole_numbers import check_whole
from fascnet.errors import SettingError


def run(config: dict[str, Any]) -> int:
    """Train, and say where the model file is.

    Args:
        config: `configs/train.yaml`, resolved.

    Raises:
        FascnetError: a wrong setting, data set, device or output.
    """
    from fascnet.inference.model_file import load_model  # noqa: PLC0415 - `--help` must be instant
    from fascnet.training.fit import train_network  # noqa: PLC0415
    from fascnet.training.run_folder import is_first_process  # noqa: PLC0415

    _check_settings(config)
    path = train_network(
        output=Path(config["output"]),
        data=instantiate_node(config["data"], "data"),
        network=config["network"],
        loss=instantiate_node(config["loss"], "loss"),
        optimizer=instantiate_node(config["optimizer"], "optimizer"),
        trainer=instantiate_node(config["trainer"], "trainer"),
        seed=config["seed"],
        name=config["name"],
        init=config["init"],
        second_look=config["second_look"],
        modes=config["modes"],
        resume=config["resume"],
        overwrite=config["overwrite"],
        config=config,
    )
    if is_first_process():
        figures = load_model(path).spec.metrics
        shown = [f"{key} {value:.3f}" for key, value in figures.items() if isinstance(value, float)]
        print(f"{path}: validation {', '.join(shown)}")
    return 0


def _check_settings(config: dict[str, Any]) -> None:
    check_whole("train: seed", config["seed"], 0, 2**32 - 1)
    if config["modes"] is not None:
        check_whole("train: modes", config["modes"], 1, 16)
    for key in ("resume", "overwrite"):
        if not isinstance(config[key], bool):
            raise SettingError(f"train: {key}={config[key]} must be true or false")
    if not isinstance(config["second_look"], bool) and config["second_look"] != "learn":
        raise SettingError(f"train: second_look={config['second_look']} must be true, false or learn")
    for key in ("output", "name"):
        if not isinstance(config[key], str) or not config[key]:
            raise SettingError(f"train: {key}={config[key]} must be text")
    init = config["init"]
    names = init if isinstance(init, list) and init else [init]
    if init is not None and not all(isinstance(name, str) for name in names):
        raise SettingError(
            f"train: init={init} must be a model file, packaged, fast, a list of such, or null"
        )
    network = config["network"]
    if not isinstance(network, dict) or set(network) != {"name", "arguments"}:
        raise SettingError("train: network needs the keys network.name and network.arguments, and no others")
    if not isinstance(network["name"], str) or not isinstance(network["arguments"], dict):
        raise SettingError("train: network.name must be text, network.arguments must be keys with values")
