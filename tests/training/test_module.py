from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from fascnet.errors import SettingError
from fascnet.training.losses import LossSettings, compute_loss
from fascnet.training.module import FasciculationModule, OptimizerSettings, schedule_rate
from tests.models.test_unet import make_clip, make_network


def make_module(**settings: Any) -> FasciculationModule:
    return FasciculationModule(make_network(2), LossSettings(), OptimizerSettings(**settings))


def test_the_rate_rises_and_falls() -> None:
    rates = [schedule_rate(p, 0.1) for p in (0.0, 0.05, 0.1, 0.55, 1.0, 2.0)]
    assert rates == pytest.approx([0.01, 0.505, 1.0, 0.505, 0.01, 0.01])
    assert schedule_rate(0.0, 0.0) == 1.0
    assert schedule_rate(0.5, 0.5) == 1.0


def test_norms_and_biases_are_not_decayed() -> None:
    module = make_module(weight_decay=0.3)
    decayed, plain = module.configure_optimizers().param_groups
    assert (decayed["weight_decay"], plain["weight_decay"]) == (0.3, 0.0)
    assert all(p.ndim > 1 for p in decayed["params"])
    assert all(p.ndim == 1 for p in plain["params"])
    assert len(decayed["params"]) + len(plain["params"]) == len(list(module.network.parameters()))


def test_logits_meet_the_targets_of_their_own_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The logits of tick t come look_ahead ticks later; the last targets are never answered."""
    module = make_module()
    monkeypatch.setattr(module, "log", lambda *_, **__: None)
    monkeypatch.setattr(module, "log_dict", lambda *_, **__: None)
    images, dt_s = make_clip(10)
    target = (torch.rand(1, 10, 8, 10) < 0.3).float()
    valid = torch.rand(1, 10, 8, 10) < 0.8
    somewhere = torch.zeros_like(valid)
    batch = {"images": images, "dt_s": dt_s, "target": target, "valid": valid, "somewhere": somewhere}
    loss = module.training_step(batch, 0)
    logits, _ = module.network(images, dt_s)
    wanted, _ = compute_loss(logits[:, 2:], target[:, :8], valid[:, :8], LossSettings())
    assert loss.item() == pytest.approx(wanted.item())
    other = {**batch, "target": torch.cat([target[:, :8], 1 - target[:, 8:]], dim=1)}
    assert module.training_step(other, 0).item() == loss.item()
    target, somewhere = torch.zeros_like(target), somewhere.clone()
    somewhere[:, 3:6] = True
    other = {**batch, "target": target, "valid": valid & ~somewhere, "somewhere": somewhere}
    wanted, _ = compute_loss(
        logits[:, 2:], target[:, :8], (valid & ~somewhere)[:, :8], LossSettings(), somewhere[:, :8]
    )
    assert module.training_step(other, 0).item() == pytest.approx(wanted.item())


def test_what_is_kept_in_a_checkpoint_is_plain() -> None:
    module = make_module()
    assert module.hparams["loss"]["focal_weight"] == 1.0
    checkpoint: dict[str, Any] = {}
    module.on_save_checkpoint(checkpoint)
    assert isinstance(checkpoint["minutes_used"], float)


def test_time_used_before_a_stop_counts() -> None:
    module = make_module()
    module.on_load_checkpoint({"minutes_used": 5.0})
    assert module.minutes_used == pytest.approx(5.0, abs=0.1)


@pytest.mark.parametrize(("furthest", "ends"), [(0.99, False), (1.0, True)])
def test_processes_end_at_the_same_step(furthest: float, ends: bool) -> None:
    """The clock that is furthest decides for all of them, whatever one's own says."""
    module = FasciculationModule(make_network(2), LossSettings(), OptimizerSettings(), max_minutes=60.0)
    asked = []

    def reduce(own: torch.Tensor, reduce_op: str) -> torch.Tensor:
        asked.append((float(own), reduce_op))
        return torch.tensor(furthest)

    groups = [{"lr": 1.0}]
    module._trainer = SimpleNamespace(  # type: ignore[assignment]
        global_step=3,
        estimated_stepping_batches=1000,
        world_size=2,
        strategy=SimpleNamespace(reduce=reduce),
        should_stop=False,
        optimizers=[SimpleNamespace(param_groups=groups)],
    )
    module.log = lambda *_, **__: None  # type: ignore[method-assign]
    assert module.on_train_batch_start({}, 0) == (-1 if ends else None)
    assert module.trainer.should_stop is ends
    assert asked == [(pytest.approx(0.0, abs=1e-3), "max")]
    assert (groups[0]["lr"] < 1.0) is not ends


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("learning_rate", 0.0),
        ("learning_rate", 1.0),
        ("weight_decay", -1.0),
        ("warm_up", 0.6),
        ("clip_norm", 0.0),
        ("clip_norm", math.nan),
    ],
)
def test_settings_out_of_range_are_named(name: str, value: float) -> None:
    with pytest.raises(SettingError, match=rf"optimizer\.{name} is"):
        OptimizerSettings(**{name: value})
