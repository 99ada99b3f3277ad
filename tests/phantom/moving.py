"""One movement of every kind, made by hand, and places to watch them at. Clips last 5 s."""

from __future__ import annotations

import numpy as np

from fascnet.phantom.body.anatomy import Vessel
from fascnet.phantom.movement.confounders import (
    ArterialPulsation,
    Breathing,
    Effort,
    Fibrillation,
    LocalContraction,
    MuscleBelly,
    OutOfPlane,
    ProbeDrift,
    ProbeJolt,
    ProbePressure,
    Pseudotremor,
    Swallowing,
    VoluntaryContraction,
)
from fascnet.phantom.movement.motion import Motion
from tests.phantom.movement.test_twitch import TWITCH

DURATION_S = 5.0
PLACES = np.random.default_rng(0).uniform(0, 32, (400, 2)).astype(np.float32)

BEATS_S = (-0.3, 0.5, 1.3, 2.2, 3.0, 3.8, 4.7, 5.5)
GAINS = (1.0, 1.1, 0.9, 1.0, 1.0, 0.95, 1.0)
DISC = ArterialPulsation((16.0, 14.0), 1.2, 2.5, 0.1, None, 0.2, BEATS_S, GAINS, DURATION_S)
TUBE = ArterialPulsation((16.0, 14.0), 1.2, 2.5, 0.0, 12.0, 0.2, BEATS_S, GAINS, DURATION_S)
BELLY = MuscleBelly(14.0, 8.0, 16.0, 0.1, 2.0, 0.4)
CONTRACTION = VoluntaryContraction(BELLY, Effort(1.0, 0.5, 0.8, 0.7), 0.5)
TREMBLING = VoluntaryContraction(BELLY, Effort(1.0, 0.5, 0.8, 0.7, 0.1, 10.0), 0.5)
HALF_DONE = VoluntaryContraction(BELLY, Effort(-1.0, 0.5, 1.2, 0.7), 0.5)
LOCAL = LocalContraction(TWITCH, Effort(1.0, 0.5, 0.8, 0.7))
SWALLOW = Swallowing(BELLY, 1.0, 0.8, 0.4, 1.0)
FIRINGS_S = (tuple(np.arange(1.0, 3.0, 0.125)), (1.1, 1.4, 1.5))
PSEUDOTREMOR = Pseudotremor((TWITCH, TWITCH), FIRINGS_S, ((1.0,) * 16, (0.9, 1.0, 1.0)))
FIBRILLATION = Fibrillation(
    centres_mm=((12.0, 12.0), (14.0, 12.5), (13.0, 15.0)),
    directions_rad=(0.1, 0.6, -0.3),
    radius_mm=1.5,
    size_mm=0.03,
    rates_hz=((1.3, 4.0, 9.0, 17.0), (2.2, 5.1, 11.0, 28.0), (1.1, 3.3, 7.7, 21.0)),
    phases=((0.0, 1.0, 2.0, 3.0), (0.5, 1.5, 2.5, 3.5), (0.2, 1.2, 2.2, 3.2)),
    start_s=1.0,
    length_s=3.0,
)
DRIFT = ProbeDrift((0.5, 0.2), (0.1, 0.2), 0.4, DURATION_S)
JOLT = ProbeJolt((1.0, -0.4), 2.0, 0.1, 0.3, 0.5, 0.6)
TURN = ProbeJolt((0.0, 0.0), 2.0, 0.1, 0.3, 1.0, 0.0, turn_rad=0.03, pivot_mm=(16.0, 0.0))
BREATHING = Breathing((0.1, 0.4), 0.25, 0.3, 32.0, DURATION_S)
WANDER = OutOfPlane(((0.6, 0.1), (0.2, 0.5)), ((2.0, 0.2, 0.5),), DURATION_S)
VEIN = Vessel((20.0, 15.0), 1.5, 0.0, None)
PRESSURE = ProbePressure(1.0, 32.0, 1.0, 0.5, 0.5, 0.5, 0.3, vein=VEIN, collapse=0.5)

MOTIONS: dict[str, Motion] = {
    "disc": DISC,
    "tube": TUBE,
    "contraction": CONTRACTION,
    "trembling": TREMBLING,
    "half_done": HALF_DONE,
    "local": LOCAL,
    "swallow": SWALLOW,
    "pseudotremor": PSEUDOTREMOR,
    "fibrillation": FIBRILLATION,
    "drift": DRIFT,
    "jolt": JOLT,
    "turn": TURN,
    "breathing": BREATHING,
    "wander": WANDER,
    "pressure": PRESSURE,
}
