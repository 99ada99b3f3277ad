"""The columns of `events.csv` that hold kinematics; they follow the others at the right."""

from __future__ import annotations

from collections.abc import Mapping

from fascnet.types import Kinematics, Point

_DECIMALS = {
    "kinematics_quality": 3,
    "movement_onset_s": 4,
    "movement_peak_s": 4,
    "contraction_s": 4,
    "half_relaxation_s": 4,
    "relaxation_s": 4,
    "peak_mm": 4,
    "peak_velocity_mm_per_s": 3,
    "anisotropy": 3,
    "active_area_mm2": 2,
    "moving_area_mm2": 2,
    "epicentre_x_px": 2,
    "epicentre_y_px": 2,
}

KINEMATIC_COLUMNS = tuple(_DECIMALS)


def list_kinematics(kinematics: Kinematics | None) -> tuple[tuple[float | None, int], ...]:
    """Return (value, decimals) of each of `KINEMATIC_COLUMNS`; every value None when nothing was measured."""
    if kinematics is None:
        return tuple((None, digits) for digits in _DECIMALS.values())
    k = kinematics
    values = (
        k.quality,
        k.onset_s,
        k.peak_s,
        k.contraction_s,
        k.half_relaxation_s,
        k.relaxation_s,
        k.peak_mm,
        k.peak_velocity_mm_per_s,
        k.anisotropy,
        k.active_area_mm2,
        k.moving_area_mm2,
        None if k.epicentre is None else k.epicentre.x,
        None if k.epicentre is None else k.epicentre.y,
    )
    return tuple(zip(values, _DECIMALS.values(), strict=True))


def make_kinematics(values: Mapping[str, float | None]) -> Kinematics | None:
    """Return what a row's cells say, by column; None when it has no quality: then nothing was measured."""
    quality = values["kinematics_quality"]
    if quality is None:
        return None
    x, y = values["epicentre_x_px"], values["epicentre_y_px"]
    return Kinematics(
        quality=quality,
        onset_s=values["movement_onset_s"],
        peak_s=values["movement_peak_s"],
        contraction_s=values["contraction_s"],
        half_relaxation_s=values["half_relaxation_s"],
        relaxation_s=values["relaxation_s"],
        peak_mm=values["peak_mm"],
        peak_velocity_mm_per_s=values["peak_velocity_mm_per_s"],
        anisotropy=values["anisotropy"],
        active_area_mm2=values["active_area_mm2"],
        moving_area_mm2=values["moving_area_mm2"],
        epicentre=None if x is None or y is None else Point(x, y),
    )
