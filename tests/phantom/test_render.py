from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from fascnet.phantom import render
from fascnet.phantom.body.tissue import Scatterers
from fascnet.phantom.movement.picture_motion import ProbeJolt
from fascnet.phantom.movement.restlessness import draw_restlessness
from fascnet.phantom.recording.timeline import Timeline
from fascnet.phantom.render import TissuePicture, fill_scene, render_frames
from fascnet.phantom.scan.acquisition import make_scanner
from fascnet.phantom.scene import Scene, draw_scene, draw_subject
from fascnet.phantom.settings import PhantomSettings
from fascnet.phantom.truth import find_times

from .tiny import STILL, switch

SIZE = {"height_px": [160, 160], "width_px": [160, 160], "mm_per_px": [0.15, 0.25], "fps": [30.0, 30.0]}
SETTINGS = PhantomSettings.from_mapping(
    {"duration_s": [2.0, 2.0], "scan": SIZE, "body": STILL, **switch(0.0)}
)


def make_scene(seed: int, n_frames: int = 8, **script: object) -> Scene:
    """A scene without vessel, screen or confounders; `script` changes what happens in it."""
    subject = draw_subject(SETTINGS, "s0", np.random.default_rng(seed))
    scene = draw_scene(SETTINGS, subject, True, np.random.default_rng(500 + seed))
    scene = replace(scene, anatomy=replace(scene.anatomy, vessel=None))
    return replace(
        scene, script=replace(scene.script, **{"timeline": Timeline.make(n_frames, 30.0), **script})
    )


def set_scan(scene: Scene, **changes: object) -> Scene:
    return replace(scene, subject=replace(scene.subject, scan=replace(scene.subject.scan, **changes)))


def silence(scene: Scene) -> Scene:
    return set_scan(scene, noise_db=-80.0, persistence=0.0)


def make_places(scene: Scene) -> tuple[np.ndarray, np.ndarray]:
    scan = scene.subject.scan
    pixels = np.stack(np.meshgrid(np.arange(scan.width_px), np.arange(scan.height_px)), axis=-1)
    pixels = pixels.reshape(-1, 2).astype(np.float32)
    return pixels, (pixels * np.float32(scan.mm_per_px)).astype(np.float32)


def form_still_and_peak(scene: Scene) -> tuple[np.ndarray, np.ndarray, float]:
    """The picture at rest and at the first twitch's peak, without noise or persistence."""
    scene = silence(replace(scene, script=replace(scene.script, twitches=scene.script.twitches[:1])))
    peak_s = find_times(scene.script.twitches[0])[1]
    picture = TissuePicture(scene)
    return picture.form(0.0).copy(), picture.form(peak_s).copy(), peak_s


def test_the_same_scene_gives_the_same_bits() -> None:
    everything = PhantomSettings.from_mapping({"duration_s": [1.0, 1.0], "scan": SIZE, **switch(1.0)})
    subject = draw_subject(everything, "s0", np.random.default_rng(7))
    scene = draw_scene(everything, subject, True, np.random.default_rng(8))
    first, second = list(render_frames(scene)), list(render_frames(scene))
    assert len(first) == scene.script.timeline.n_frames == 30
    assert first[0].shape == scene.stored_size
    np.testing.assert_array_equal(first, second)


def test_a_yielded_frame_is_left_alone_by_the_next() -> None:
    copies, frames = [], []
    for frame in render_frames(make_scene(0)):
        frames.append(frame)
        copies.append(frame.copy())
    np.testing.assert_array_equal(frames, copies)


def test_the_core_moves_by_the_truth() -> None:
    """The scale of the true field that best undoes the movement in the core is 1 within a few percent.

    A plain scanner and a broad core: where tissue shears steeply, speckle changes more than it moves.
    """
    best = []
    for seed in range(6):
        scene = set_scan(make_scene(seed), looks=1, smoothing=0.6, sharpening=0.0)
        twitch = replace(scene.script.twitches[0], peak_mm=0.35, semi_short_mm=3.0, bend_mm=0.0, lobe_mm=0.0)
        scene = replace(scene, script=replace(scene.script, twitches=(twitch,)))
        still, peak, peak_s = form_still_and_peak(scene)
        pixels, places = make_places(scene)
        pitch = scene.subject.scan.mm_per_px
        mode = twitch.modes(places)[0]
        core = np.hypot(mode[:, 0], mode[:, 1]).reshape(still.shape) >= 0.5
        scales = np.arange(0.6, 1.41, 0.05)
        costs = []
        for scale in scales:
            source = pixels.copy()
            for _ in range(5):  # fixed point of x0 = x - d(x0)
                move = twitch.displacement((source * pitch).astype(np.float32), peak_s)
                source = pixels - scale * move / pitch
            source = source.reshape(*still.shape, 2).astype(np.float32)
            warped = cv2.remap(still, source[..., 0], source[..., 1], cv2.INTER_CUBIC)
            costs.append(-float(np.corrcoef(warped[core], peak[core])[0, 1]))
        best.append(float(scales[int(np.argmin(costs))]))
    assert np.median(best) == pytest.approx(1.0, abs=0.051)
    assert np.count_nonzero(np.abs(np.array(best) - 1) < 0.16) >= 4


def test_change_is_largest_in_the_core_and_absent_far_away() -> None:
    scene = make_scene(1)
    twitch = replace(scene.script.twitches[0], peak_mm=0.3)
    still, peak, _ = form_still_and_peak(replace(scene, script=replace(scene.script, twitches=(twitch,))))
    mode = twitch.modes(make_places(scene)[1])[0]
    size = np.hypot(mode[:, 0], mode[:, 1]).reshape(still.shape)
    change = np.abs(peak - still)
    assert change[size >= 0.5].mean() > 5 * change[size < 0.02].mean()


def test_out_of_plane_movement_brings_new_speckle(monkeypatch: pytest.MonkeyPatch) -> None:
    def fill_evenly(scene: Scene) -> Scatterers:
        """Tissue without structure, whose slices have nothing in common."""
        tissue = fill_scene(scene)
        parts = np.random.default_rng(0).standard_normal((2, 2, len(tissue.amplitudes)), dtype=np.float32)
        here, beside = (parts[0] + 1j * parts[1]).astype(np.complex64)
        return replace(tissue, amplitudes=here, slice_amplitudes=beside)

    monkeypatch.setattr(render, "fill_scene", fill_evenly)
    turn = ProbeJolt((0.0, 0.0), 0.0, 0.1, 1.0, 1.0, np.pi / 2)
    picture = TissuePicture(silence(make_scene(2, twitches=(), confounders=(turn,))))
    still, half, far = (picture.form(t_s)[20:].astype(float) for t_s in (0.0, 0.05, 0.1))
    alike = [np.corrcoef(still.ravel(), moved.ravel())[0, 1] for moved in (half, far)]
    assert alike[1] < 0.35 and alike[1] < alike[0] < 0.8
    assert far.mean() == pytest.approx(still.mean(), rel=0.05)


def test_at_rest_only_noise_changes() -> None:
    scene = make_scene(3, twitches=(), n_frames=3)
    first, *others = render_frames(silence(scene))
    for other in others:
        assert np.abs(first.astype(int) - other).max() <= 1
    noisy = list(render_frames(set_scan(scene, noise_db=-15.0)))
    assert np.any(noisy[0] != noisy[1])


def test_nothing_ever_rests_when_it_is_asked_for() -> None:
    restless = draw_restlessness(0.05, 0.4, 30.0, 1.0, np.random.default_rng(0))
    scene = silence(make_scene(3, twitches=(), n_frames=4))
    still = list(render_frames(scene))
    moving = list(render_frames(replace(scene, script=replace(scene.script, background=(restless,)))))
    change = [np.abs(np.diff(np.stack(frames).astype(int), axis=0)).mean() for frames in (still, moving)]
    assert change[1] > 10 * change[0] and change[1] > 0.3


def test_persistence_weighs_the_frame_before() -> None:
    jolt = ProbeJolt((1.0, 0.0), 0.0, 0.03, 1.0, 1.0, 0.0)
    scene = silence(make_scene(5, twitches=(), confounders=(jolt,)))
    sharp, picture = TissuePicture(scene), TissuePicture(set_scan(scene, persistence=0.25))
    still, moved = sharp.form(0.0).copy(), sharp.form(0.04).copy()
    np.testing.assert_array_equal(picture.form(0.0), still)
    np.testing.assert_allclose(picture.form(0.04), 0.75 * moved + 0.25 * still, atol=1e-3)
    assert np.abs(moved - still).max() > 20


def test_repeated_frames_repeat_and_time_goes_on_behind_a_freeze() -> None:
    jolt = ProbeJolt((1.0, 0.0), 0.0, 0.4, 1.0, 1.0, 0.0)
    plain = list(render_frames(silence(make_scene(4, 10, twitches=(), confounders=(jolt,)))))
    timeline = Timeline.make(10, 30.0, freezes=[(3, 5)], doubled=[7])
    cut = list(render_frames(silence(make_scene(4, timeline=timeline, twitches=(), confounders=(jolt,)))))
    shown = [0, 1, 2, 2, 2, 5, 6, 6, 7, 8]
    for stored, source in enumerate(shown):
        # Noise is drawn anew in each frame that is formed; here it is below a grey level.
        np.testing.assert_allclose(cut[stored], plain[source].astype(int), atol=1, err_msg=f"frame {stored}")
    for repeat, first in ((3, 2), (4, 2), (7, 6)):
        np.testing.assert_array_equal(cut[repeat], cut[first])
    assert np.abs(plain[2].astype(int) - plain[5]).max() > 10


def test_dropped_frames_are_missing() -> None:
    jolt = ProbeJolt((1.0, 0.0), 0.0, 0.4, 1.0, 1.0, 0.0)
    plain = list(render_frames(silence(make_scene(4, 10, twitches=(), confounders=(jolt,)))))
    timeline = Timeline.make(6, 30.0, dropped=[(2, 3)])
    cut = list(render_frames(silence(make_scene(4, timeline=timeline, twitches=(), confounders=(jolt,)))))
    for stored, source in enumerate([0, 1, 5, 6, 7, 8]):
        np.testing.assert_allclose(cut[stored], plain[source].astype(int), atol=1)


def test_gain_steps_brighten_from_their_moment_on() -> None:
    scene = silence(make_scene(4, 8, twitches=(), gain_steps=((6 / 30 - 1e-6, 5.0),)))
    means = [frame.mean() for frame in render_frames(scene)]
    assert np.ptp(means[:6]) < 1
    assert means[6] > means[5] + 5


def test_a_codec_and_a_screen_are_applied() -> None:
    plain = list(render_frames(make_scene(6, 4)))
    lossy = list(render_frames(make_scene(6, 4, codec=(20.0, 50, False))))
    for before, after in zip(plain, lossy, strict=True):
        difference = np.abs(before.astype(int) - after)
        assert 0 < difference.mean() < 20


def test_blood_is_new_in_every_frame_and_tissue_is_not() -> None:
    settings = PhantomSettings.from_mapping(
        {"duration_s": [1.0, 1.0], "scan": SIZE, "body": {**STILL, "vessel_share": 1.0}, **switch(0.0)}
    )
    subject = draw_subject(settings, "s0", np.random.default_rng(3))
    # Blood is nearly black; a wide dynamic range shows it.
    scene = silence(draw_scene(settings, subject, False, np.random.default_rng(4)))
    scene = set_scan(scene, dynamic_range_db=100.0, gain_db=10.0)
    vessel = scene.anatomy.vessel
    assert vessel is not None
    first, second = (frame.astype(int) for frame in list(render_frames(scene))[:2])
    distance = np.stack([one.distance(make_places(scene)[1]) for one in scene.anatomy.vessels]).min(axis=0)
    distance = distance.reshape(first.shape)
    change = np.abs(first - second)
    assert change[distance < 0.5 * vessel.radius_mm].mean() > 10 * change[distance > 6.0].mean()


@pytest.mark.parametrize("seed", range(4))
def test_frames_use_the_grey_scale(seed: int) -> None:
    frame = next(render_frames(make_scene(seed)))
    assert frame.dtype == np.uint8
    assert frame.shape == (160, 160)
    assert 15 < frame.mean() < 200
    assert frame.std() > 15
    assert np.mean(frame == 255) < 0.08


def test_scatterers_are_dense_enough_for_their_setting() -> None:
    scene = make_scene(0)
    scan = scene.subject.scan
    sparse, dense = (len(fill_scene(replace(scene, scatterers_per_cell=n)).positions_mm) for n in (5.0, 10.0))
    area_mm2 = (scan.width_px * scan.mm_per_px) * (scan.height_px * scan.mm_per_px)
    assert dense > 1.5 * sparse
    assert dense * scan.cell_area_mm2 / area_mm2 > 10.0


@pytest.mark.gpu
def test_the_gpu_shows_the_same() -> None:
    scene = make_scene(0, 4)
    assert make_scanner(scene.subject.scan, "cuda") is not None
    for first, second in zip(render_frames(scene), render_frames(scene, "cuda"), strict=True):
        difference = np.abs(first.astype(int) - second)
        assert difference.max() <= 1 and np.mean(difference > 0) < 1e-3
