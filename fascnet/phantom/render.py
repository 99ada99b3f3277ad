"""Turns a scene into frames, one after the other: tissue moves, the scanner looks."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from fascnet.phantom.body.tissue import Layer, Scatterers, make_tissue
from fascnet.phantom.movement.tissue_motion import TissueMotion
from fascnet.phantom.recording.recorder import Recorder
from fascnet.phantom.scan.acquisition import make_scanner
from fascnet.phantom.scene import Scene


def fill_scene(scene: Scene) -> Scatterers:
    """Make the scatterers of a scene."""
    scan = scene.subject.scan
    return make_tissue(
        scene.anatomy,
        scan.width_px * scan.mm_per_px,
        scan.height_px * scan.mm_per_px,
        scene.scatterers_per_cell / scan.cell_area_mm2,
        np.random.default_rng(scene.tissue_seed),
        wavelength_mm=scan.wavelength_mm,
    )


# A table: single-precision sines differ in the last bit from processor to processor.
_TURNS = np.exp(2j * np.pi * np.arange(1024) / 1024).astype(np.complex64)


class TissuePicture:
    """The scanner's picture of a scene, moment by moment; moments must not go backwards."""

    def __init__(self, scene: Scene, device: str = "cpu") -> None:
        tissue = fill_scene(scene)
        self._tissue = tissue
        self._script = scene.script
        self._motion = TissueMotion(scene.script, tissue.positions_mm)
        self._scanner = make_scanner(scene.subject.scan, device)
        self._rng = np.random.default_rng(scene.noise_seed)
        self._blood = np.flatnonzero(tissue.layers == Layer.BLOOD)
        self._scanner.calibrate(self._scanner.form_envelope(tissue.positions_mm, tissue.amplitudes))
        self._persistence = np.float32(scene.subject.scan.persistence)
        self._shown: NDArray[np.float32] | None = None

    def form(self, t_s: float) -> NDArray[np.float32]:
        """Return the picture (H, W), 0-255, of a moment of the scan."""
        angle = self._motion.slice_angle(t_s)
        amplitudes = self._tissue.amplitudes
        if angle != 0.0:
            amplitudes = amplitudes * np.float32(np.cos(angle))
            amplitudes += self._tissue.slice_amplitudes * np.float32(np.sin(angle))
        if len(self._blood):
            # Blood flows through the plane: new cells in every frame.
            turns = _TURNS[self._rng.integers(0, len(_TURNS), len(self._blood))]
            amplitudes = amplitudes.copy()
            amplitudes[self._blood] *= turns
        envelope = self._scanner.form_envelope(self._motion.displace(t_s), amplitudes, self._rng)
        grey = self._scanner.compress(envelope, self._script.find_gain_db(t_s))
        if self._shown is not None:
            grey = grey + self._persistence * (self._shown - grey)
        self._shown = grey
        return grey


def render_frames(scene: Scene, device: str = "cpu") -> Iterator[NDArray[np.uint8]]:
    """Yield the stored frames of a clip in order; the same scene gives the same bits.

    Args:
        scene: what the clip shows.
        device: `cpu` or `cuda`; the same greys but for rounding.

    Yields:
        Frames, uint8: (H, W) of the picture, or of the screen around it.
    """
    script, subject = scene.script, scene.subject
    recorder = Recorder(script, scene.screen, subject.scan.dynamic_range_db, subject.scan.mm_per_px)
    picture = TissuePicture(scene, device)
    stored: NDArray[np.uint8] | None = None
    for t_s, is_repeat in zip(script.timeline.source_s, script.timeline.repeats, strict=True):
        if stored is None or not is_repeat:
            stored = recorder.store(picture.form(float(t_s)), float(t_s))
        yield stored
