"""Draws what one clip shows: a subject's body and scanner, the screen, and what happens in it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from fascnet.phantom.body.subject import Subject, draw_subject, draw_vein, draw_vessel
from fascnet.phantom.body.tissue import Anatomy
from fascnet.phantom.chance import draw, draw_mostly_low
from fascnet.phantom.movement.confounders import ARTERIAL_PULSATION
from fascnet.phantom.movement.motion import Motion
from fascnet.phantom.movement.restlessness import draw_restlessness
from fascnet.phantom.outline import PictureFrame
from fascnet.phantom.recording.screen_layout import ScreenLayout
from fascnet.phantom.recording.screen_marks import draw_colour_box, draw_marks
from fascnet.phantom.recording.screen_styles import draw_layout
from fascnet.phantom.script import Script, draw_script
from fascnet.phantom.settings import BodyRanges, PhantomSettings
from fascnet.types import PixelBox

_ARTERY_IN_VIEW_SHARE = 0.6

__all__ = ["PhantomSettings", "Scene", "Subject", "draw_scene", "draw_subject"]


@dataclass(frozen=True)
class Scene:
    """All that one clip shows.

    Attributes:
        subject: whose clip it is.
        anatomy: the subject's anatomy at this place, with the clip's vessel.
        script: what happens, and when.
        screen: the scanner's screen or marks around and on the picture; None for the bare picture.
        tissue_seed: seed of the scatterers.
        noise_seed: seed of the electronic noise and the blood.
        scatterers_per_cell: density at the focus.
    """

    subject: Subject
    anatomy: Anatomy
    script: Script
    screen: ScreenLayout | None
    tissue_seed: int
    noise_seed: int
    scatterers_per_cell: float

    @property
    def picture_box(self) -> PixelBox:
        """Where the picture lies in the stored frame."""
        scan = self.subject.scan
        return (0, 0, scan.width_px, scan.height_px) if self.screen is None else self.screen.box

    @property
    def picture_frame(self) -> PictureFrame:
        """Where the moving picture lies, as the truth needs it."""
        scan = self.subject.scan
        return PictureFrame(scan.height_px, scan.width_px, scan.mm_per_px, self.picture_box[:2])

    @property
    def stored_size(self) -> tuple[int, int]:
        """Rows and columns of the stored frame."""
        scan = self.subject.scan
        if self.screen is None:
            return (scan.height_px, scan.width_px)
        return (self.screen.height_px, self.screen.width_px)


def draw_scene(
    settings: PhantomSettings, subject: Subject, has_twitches: bool, rng: np.random.Generator
) -> Scene:
    """Draw one clip of a subject."""
    n_frames = max(round(draw_mostly_low(settings.duration_s, rng) * subject.fps), 2)
    anatomy = replace(
        subject.anatomy,
        fat_mm=subject.anatomy.fat_mm * draw((0.85, 1.15), rng),
        slope=subject.anatomy.slope + draw((-0.015, 0.015), rng),
        fibre_rad=subject.anatomy.fibre_rad + draw((-0.04, 0.04), rng),
    )
    has_vessel = rng.random() < settings.body.vessel_share
    has_overlay = bool(rng.random() < settings.recording.overlay_share)
    has_colour_box = bool(rng.random() < settings.recording.colour_box_share)
    vessel = draw_vessel(anatomy, subject.scan, rng)
    vein = draw_vein(vessel, rng)
    # Most arteries that move the picture are in it; some lie beside or below.
    is_near = bool(rng.random() < _ARTERY_IN_VIEW_SHARE)
    if has_vessel or has_colour_box or is_near:
        anatomy = replace(anatomy, vessel=vessel, vein=vein)
    script = draw_script(
        settings.twitches,
        settings.confounders,
        settings.recording,
        subject.scan,
        anatomy,
        n_frames,
        subject.fps,
        has_twitches,
        rng,
    )
    pulsates = any(motion.label == ARTERIAL_PULSATION for motion in script.confounders)
    if not (has_vessel or has_colour_box or pulsates):
        anatomy = replace(anatomy, vessel=None, vein=None)
    # A stream of its own: switching it off leaves everything else as it is.
    rest = _draw_rest(settings.body, subject, script.timeline.scan_duration_s, rng.spawn(1)[0])
    return Scene(
        subject=subject,
        anatomy=anatomy,
        script=replace(script, background=rest),
        screen=_draw_screen(subject, anatomy, has_overlay, has_colour_box, rng),
        tissue_seed=int(rng.integers(2**32)),
        noise_seed=int(rng.integers(2**32)),
        scatterers_per_cell=settings.scan.scatterers_per_cell,
    )


def _draw_rest(
    body: BodyRanges, subject: Subject, duration_s: float, rng: np.random.Generator
) -> tuple[Motion, ...]:
    """Return how the clip never rests; nothing where that is switched off."""
    size_mm, size_rad = draw(body.restlessness_mm, rng), draw(body.restlessness_rad, rng)
    if size_mm == 0.0 and size_rad == 0.0:
        return ()
    depth_mm = subject.scan.height_px * subject.scan.mm_per_px
    return (draw_restlessness(size_mm, size_rad, depth_mm, duration_s, rng),)


def _draw_screen(
    subject: Subject, anatomy: Anatomy, has_overlay: bool, has_colour_box: bool, rng: np.random.Generator
) -> ScreenLayout | None:
    """Return the subject's screen with the clip's marks on it; None when there is nothing but the picture."""
    scan = subject.scan
    if subject.screen_seed is not None:
        # One scanner, one screen: the same for all clips of a subject.
        own = np.random.default_rng(subject.screen_seed)
        layout = draw_layout(scan.height_px, scan.width_px, scan.mm_per_px, own, fps=subject.fps)
    elif has_overlay or has_colour_box:
        layout = ScreenLayout(
            "bare", scan.height_px, scan.width_px, (0, 0, scan.width_px, scan.height_px), background=0
        )
    else:
        return None
    if has_overlay:
        caption = f"{subject.muscle.replace('_', ' ')} {subject.side}"
        layout = draw_marks(layout, scan.mm_per_px, caption, rng)
    if has_colour_box and anatomy.vessel is not None:
        layout = draw_colour_box(layout, anatomy.vessel, scan.mm_per_px, rng)
    return layout
