"""Everything that moves and is not a twitch, in one place to import from. Same form as `Twitch`."""

from __future__ import annotations

from fascnet.phantom.movement.artery import ARTERIAL_PULSATION, ArterialPulsation
from fascnet.phantom.movement.contraction import (
    SWALLOWING,
    VOLUNTARY_CONTRACTION,
    Effort,
    LocalContraction,
    MuscleBelly,
    Swallowing,
    VoluntaryContraction,
)
from fascnet.phantom.movement.out_of_plane import OUT_OF_PLANE, OutOfPlane
from fascnet.phantom.movement.picture_motion import BREATHING, PROBE_MOTION, Breathing, ProbeDrift, ProbeJolt
from fascnet.phantom.movement.probe_pressure import PROBE_PRESSURE, ProbePressure
from fascnet.phantom.movement.unit_activity import FIBRILLATION, PSEUDOTREMOR, Fibrillation, Pseudotremor

__all__ = [
    "ARTERIAL_PULSATION",
    "BREATHING",
    "CONFOUNDER_LABELS",
    "FIBRILLATION",
    "OUT_OF_PLANE",
    "PROBE_MOTION",
    "PROBE_PRESSURE",
    "PSEUDOTREMOR",
    "SWALLOWING",
    "VOLUNTARY_CONTRACTION",
    "ArterialPulsation",
    "Breathing",
    "Effort",
    "Fibrillation",
    "LocalContraction",
    "MuscleBelly",
    "OutOfPlane",
    "ProbeDrift",
    "ProbeJolt",
    "ProbePressure",
    "Pseudotremor",
    "Swallowing",
    "VoluntaryContraction",
]

CONFOUNDER_LABELS = (
    ARTERIAL_PULSATION,
    BREATHING,
    FIBRILLATION,
    OUT_OF_PLANE,
    PROBE_MOTION,
    PROBE_PRESSURE,
    PSEUDOTREMOR,
    SWALLOWING,
    VOLUNTARY_CONTRACTION,
)
"""Labels of the events that movements other than twitches give."""
