"""What is measured of an event, and which seconds could not be: in s, mm and stored pixels. Frozen."""

from __future__ import annotations

from dataclasses import dataclass

from fascnet.regions import Point


@dataclass(frozen=True, slots=True)
class Kinematics:
    """How the tissue moved in one event (docs/kinematics.md); None is what could not be measured.

    Attributes:
        quality: 0-1; 1 is one clean pattern over still surroundings. Below 0.6 nothing else is given.
        onset_s: where the displacement waveform leaves the baseline (5 % of its peak), between the frames.
        peak_s: where it is largest, between the frames.
        contraction_s: from onset to peak.
        half_relaxation_s: from the peak until half of it is left.
        relaxation_s: from the peak until a tenth of it is left.
        peak_mm: largest displacement over place and time.
        peak_velocity_mm_per_s: steepest rise of the displacement at the epicentre.
        anisotropy: length of the mean direction, 0-1, over tissue that moves by 5 % of the peak or more.
        active_area_mm2: tissue that moves by 50 % of the peak or more, the core.
        moving_area_mm2: tissue that moves by 15 % of the peak or more.
        epicentre: where the displacement is largest, stored pixels.
    """

    quality: float
    onset_s: float | None = None
    peak_s: float | None = None
    contraction_s: float | None = None
    half_relaxation_s: float | None = None
    relaxation_s: float | None = None
    peak_mm: float | None = None
    peak_velocity_mm_per_s: float | None = None
    anisotropy: float | None = None
    active_area_mm2: float | None = None
    moving_area_mm2: float | None = None
    epicentre: Point | None = None


@dataclass(frozen=True, slots=True)
class NotScored:
    """Seconds of a clip that cannot be scored.

    Attributes:
        start_s: their start.
        end_s: their end.
        reason: why, such as `probe_moved`; several reasons are joined by `+`.
        n_events: events that the detector saw there and that are not counted.
    """

    start_s: float
    end_s: float
    reason: str
    n_events: int = 0
