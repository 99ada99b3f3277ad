"""Tiny training runs, as the command makes them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fascnet.training.fit import TrainerSettings, train_network
from fascnet.training.losses import LossSettings
from fascnet.training.module import OptimizerSettings
from tests.data.training_input.test_datamodule import make_data

NETWORK = {
    "name": "fasciculation_unet",
    "arguments": {"widths": [4, 6], "look_ahead": 2, "dilations": [1, 1]},
}


def train(
    root: Path, output: Path, seed: int = 0, data: dict[str, Any] | None = None, **changed: Any
) -> Path:
    """Train two epochs of three steps; `changed` are `TrainerSettings`, or flags of `train_network`."""
    flags = {key: changed.pop(key, False) for key in ("resume", "overwrite", "second_look")}
    init, modes = changed.pop("init", None), changed.pop("modes", None)
    settings = {"epochs": 2, "threads": 1, **changed}
    data = {} if data is None else data
    return train_network(
        output=output,
        data=make_data(root, seed=seed, cache_dir=root / "cache", **data),
        network=NETWORK,
        loss=LossSettings(),
        optimizer=OptimizerSettings(),
        trainer=TrainerSettings(**settings),
        seed=seed,
        name="tiny",
        init=init,
        modes=modes,
        config={
            "seed": seed,
            "data": {"root": str(root), "rater": None, **data},
            "trainer": settings,
            **flags,
        },
        **flags,
    )
