"""Draws what one clip shows: a subject's body and scanner, the twitches, and all that is not a twitch."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from fascnet.phantom.chance import draw
from fascnet.phantom.disturbances import draw_confounders
from fascnet.phantom.motion import Motion, Twitch
from fascnet.phantom.settings import PhantomSettings
from fascnet.phantom.subject import Subject, draw_subject, draw_vessel
from fascnet.phantom.tissue import Anatomy
from fascnet.phantom.twitches import draw_twitches

__all__ = ["PhantomSettings", "Scene", "Subject", "draw_scene", "draw_subject"]


@dataclass(frozen=True)
class Scene:
    """All that one clip shows.

    Attributes:
        subject: whose clip it is.
        anatomy: the subject's anatomy at this place, with the clip's vessel.
        n_frames: length.
        twitches: in order of start.
        confounders: other movements.
        gain_steps: (moment, dB) changes of gain; each holds until the next.
        lost_frames: indices of frames shown as the frame before.
        tissue_seed: seed of the scatterers.
        noise_seed: seed of the electronic noise and the blood.
        scatterers_per_cell: density at the focus.
    """

    subject: Subject
    anatomy: Anatomy
    n_frames: int
    twitches: tuple[Twitch, ...]
    confounders: tuple[Motion, ...]
    gain_steps: tuple[tuple[float, float], ...]
    lost_frames: frozenset[int]
    tissue_seed: int
    noise_seed: int
    scatterers_per_cell: float

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.n_frames / self.subject.fps


def draw_scene(
    settings: PhantomSettings, subject: Subject, has_twitches: bool, rng: np.random.Generator
) -> Scene:
    """Draw one clip of a subject."""
    n_frames = max(round(draw(settings.duration_s, rng) * subject.fps), 2)
    duration_s = n_frames / subject.fps
    anatomy = replace(
        subject.anatomy,
        fat_mm=subject.anatomy.fat_mm * draw((0.85, 1.15), rng),
        slope=subject.anatomy.slope + draw((-0.015, 0.015), rng),
        fibre_rad=subject.anatomy.fibre_rad + draw((-0.04, 0.04), rng),
    )
    if rng.random() < settings.vessel_share:
        anatomy = replace(anatomy, vessel=draw_vessel(anatomy, subject.scan, rng))
    steps: tuple[tuple[float, float], ...] = ()
    if rng.random() < settings.gain_step_share:
        steps = ((draw((0.2, 0.8), rng) * duration_s, draw((2.0, 5.0), rng) * float(rng.choice([-1, 1]))),)
    lost: frozenset[int] = frozenset()
    if rng.random() < settings.lost_frame_share:
        first, length = int(rng.integers(1, n_frames)), int(rng.integers(1, 4))
        lost = frozenset(range(first, min(first + length, n_frames)))
    return Scene(
        subject=subject,
        anatomy=anatomy,
        n_frames=n_frames,
        confounders=draw_confounders(settings, subject.scan, anatomy, duration_s, rng),
        twitches=draw_twitches(settings, subject.scan, anatomy, duration_s, rng) if has_twitches else (),
        gain_steps=steps,
        lost_frames=lost,
        tissue_seed=int(rng.integers(2**32)),
        noise_seed=int(rng.integers(2**32)),
        scatterers_per_cell=settings.scatterers_per_cell,
    )
