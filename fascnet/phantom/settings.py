"""What a phantom set is drawn from: ranges for the scan, the twitches and everything that is not a twitch."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from fascnet.errors import SettingError

Range = tuple[float, float]
"""(low, high), both included."""


@dataclass(frozen=True, slots=True)
class PhantomSettings:
    """Ranges from which subjects, clips and events are drawn. Every range is (low, high); a share is 0-1.

    Figures and their sources stand in the project's field notes, sections 3a (twitch), 3b (rates), 3c (scan)
    and 3e (confounders); a range marked *model* has no published figure behind it.

    Attributes:
        clips_per_subject: clips that share one body and one scanner setting, >= 1.
        duration_s: clip length in seconds.
        fps: frames per second, drawn per subject and rounded to a whole number unless low equals high.
        height_px: rows, drawn per subject.
        width_px: columns, drawn per subject.
        mm_per_px: pixel spacing in mm, drawn per subject.
        centre_frequency_mhz: transmit frequency, drawn per subject.
        scatterers_per_cell: scatterers in one resolution cell at the focus; 8 or more gives fully developed
            speckle.
        dynamic_range_db: log compression, drawn per subject.
        gain_db: overall gain around the automatic one, drawn per subject (model).
        noise_db: electronic noise against the median echo at mid depth, drawn per subject (model).
        persistence: weight of the previous displayed frame, 0 = none, drawn per subject (model).
        transverse_share: share of subjects scanned across the fibres.
        vessel_share: share of clips with a vessel in view (model).
        twitch_clip_share: share of clips that hold twitches.
        foci: number of repeating foci in a clip with twitches.
        twitch_rate_per_min: twitches per minute and focus.
        doublet_share: share of twitches with a second pulse.
        twitch_peak_mm: largest displacement of a twitch, drawn on a log scale.
        contraction_s: time from the start to the peak of a twitch.
        core_long_mm: long axis of the contracting core.
        core_short_mm: short axis of the contracting core.
        drift_share: share of clips with a drifting probe.
        drift_mm: size of the drift (model).
        jolt_share: share of clips with a jolted probe.
        jolt_mm: size of the jolt (model).
        pulsation_share: share of clips with an arterial pulsation.
        pulsation_mm: size of the pulsation (model).
        contraction_share: share of clips with a voluntary contraction.
        contraction_mm: size of the voluntary contraction (model).
        breathing_share: share of clips that move with breathing.
        breathing_mm: size of the breathing movement (model).
        pseudotremor_share: share of clips with contraction pseudotremor.
        pseudotremor_mm: size of the pseudotremor at a focus (model).
        gain_step_share: share of clips in which somebody turns the gain.
        lost_frame_share: share of clips in which lost frames are replaced by the frame before.
    """

    clips_per_subject: int = 4
    duration_s: Range = (5.0, 5.0)
    fps: Range = (30.0, 30.0)
    height_px: Range = (192, 192)
    width_px: Range = (192, 192)
    mm_per_px: Range = (0.15, 0.2)
    centre_frequency_mhz: Range = (6.5, 10.0)
    scatterers_per_cell: float = 10.0
    dynamic_range_db: Range = (50.0, 70.0)
    gain_db: Range = (-9.0, 0.0)
    noise_db: Range = (-40.0, -22.0)
    persistence: Range = (0.0, 0.25)
    transverse_share: float = 0.35
    vessel_share: float = 0.3
    twitch_clip_share: float = 0.7
    foci: Range = (1, 3)
    twitch_rate_per_min: Range = (8.0, 40.0)
    doublet_share: float = 0.12
    twitch_peak_mm: Range = (0.2, 0.6)
    contraction_s: Range = (0.05, 0.18)
    core_long_mm: Range = (7.0, 11.0)
    core_short_mm: Range = (4.0, 6.0)
    drift_share: float = 0.4
    drift_mm: Range = (0.1, 0.8)
    jolt_share: float = 0.25
    jolt_mm: Range = (0.3, 1.5)
    pulsation_share: float = 0.35
    pulsation_mm: Range = (0.05, 0.3)
    contraction_share: float = 0.25
    contraction_mm: Range = (0.8, 3.0)
    breathing_share: float = 0.2
    breathing_mm: Range = (0.1, 0.5)
    pseudotremor_share: float = 0.1
    pseudotremor_mm: Range = (0.05, 0.2)
    gain_step_share: float = 0.1
    lost_frame_share: float = 0.1

    def __post_init__(self) -> None:
        for spec in fields(self):
            value = getattr(self, spec.name)
            if spec.name == "clips_per_subject":
                _check_bounds(spec.name, value, 1, 10_000)
                if int(value) != value:
                    raise SettingError(f"phantom.{spec.name}={value}: give a whole number")
            elif spec.name.endswith("_share"):
                _check_bounds(spec.name, value, 0.0, 1.0)
            elif spec.name == "scatterers_per_cell":
                _check_bounds(spec.name, value, 1.0, 100.0)
            else:
                # YAML gives lists; a tuple keeps the settings hashable and comparable.
                object.__setattr__(self, spec.name, _check_range(spec.name, value))

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> PhantomSettings:
        """Build from plain values, such as a composed config.

        Raises:
            SettingError: a key is unknown, or a value is outside its bounds; it names the key.
        """
        known = {spec.name for spec in fields(cls)}
        for key in values:
            if key not in known:
                raise SettingError(
                    f"phantom.{key}: there is no such setting; choose from {', '.join(sorted(known))}"
                )
        return cls(**values)

    def to_mapping(self) -> dict[str, Any]:
        """Return plain lists and numbers, as `phantom.json` keeps them."""
        return {
            key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()
        }


# Bounds that keep the image formation meaningful, not what is common: those are the defaults above.
_BOUNDS: dict[str, Range] = {
    "duration_s": (1.0, 600.0),
    "fps": (10.0, 200.0),
    "height_px": (64, 1024),
    "width_px": (64, 1024),
    "mm_per_px": (0.04, 0.4),
    "centre_frequency_mhz": (3.0, 18.0),
    "dynamic_range_db": (30.0, 100.0),
    "gain_db": (-30.0, 30.0),
    "noise_db": (-80.0, 10.0),
    "persistence": (0.0, 0.8),
    "foci": (1, 20),
    "twitch_rate_per_min": (0.1, 300.0),
    "twitch_peak_mm": (0.01, 3.0),
    "contraction_s": (0.02, 0.3),
    "core_long_mm": (2.0, 20.0),
    "core_short_mm": (1.0, 20.0),
}
_DEFAULT_BOUNDS: Range = (0.0, 10.0)


def _check_range(name: str, value: object) -> Range:
    if not isinstance(value, Sequence) or isinstance(value, str) or len(value) != 2:
        raise SettingError(f"phantom.{name}={value}: give two numbers, [low, high]")
    low, high = _BOUNDS.get(name, _DEFAULT_BOUNDS)
    for bound in value:
        _check_bounds(name, bound, low, high)
    if value[0] > value[1]:
        raise SettingError(f"phantom.{name}={list(value)}: the first number must not exceed the second")
    return (value[0], value[1])


def _check_bounds(name: str, value: object, low: float, high: float) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise SettingError(f"phantom.{name}={value}: give a number between {low:g} and {high:g}")
    if not low <= value <= high:
        raise SettingError(f"phantom.{name}={value}: give a number between {low:g} and {high:g}")
