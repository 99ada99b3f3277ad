"""What `scripts/ablate.py` changes, one thing at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fascnet.data.training_input.dataset import WindowSettings
from fascnet.training.losses import LossSettings

SMALL: dict[str, Any] = {
    "widths": (24, 40, 64),
    "dilations": (1, 1, 2),
    "deep_dilations": (6,),
    "look_ahead": 4,
}
"""The network that all variants but the larger ones are made of."""

WINDOW_PX, WINDOW_TICKS, WARM_UP_TICKS = 128, 96, 12
PITCH_MM, RATE_HZ = 0.15, 30.0


@dataclass(frozen=True, slots=True)
class Variant:
    """One way to train.

    Attributes:
        network: arguments of the network that differ from `SMALL`.
        loss: weights of the loss.
        boundary_weight: weight of `ablation.boundary.compute_boundary_loss`, from 0.
        part_s: as `WindowSettings.part_s`.
        pitch_mm: working pixel spacing.
        rate_hz: working ticks per second. The network's dilations and look-ahead are in ticks.
        learned_front_end: convolutions of grey levels in the place of measured motion (`ablation.pixels`).
    """

    network: Mapping[str, Any] = field(default_factory=dict)
    loss: LossSettings = field(default_factory=LossSettings)
    boundary_weight: float = 0.0
    part_s: float = 0.08
    pitch_mm: float = PITCH_MM
    rate_hz: float = RATE_HZ
    learned_front_end: bool = False

    @property
    def arguments(self) -> dict[str, Any]:
        """All arguments of the network."""
        return {**SMALL, **self.network}

    def shape_window(self, event_fraction: float) -> WindowSettings:
        """Return windows of the same millimetres and seconds at every pitch and rate."""
        faster = self.rate_hz / RATE_HZ
        size_px = 16 * round(WINDOW_PX * PITCH_MM / self.pitch_mm / 16)
        n_ticks, warm_up = round(WINDOW_TICKS * faster), round(WARM_UP_TICKS * faster)
        return WindowSettings(n_ticks, size_px, event_fraction, warm_up, self.part_s)


VARIANTS: dict[str, Variant] = {
    "all": Variant(),
    "without displacement": Variant({"ignore": ["displacement", "displacement_over_noise"]}),
    "without velocity": Variant({"ignore": ["velocity", "velocity_over_noise", "coarse_velocity"]}),
    "without the coarse scale": Variant({"ignore": ["coarse_velocity"]}),
    "without the clip's noise": Variant(
        {"ignore": ["noise", "velocity_over_noise", "displacement_over_noise"]}
    ),
    "without probe motion": Variant({"ignore": ["probe"]}),
    "nothing taken away": Variant({"global_motion": "none"}),
    "a shift taken away": Variant({"global_motion": "shift"}),
    "no blur": Variant({"blur_taps": 1}),
    "a wider blur": Variant({"blur_taps": 5}),
    "without unexplained change": Variant({"ignore": ["unexplained_change"]}),
    "without confidence and grey": Variant({"ignore": ["confidence", "grey"]}),
    "a learned front end": Variant(learned_front_end=True),
    "causal: no look-ahead": Variant({"look_ahead": 0}),
    "look-ahead of 8 ticks": Variant({"look_ahead": 8}),
    "0.6 s of memory": Variant({"dilations": (1, 1, 1), "deep_dilations": ()}),
    "15 ticks a second": Variant(
        {"dilations": (1, 1, 1), "deep_dilations": (3,), "look_ahead": 2}, rate_hz=15.0
    ),
    "60 ticks a second": Variant(
        {"dilations": (2, 2, 4), "deep_dilations": (12,), "look_ahead": 8}, rate_hz=60.0
    ),
    "0.1 mm a pixel": Variant(pitch_mm=0.1),
    "0.2 mm a pixel": Variant(pitch_mm=0.2),
    "no Dice": Variant(loss=LossSettings(dice_weight=0.0)),
    "no focal loss": Variant(loss=LossSettings(focal_weight=0.0)),
    "no clip loss": Variant(loss=LossSettings(clip_weight=0.0)),
    "cross entropy for focal loss": Variant(loss=LossSettings(focal_gamma=0.0)),
    "a boundary loss too": Variant(boundary_weight=1.0),
    "no gap between twitches": Variant(part_s=0.0),
    "the packaged network": Variant({"widths": (48, 80, 128)}),
    "the larger network": Variant({"widths": (96, 160, 256), "deep_dilations": (4, 12)}),
}
