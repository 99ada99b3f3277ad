"""Turns a scene into frames, one after the other: tissue moves, the scanner looks."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from fascnet.phantom.acquisition import Scanner
from fascnet.phantom.motion import Motion, Positions, combine_modes, superpose
from fascnet.phantom.scene import Scene
from fascnet.phantom.tissue import Layer, Scatterers, make_tissue


class TissueMotion:
    """Displacement of all scatterers over a clip; keeps the modes of ongoing movements only."""

    def __init__(self, scene: Scene, positions_mm: Positions) -> None:
        self._scene = scene
        self._positions_mm = positions_mm
        self._modes: dict[int, NDArray[np.float32]] = {}

    def displace(self, t_s: float) -> Positions:
        """Return the places (N, 2) in mm at a moment; moments must not go backwards."""
        places = self._positions_mm.copy()
        for index, motion in enumerate(self._scene.confounders):
            if t_s < motion.active_s[0]:
                continue
            courses = motion.courses(t_s)
            if np.any(courses != 0.0):
                places += combine_modes(self._find_modes(index, motion), courses)
        offset = len(self._scene.confounders)
        active = []
        for index, twitch in enumerate(self._scene.twitches, start=offset):
            if twitch.active_s[0] < t_s < twitch.active_s[1]:
                active.append(combine_modes(self._find_modes(index, twitch), twitch.courses(t_s)))
            elif t_s >= twitch.active_s[1]:
                self._modes.pop(index, None)
        if active:
            places += superpose(active)
        return places

    def slice_angle(self, t_s: float) -> float:
        """Out-of-plane movement of all confounders together, in rad."""
        return sum(motion.slice_angle(t_s) for motion in self._scene.confounders)

    def _find_modes(self, index: int, motion: Motion) -> NDArray[np.float32]:
        if index not in self._modes:
            self._modes[index] = motion.modes(self._positions_mm)
        return self._modes[index]


def fill_scene(scene: Scene) -> Scatterers:
    """Make the scatterers of a scene."""
    scan = scene.subject.scan
    return make_tissue(
        scene.anatomy,
        scan.width_px * scan.mm_per_px,
        scan.height_px * scan.mm_per_px,
        scene.scatterers_per_cell / scan.cell_area_mm2,
        np.random.default_rng(scene.tissue_seed),
    )


def render_frames(scene: Scene) -> Iterator[NDArray[np.uint8]]:
    """Yield the frames (H, W), uint8, of a clip in order; the same scene gives the same bits."""
    tissue = fill_scene(scene)
    motion = TissueMotion(scene, tissue.positions_mm)
    scanner = Scanner(scene.subject.scan)
    rng = np.random.default_rng(scene.noise_seed)
    blood = tissue.layers == Layer.BLOOD
    scanner.calibrate(scanner.form_envelope(tissue.positions_mm, tissue.amplitudes))
    persistence = np.float32(scene.subject.scan.persistence)
    shown: NDArray[np.float32] | None = None
    for index in range(scene.n_frames):
        t_s = index / scene.subject.fps
        if shown is not None and index in scene.lost_frames:
            yield np.rint(shown).astype(np.uint8)
            continue
        angle = motion.slice_angle(t_s)
        amplitudes = tissue.amplitudes
        if angle != 0.0:
            amplitudes = amplitudes * np.float32(np.cos(angle)) + tissue.slice_amplitudes * np.float32(
                np.sin(angle)
            )
        if blood.any():
            # Blood flows through the plane: new cells in every frame.
            amplitudes = amplitudes.copy()
            amplitudes[blood] *= np.exp(2j * np.pi * rng.random(int(blood.sum()))).astype(np.complex64)
        envelope = scanner.form_envelope(motion.displace(t_s), amplitudes, rng)
        gain_db = sum(step_db for step_s, step_db in scene.gain_steps if step_s <= t_s)
        grey = scanner.compress(envelope, gain_db)
        shown = grey if shown is None else grey + persistence * (shown - grey)
        yield np.rint(shown).astype(np.uint8)
