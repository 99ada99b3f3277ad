"""Small scripts, made by hand, whose truth can be said in advance."""

from __future__ import annotations

import numpy as np

from fascnet.phantom.movement.motion import Positions, Twitch
from fascnet.phantom.movement.picture_motion import ProbeJolt
from fascnet.phantom.outline import PictureFrame
from fascnet.phantom.recording.contact import ContactLoss
from fascnet.phantom.recording.timeline import Timeline
from fascnet.phantom.script import Script
from fascnet.phantom.settings import PhantomSettings

FPS = 20.0

FRAME = PictureFrame(height_px=150, width_px=160, mm_per_px=0.2)

TWITCH = Twitch(
    centre_mm=(16.0, 15.0),
    semi_long_mm=4.0,
    semi_short_mm=2.2,
    axis_rad=0.1,
    pull=(1.0, 0.2),
    shortening=0.4,
    bulge=0.5,
    halo_mm=5.0,
    halo_level=0.3,
    peak_mm=0.5,
    start_s=0.5,
    contraction_s=0.1,
    relaxation_s=0.2,
)
"""Moves from 0.5 s to about 1 s."""

JOLT = ProbeJolt((0.6, -0.4), start_s=0.1, rise_s=0.1, return_s=0.1, kept=1.0, slice_rad=0.4)
"""Moves everything by (0.6, -0.4) mm within 0.1-0.2 s and stays there."""

CONTACT_LOSS = ContactLoss(1.0, 0.2, 0.3, 1, 0.5, 2.0)

STILL = {"restlessness_mm": [0.0, 0.0], "restlessness_rad": [0.0, 0.0]}
"""Settings of a body that rests."""

TINY = PhantomSettings.from_mapping(
    {
        "duration_s": [1.0, 1.0],
        "clips_per_subject": 2,
        "twitches": {"clip_share": 0.7},
        "scan": {
            "fps": [FPS, FPS],
            "height_px": [64, 64],
            "width_px": [64, 64],
            "mm_per_px": [0.3, 0.3],
            "scatterers_per_cell": 3.0,
        },
    }
)
"""A clip of it takes a fraction of a second."""


def make_script(n_frames: int = 40, timeline: Timeline | None = None, **changes: object) -> Script:
    """A clip of plain frames at `FPS`, with whatever is given."""
    plain = Timeline.make(n_frames, FPS) if timeline is None else timeline
    return Script(plain, **changes)  # type: ignore[arg-type]


def make_places(frame: PictureFrame = FRAME) -> Positions:
    """Places (H W, 2) in mm of a picture's pixels, row by row."""
    columns, rows = np.meshgrid(np.arange(frame.width_px), np.arange(frame.height_px))
    pixels = np.stack([columns.ravel(), rows.ravel()], axis=-1)
    return (pixels * frame.mm_per_px).astype(np.float32)


def measure_size(twitch: Twitch, t_s: float, frame: PictureFrame = FRAME) -> np.ndarray:
    """Displacement (H, W) of a picture's pixels as a share of the twitch's peak."""
    move = twitch.displacement(make_places(frame), t_s)
    size = np.hypot(move[:, 0], move[:, 1]) / twitch.peak_mm
    return size.reshape(frame.height_px, frame.width_px)


def switch(share: float) -> dict[str, dict[str, float]]:
    """Every confounder and every effect of the recording at one share."""
    groups = PhantomSettings().to_mapping()
    return {
        group: {name: share for name in groups[group] if name.endswith("_share")}
        for group in ("confounders", "recording")
    }
