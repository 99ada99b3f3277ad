from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from fascnet.inference.kinematics.measure import measure_event
from fascnet.inference.kinematics.working_picture import WorkingPicture
from fascnet.types import Event, Kinematics, Point

from .moving_speckle import MovingSpeckle


def make_event(scene, late_s=0.0, away_px=0.0):
    return Event(
        scene.onset_s + late_s,
        scene.peak_s + 2.3 * scene.decay_s,
        peak_s=scene.peak_s,
        region=Point(scene.x + away_px, scene.y),
    )


def measure(scene, event=None, mm_per_px=0.1, times=slice(None)):
    picture = WorkingPicture((0, 0, scene.width, scene.height), mm_per_px)
    frames = [picture.shrink(frame) for frame in scene.frames()][times]
    return measure_event(frames, scene.times_s[times], make_event(scene) if event is None else event, picture)


@pytest.fixture(scope="module")
def plain():
    scene = MovingSpeckle()
    return scene, measure(scene)


def test_every_quantity_is_near_the_truth(plain):
    scene, found = plain
    assert found.quality > 0.85
    assert found.onset_s == pytest.approx(scene.onset_s, abs=0.5 / scene.fps)
    assert found.peak_s == pytest.approx(scene.peak_s, abs=0.5 / scene.fps)
    # The line through 20 % and 50 % cuts the foot of a rise that starts softly.
    assert found.contraction_s == pytest.approx(scene.peak_s - scene.onset_s, abs=1 / scene.fps)
    assert found.half_relaxation_s == pytest.approx(np.log(2) * scene.decay_s, rel=0.12)
    assert found.relaxation_s == pytest.approx(np.log(10) * scene.decay_s, rel=0.12)
    assert found.peak_mm == pytest.approx(scene.peak_mm, rel=0.08)
    assert found.peak_velocity_mm_per_s == pytest.approx(scene.peak_velocity_mm_per_s, rel=0.12)
    assert found.anisotropy > 0.95
    assert found.active_area_mm2 == pytest.approx(scene.core_mm2, rel=0.12)
    assert found.moving_area_mm2 == pytest.approx(scene.core_mm2 * np.log(0.15) / np.log(0.5), rel=0.12)
    assert (found.epicentre.x, found.epicentre.y) == pytest.approx((scene.x, scene.y), abs=6)


def test_a_moving_probe_changes_little(plain):
    scene = dataclasses.replace(plain[0], shift_mm=lambda t_s: (0.3 * np.sin(7 * t_s), 0.2 * t_s))
    found = measure(scene)
    assert found.peak_mm == pytest.approx(plain[1].peak_mm, rel=0.1)
    assert found.contraction_s == pytest.approx(plain[1].contraction_s, rel=0.1)
    assert found.active_area_mm2 == pytest.approx(plain[1].active_area_mm2, rel=0.15)


def test_a_late_onset_and_a_place_beside_it_change_little(plain):
    scene, straight = plain
    found = measure(scene, make_event(scene, late_s=0.06, away_px=15))
    assert found.onset_s == pytest.approx(straight.onset_s, abs=0.5 / scene.fps)
    assert found.peak_mm == pytest.approx(straight.peak_mm, rel=0.08)
    assert found.active_area_mm2 == pytest.approx(straight.active_area_mm2, rel=0.12)


def test_without_a_spacing_nothing_is_in_mm(plain):
    found = measure(plain[0], mm_per_px=None)
    in_mm = (found.peak_mm, found.peak_velocity_mm_per_s, found.active_area_mm2, found.moving_area_mm2)
    assert in_mm == (None, None, None, None)
    assert found.contraction_s == plain[1].contraction_s
    assert found.anisotropy == plain[1].anisotropy


def test_too_few_frames_in_the_rise_say_no_speed():
    found = measure(MovingSpeckle(fps=20.0))
    assert found.contraction_s is None
    assert found.peak_velocity_mm_per_s is None
    assert found.peak_mm == pytest.approx(0.3, rel=0.15)


def test_an_event_that_the_clip_cuts_off_is_measured_as_far_as_it_goes(plain):
    scene, straight = plain
    half_gone_s = scene.peak_s + 1.2 * scene.decay_s
    found = measure(scene, times=slice(0, round(half_gone_s * scene.fps)))
    assert found.relaxation_s is None
    assert found.half_relaxation_s == pytest.approx(straight.half_relaxation_s, abs=0.01)
    # Before half of it is gone nobody knows whether the peak is one.
    assert measure(scene, times=slice(0, round((scene.peak_s + 0.03) * scene.fps))).onset_s is None


def test_a_movement_that_stays_is_no_twitch(plain):
    assert measure(dataclasses.replace(plain[0], decay_s=30.0), make_event(plain[0])).onset_s is None


def test_a_core_too_small_for_a_motor_unit_is_not_measured(plain):
    assert measure(dataclasses.replace(plain[0], sigma_mm=1.0)).onset_s is None


def test_noise_alone_is_not_measured():
    found = measure(MovingSpeckle(peak_mm=0.0, noise=6.0))
    assert found == Kinematics(quality=found.quality)
    assert found.quality < 0.6


def test_repeated_frames_are_left_out(plain):
    scene, straight = plain
    picture = WorkingPicture((0, 0, scene.width, scene.height), 0.1)
    frames = scene.frames()
    # A converter from 60 to 120 Hz: every frame twice.
    doubled = [frame.copy() for frame in frames for _ in range(2)]
    times_s = np.arange(len(doubled)) / (2 * scene.fps)
    found = measure_event(doubled, times_s, make_event(scene), picture)
    assert found.contraction_s == pytest.approx(straight.contraction_s, rel=1e-9)
    # A codec has passed them.
    for frame in doubled[1::2]:
        frame[0, 0] ^= 1
    again = measure_event(doubled, times_s, make_event(scene), picture)
    assert again.peak_velocity_mm_per_s == pytest.approx(found.peak_velocity_mm_per_s, rel=1e-3)


@pytest.mark.parametrize("kept", [slice(0, 4), slice(31, 70), slice(0, 0)])
def test_no_quiet_frame_or_hardly_any_frame_gives_quality_zero(plain, kept):
    assert measure(plain[0], times=kept) == Kinematics(quality=0.0)


def test_no_place_gives_quality_zero(plain):
    event = dataclasses.replace(make_event(plain[0]), region=None)
    assert measure(plain[0], event) == Kinematics(quality=0.0)


@pytest.mark.parametrize("mm_per_px", [2e-4, 6e-4, 0.01])
def test_a_spacing_that_leaves_no_room_for_a_core_gives_no_kinematics(plain, mm_per_px):
    assert measure(plain[0], mm_per_px=mm_per_px) == Kinematics(quality=0.0)
