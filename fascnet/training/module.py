"""The LightningModule: how the network learns. What it is stands in `fascnet.models`."""

from __future__ import annotations

import math
import time
from dataclasses import asdict, dataclass
from typing import Any

import torch
from lightning.pytorch import LightningModule
from torch import Tensor

from fascnet.data.training_input.dataset import Window
from fascnet.data.training_input.working_clip import WorkingClip
from fascnet.errors import SettingError
from fascnet.models.unet import FasciculationUNet
from fascnet.training.losses import LossSettings, compute_loss
from fascnet.training.second_sight import FirstLook
from fascnet.training.validation import Review, stream_clip
from fascnet.types import EventDefinition


@dataclass(frozen=True, slots=True)
class OptimizerSettings:
    """How the weights move.

    Attributes:
        learning_rate: peak learning rate of AdamW, 1e-5 to 1e-1.
        weight_decay: of AdamW, 0-1.
        warm_up: share of the training over which the rate rises, 0-0.5; after it the rate falls as a cosine.
        clip_norm: largest norm of the gradient, above 0.
    """

    learning_rate: float = 3e-3
    weight_decay: float = 1e-4
    warm_up: float = 0.05
    clip_norm: float = 1.0

    def __post_init__(self) -> None:
        for name, value, low, high in (
            ("learning_rate", self.learning_rate, 1e-5, 1e-1),
            ("weight_decay", self.weight_decay, 0.0, 1.0),
            ("warm_up", self.warm_up, 0.0, 0.5),
            ("clip_norm", self.clip_norm, 1e-6, 1e6),
        ):
            if not low <= value <= high:
                raise SettingError(f"optimizer.{name} is {value}; give {low:g} to {high:g}")


class FasciculationModule(LightningModule):
    """Trains a network on windows and judges it on whole clips.

    Args:
        network: what is trained.
        loss: weights of the loss.
        optimizer: learning rate and its schedule.
        max_minutes: wall clock after which training ends, or None. The learning rate follows whichever of
            steps and minutes is further along, so that a run cut by time still ends annealed; such a run is
            not reproducible.
        first: what looks first where the network learns to judge in the second look; None: in the first.
    """

    def __init__(
        self,
        network: FasciculationUNet,
        loss: LossSettings,
        optimizer: OptimizerSettings,
        max_minutes: float | None = None,
        first: FirstLook | None = None,
    ) -> None:
        super().__init__()
        # Plain types only: a checkpoint with anything else cannot be loaded safely.
        self.save_hyperparameters(
            {"loss": asdict(loss), "optimizer": asdict(optimizer), "max_minutes": max_minutes}
        )
        self.network = network.to(memory_format=torch.channels_last)
        self.loss_settings = loss
        self.optimizer_settings = optimizer
        self.max_minutes = max_minutes
        self.first = first
        self._minutes_before = 0.0
        self._started = time.monotonic()
        self._review = Review(EventDefinition())

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Make AdamW; the learning rate is set before every step."""
        s = self.optimizer_settings
        # Norms and biases are not decayed: pulling them to zero regularises nothing.
        decayed = [p for p in self.network.parameters() if p.ndim > 1]
        plain = [p for p in self.network.parameters() if p.ndim <= 1]
        groups = [{"params": decayed, "weight_decay": s.weight_decay}, {"params": plain, "weight_decay": 0.0}]
        return torch.optim.AdamW(groups, lr=s.learning_rate)

    def training_step(self, batch: Window, batch_index: int) -> Tensor:  # noqa: ARG002 - Lightning's signature
        """Compute the loss of a batch of windows."""
        if "motion" in batch:
            logits = self.network.judge_motion(batch["motion"], {})
        else:
            logits, _ = self.network(batch["images"], batch["dt_s"])
        # The logits of tick t come look_ahead ticks later; a window's last ticks are never answered.
        delay = self.network.look_ahead
        n_ticks = logits.shape[1]
        loss, parts = compute_loss(
            logits[:, delay:],
            batch["target"][:, : n_ticks - delay],
            batch["valid"][:, : n_ticks - delay],
            self.loss_settings,
            batch["somewhere"][:, : n_ticks - delay],
        )
        self.log("loss", loss, prog_bar=True)
        self.log_dict({f"loss_{name}": value for name, value in parts.items()})
        return loss

    def on_train_start(self) -> None:
        """Start the clock."""
        self._started = time.monotonic()

    def on_train_batch_start(self, batch: Window, batch_index: int) -> int | None:  # noqa: ARG002 - Lightning's signature
        """Set the learning rate; end the epoch when the time is used up."""
        progress = self.measure_progress()
        if self.max_minutes is not None and progress >= 1.0:
            self.trainer.should_stop = True
            return -1
        rate = self.optimizer_settings.learning_rate * schedule_rate(
            progress, self.optimizer_settings.warm_up
        )
        for group in self.trainer.optimizers[0].param_groups:
            group["lr"] = rate
        self.log("learning_rate", rate)
        return None

    def on_train_epoch_end(self) -> None:
        """Let no checkpoint of a training that has left the numbers take the place of a sound one."""
        self._refuse_no_numbers()

    def measure_progress(self) -> float:
        """Return how much of the training is done, 0-1: by steps, or by minutes where they run out first.

        Of several processes the clock that is furthest decides for all: one that stopped a step before the
        others would leave them waiting for its gradients for ever.
        """
        progress = self.trainer.global_step / max(1, self.trainer.estimated_stepping_batches)
        if self.max_minutes is not None:
            time_used = self.minutes_used / self.max_minutes
            # Not with one process: a GPU would be waited for at every step.
            if self.trainer.world_size > 1:
                own = torch.tensor(time_used, device=self.device)
                time_used = float(self.trainer.strategy.reduce(own, reduce_op="max"))
            progress = max(progress, time_used)
        return min(1.0, progress)

    @property
    def minutes_used(self) -> float:
        """Minutes of training so far, those before a resumption included."""
        return self._minutes_before + (time.monotonic() - self._started) / 60

    def on_validation_epoch_start(self) -> None:
        """Start counting anew."""
        self._refuse_no_numbers()
        self._review = Review(EventDefinition())

    def validation_step(self, batch: WorkingClip, batch_index: int) -> None:  # noqa: ARG002 - Lightning's signature
        """Run one whole clip."""
        if self.first is None:
            chunks = stream_clip(batch, self.network, self.device)
        else:
            network = self.first.network.to(self.device)
            chunks = stream_clip(batch, network, self.device, self.first.second, self.network)
        self._review.add(batch, chunks)

    def on_validation_epoch_end(self) -> None:
        """Log the figures of all clips together."""
        figures = {
            f"val_{name}": value for name, value in self._review.summarise().items() if not math.isnan(value)
        }
        # Every process runs all clips: nothing to reduce.
        self.log_dict(figures, prog_bar=True, rank_zero_only=True)

    def _refuse_no_numbers(self) -> None:
        """Stop a training whose weights are infinite or no numbers.

        Looked at once an epoch: a GPU would be waited for at every step, and one bad step spoils all weights.

        Raises:
            SettingError: one is.
        """
        if not all(bool(torch.isfinite(weight).all()) for weight in self.network.parameters()):
            raise SettingError(
                f"epoch {self.current_epoch + 1}: the weights are no numbers any more; start again with an "
                f"optimizer.learning_rate below {self.optimizer_settings.learning_rate:g}, or with "
                "trainer.precision=32-true"
            )

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keep the time used."""
        checkpoint["minutes_used"] = self.minutes_used

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Go on from the time used."""
        self._minutes_before = float(checkpoint["minutes_used"])


def schedule_rate(progress: float, warm_up: float) -> float:
    """Return the share of the peak learning rate: linear rise, then half a cosine down to 1 %."""
    if progress < warm_up:
        return 0.01 + 0.99 * progress / warm_up
    rest = (progress - warm_up) / (1.0 - warm_up)
    return 0.01 + 0.99 * 0.5 * (1.0 + math.cos(math.pi * min(1.0, rest)))
