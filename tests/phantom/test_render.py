from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from fascnet.phantom.picture_motion import ProbeJolt
from fascnet.phantom.render import TissueMotion, fill_scene, render_frames
from fascnet.phantom.scene import Scene, draw_scene, draw_subject
from fascnet.phantom.settings import PhantomSettings
from fascnet.phantom.truth import find_times

SETTINGS = PhantomSettings(duration_s=(2.0, 2.0), height_px=(160, 160), width_px=(160, 160))


def make_scene(seed: int, **changes: object) -> Scene:
    subject = draw_subject(SETTINGS, "s0", np.random.default_rng(seed))
    scene = draw_scene(SETTINGS, subject, True, np.random.default_rng(500 + seed))
    return replace(scene, **({"confounders": (), "gain_steps": (), "lost_frames": frozenset()} | changes))


def render_still_and_peak(scene: Scene) -> tuple[np.ndarray, np.ndarray, float]:
    """A frame at rest and one at the first twitch's peak, without noise, persistence or vessel."""
    peak_s = find_times(scene.twitches[0])[1]
    scan = replace(scene.subject.scan, noise_db=-80.0, persistence=0.0)
    quiet = replace(
        scene,
        n_frames=2,
        twitches=scene.twitches[:1],
        anatomy=replace(scene.anatomy, vessel=None),
        subject=replace(scene.subject, fps=1 / peak_s, scan=scan),
    )
    still, peak = render_frames(quiet)
    return still.astype(np.float32), peak.astype(np.float32), peak_s


def make_places(scene: Scene) -> tuple[np.ndarray, np.ndarray]:
    scan = scene.subject.scan
    pixels = np.stack(np.meshgrid(np.arange(scan.width_px), np.arange(scan.height_px)), axis=-1).reshape(
        -1, 2
    )
    return pixels.astype(np.float32), (pixels * scan.mm_per_px).astype(np.float32)


def test_the_same_scene_gives_the_same_bits() -> None:
    scene = replace(make_scene(0), n_frames=8)
    for first, second in zip(render_frames(scene), render_frames(scene), strict=True):
        np.testing.assert_array_equal(first, second)


def test_the_core_moves_by_the_truth() -> None:
    """The scale of the true field that best undoes the movement in the core is 1 within a few percent."""
    best = []
    for seed in range(8):
        scene = make_scene(seed)
        twitch = replace(scene.twitches[0], peak_mm=max(scene.twitches[0].peak_mm, 0.25))
        scene = replace(scene, twitches=(twitch,))
        still, peak, peak_s = render_still_and_peak(scene)
        pixels, places = make_places(scene)
        pitch = scene.subject.scan.mm_per_px
        mode = twitch.modes(places)[0]
        core = np.hypot(mode[:, 0], mode[:, 1]).reshape(still.shape) >= 0.5
        scales = np.arange(0.6, 1.41, 0.05)
        costs = []
        for scale in scales:
            source = pixels.copy()
            for _ in range(5):  # fixed point of x0 = x - d(x0)
                source = (
                    pixels - scale * twitch.displacement((source * pitch).astype(np.float32), peak_s) / pitch
                )
            source = source.reshape(*still.shape, 2).astype(np.float32)
            warped = cv2.remap(still, source[..., 0], source[..., 1], cv2.INTER_CUBIC)
            costs.append(float(np.square(warped - peak)[core].mean()))
        best.append(float(scales[int(np.argmin(costs))]))
    assert abs(np.mean(best) - 1) < 0.06
    assert np.ptp(best) < 0.35


def test_change_is_largest_in_the_core_and_absent_far_away() -> None:
    scene = make_scene(1)
    still, peak, _ = render_still_and_peak(scene)
    _, places = make_places(scene)
    mode = scene.twitches[0].modes(places)[0]
    size = np.hypot(mode[:, 0], mode[:, 1]).reshape(still.shape)
    change = np.abs(peak - still)
    assert change[size >= 0.5].mean() > 5 * change[size < 0.02].mean()


def test_out_of_plane_movement_changes_speckle_without_moving_it() -> None:
    turn = ProbeJolt((0.0, 0.0), 0.0, 0.5, 1.0, 1.0, np.pi / 2)
    scene = make_scene(2)
    scan = replace(scene.subject.scan, noise_db=-80.0, persistence=0.0)
    subject = replace(scene.subject, fps=2.0, scan=scan)
    frames = list(
        render_frames(replace(scene, subject=subject, n_frames=2, twitches=(), confounders=(turn,)))
    )
    scanned = [frame[60:120].astype(float) for frame in frames]
    scanned = [frame - cv2.GaussianBlur(frame, (0, 0), 4) for frame in scanned]
    assert abs(np.corrcoef(scanned[0].ravel(), scanned[1].ravel())[0, 1]) < 0.5


def test_at_rest_only_noise_changes() -> None:
    scene = replace(make_scene(3), twitches=(), n_frames=3)
    scene = replace(scene, anatomy=replace(scene.anatomy, vessel=None))
    quiet = replace(scene, subject=replace(scene.subject, scan=replace(scene.subject.scan, noise_db=-80.0)))
    first, *others = render_frames(quiet)
    for other in others:
        assert np.abs(first.astype(int) - other).max() <= 3
    noisy = list(render_frames(scene))
    assert np.any(noisy[0] != noisy[1])


def test_lost_frames_repeat_and_gain_steps_brighten() -> None:
    scene = replace(
        make_scene(4), n_frames=8, lost_frames=frozenset({3, 4}), gain_steps=((6 / 30 - 1e-6, 5.0),)
    )
    frames = list(render_frames(scene))
    np.testing.assert_array_equal(frames[3], frames[2])
    np.testing.assert_array_equal(frames[4], frames[2])
    assert np.any(frames[5] != frames[4])
    assert frames[7].mean() > frames[5].mean() + 5


def test_modes_of_past_twitches_are_let_go() -> None:
    scene = make_scene(5)
    twitches = tuple(replace(scene.twitches[0], start_s=0.2 + 3 * k) for k in range(4))
    scene = replace(scene, twitches=twitches)
    positions = fill_scene(scene).positions_mm[:500]
    motion = TissueMotion(scene, positions)
    for t_s in np.arange(0, 15, 0.05):
        motion.displace(float(t_s))
        assert len(motion._modes) <= 1
    np.testing.assert_array_equal(motion.displace(15.0), positions)


@pytest.mark.parametrize("seed", range(4))
def test_frames_use_the_grey_scale(seed: int) -> None:
    frame = next(render_frames(make_scene(seed)))
    assert frame.dtype == np.uint8
    assert frame.shape == (160, 160)
    assert 20 < frame.mean() < 150
    assert frame.std() > 20
    assert np.mean(frame == 255) < 0.05
