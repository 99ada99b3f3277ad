from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from fascnet.data.recording.recordings import open_recording
from fascnet.phantom.implant.implantation import (
    GRID_STEP_PX,
    Implanter,
    find_reach_px,
    invert_field,
    refine_field,
    shift_picture,
)
from fascnet.phantom.movement.motion import Motion, Twitch
from fascnet.phantom.movement.picture_motion import ProbeDrift
from fascnet.phantom.recording.timeline import Timeline
from fascnet.phantom.script import Script

from .test_subpixel import make_speckle

PITCH_MM = 0.1
SHAPE = (200, 240)
TWITCH = Twitch(
    centre_mm=(12.0, 11.0),
    semi_long_mm=5.0,
    semi_short_mm=2.5,
    axis_rad=0.2,
    pull=(1.0, 0.2),
    shortening=0.5,
    bulge=0.8,
    halo_mm=4.0,
    halo_level=0.3,
    peak_mm=0.3,
    start_s=0.2,
    contraction_s=0.1,
    relaxation_s=0.2,
)
PEAK_S = 0.3


def make_script(*motions: Motion, twitches: tuple[Twitch, ...] = ()) -> Script:
    return Script(Timeline.make(60, 30.0), twitches=twitches, confounders=motions)


def make_steady_shift(x_px: float, y_px: float, pitch_mm: float) -> Script:
    """A drift that stands at its largest at 1 s."""
    return make_script(ProbeDrift((x_px * pitch_mm, y_px * pitch_mm), (0.25, 0.25), 0.0, 2.0))


def measure_shift(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Register by the enhanced correlation coefficient (OpenCV; another interpolation than ours)."""
    warp = np.eye(2, 3, dtype=np.float32)
    stop = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 200, 1e-7)
    before, after = before.astype(np.float32), after.astype(np.float32)
    return cv2.findTransformECC(before, after, warp, cv2.MOTION_TRANSLATION, stop, None, 5)[1][:, 2]


def move(script: Script, picture: np.ndarray, t_s: float, pitch_mm: float = PITCH_MM) -> np.ndarray:
    moved = Implanter(script, picture.shape, pitch_mm).move(picture.astype(np.float32), t_s)
    return np.rint(np.clip(moved, 0, 255)).astype(np.uint8)


def find_places(shape: tuple[int, int] = SHAPE, pitch_mm: float = PITCH_MM) -> np.ndarray:
    rows, columns = np.mgrid[0 : shape[0], 0 : shape[1]]
    return (np.stack([columns, rows], axis=-1) * pitch_mm).astype(np.float32)


def test_the_shift_leads_back_to_where_the_tissue_rests() -> None:
    implanter = Implanter(make_script(twitches=(TWITCH,)), SHAPE, PITCH_MM)
    shift = implanter.find_shift(PEAK_S)
    places = find_places()
    resting = places + shift * PITCH_MM
    moved = resting + TWITCH.displacement(resting.reshape(-1, 2), PEAK_S).reshape(places.shape)
    error_px = (moved - places) / PITCH_MM
    assert np.hypot(shift[..., 0], shift[..., 1]).max() == pytest.approx(0.3 / PITCH_MM, rel=0.02)
    assert np.abs(error_px).max() < 0.01
    # Taking d(x) for d(x0), a common short cut, would be off by more than the error allowed here.
    assert (
        np.abs(
            shift * PITCH_MM + TWITCH.displacement(places.reshape(-1, 2), PEAK_S).reshape(places.shape)
        ).max()
        > 0.01
    )


def test_a_field_is_refined_without_bending_straight_lines() -> None:
    nodes = [(np.arange(-(-size // GRID_STEP_PX) + 9) - 4) * GRID_STEP_PX for size in SHAPE]
    rows, columns = np.meshgrid(*nodes, indexing="ij")
    field = np.stack([0.03 * columns - 1, 0.02 * rows + 0.01 * columns], axis=-1).astype(np.float32)
    y, x = np.mgrid[0 : SHAPE[0], 0 : SHAPE[1]]
    expected = np.stack([0.03 * x - 1, 0.02 * y + 0.01 * x], axis=-1)
    np.testing.assert_allclose(refine_field(field, SHAPE), expected, atol=1e-4)


def test_nothing_moves_before_and_after() -> None:
    picture = make_speckle(1.5, shape=SHAPE)
    implanter = Implanter(make_script(twitches=(TWITCH,)), SHAPE, PITCH_MM)
    assert implanter.move(picture, 0.1) is picture
    assert implanter.move(picture, PEAK_S) is not picture
    assert implanter.move(picture, 3.0) is picture
    assert not np.any(invert_field(np.zeros((5, 6, 2), np.float32)))


def test_far_from_the_core_the_frame_stays_bit_for_bit() -> None:
    picture = make_speckle(1.5, shape=(400, 500))
    moved = Implanter(make_script(twitches=(TWITCH,)), picture.shape, PITCH_MM).move(picture, PEAK_S)
    assert np.array_equal(moved[-60:], picture[-60:])
    assert np.array_equal(moved[:, -60:], picture[:, -60:])


def test_simultaneous_twitches_add_less_than_linearly() -> None:
    script = make_script(twitches=(TWITCH, TWITCH))
    both = Implanter(script, SHAPE, PITCH_MM).find_shift(PEAK_S)
    one = Implanter(make_script(twitches=(TWITCH,)), SHAPE, PITCH_MM).find_shift(PEAK_S)
    assert np.abs(both).max() / np.abs(one).max() == pytest.approx(2 ** (1 / 1.5), rel=0.02)


def test_held_edges_stay_still() -> None:
    picture = make_speckle(1.5, shape=SHAPE)
    script = make_steady_shift(2, 1, PITCH_MM)
    moved = Implanter(script, SHAPE, PITCH_MM, hold_px=15).move(picture, 1.0)
    for edge in (np.s_[0], np.s_[-1], np.s_[:, 0], np.s_[:, -1]):
        assert np.abs(moved[edge] - picture[edge]).max() < 5
    assert measure_shift(picture[60:140, 60:180], moved[60:140, 60:180]) == pytest.approx([2, 1], abs=0.05)


def test_reach_is_what_comes_in_from_outside() -> None:
    times_s = [k / 30 for k in range(31)]
    assert find_reach_px(make_steady_shift(3.2, -2.4, PITCH_MM), SHAPE, PITCH_MM, times_s) == (4, 0, 0, 3)
    assert find_reach_px(make_script(twitches=()), SHAPE, PITCH_MM, times_s) == (0, 0, 0, 0)


@pytest.mark.parametrize("size_px", [0.1, 0.3, 0.5, 1.0, 1.7, 3.0])
def test_uniform_shifts_of_speckle_are_measured_as_stated(size_px: float) -> None:
    picture = np.rint(make_speckle(1.2, shape=SHAPE))
    moved = move(make_steady_shift(size_px, -0.6 * size_px, PITCH_MM), picture, 1.0)
    inner = (slice(30, -30), slice(30, -30))
    assert measure_shift(picture[inner], moved[inner]) == pytest.approx([size_px, -0.6 * size_px], abs=0.03)


REAL = (
    "muscle/neurosense_sample2_first15s.mp4",
    "muscle/gm_p6_passive_ROM_01_push_01.mp4",
    "muscle/flowave_brachial_DemoBMode.mov",
    "muscle/derived/plus_BoneUltrasound_L14_ffv1_gray.avi",
)


def read_frames(path: Path, count: int) -> np.ndarray:
    recording = open_recording(path)
    x0, y0, x1, y1 = recording.info.box
    frames = [f.image[y0:y1, x0:x1] for _, f in zip(range(count), recording.frames(), strict=False)]
    return np.stack(frames)


@pytest.mark.real
@pytest.mark.parametrize("name", REAL)
def test_uniform_shifts_of_real_frames_within_a_twentieth_of_a_pixel(real_data: Path, name: str) -> None:
    frame = read_frames(real_data / name, 1)[0]
    height, width = frame.shape
    inner = (slice(height // 4, -height // 4), slice(width // 4, -width // 4))
    errors = []
    for size_px in (0.1, 0.25, 0.5, 0.8, 1.3, 3.0):
        moved = move(make_steady_shift(size_px, 0.6 * size_px, PITCH_MM), frame, 1.0)
        errors.append(measure_shift(frame[inner], moved[inner]) - (size_px, 0.6 * size_px))
    assert np.sqrt(np.mean(np.square(errors))) < 0.05


@pytest.mark.real
@pytest.mark.parametrize("name", REAL)
def test_twitches_in_real_frames_move_the_core_as_stated(real_data: Path, name: str) -> None:
    frame = read_frames(real_data / name, 1)[0]
    pitch_mm = 40.0 / frame.shape[0]
    places = find_places(frame.shape, pitch_mm)
    half, errors = round(2.0 / pitch_mm), []
    for share in (0.3, 0.5, 0.7):
        centre = (share * frame.shape[1] * pitch_mm, 0.3 * 40.0)
        twitch = replace(TWITCH, centre_mm=centre)
        moved = move(make_script(twitches=(twitch,)), frame, PEAK_S, pitch_mm)
        # What stands at x0 + d(x0) must be what stood at x0; d comes from the twitch itself, not inverted.
        there = (places + twitch.displacement(places.reshape(-1, 2), PEAK_S).reshape(places.shape)) / pitch_mm
        back = cv2.remap(moved.astype(np.float32), there, None, cv2.INTER_LANCZOS4)
        for x_mm, y_mm in ((-2.0, 0.0), (0.0, 0.0), (2.0, 0.0), (0.0, 2.0)):
            x, y = round((centre[0] + x_mm) / pitch_mm), round((centre[1] + y_mm) / pitch_mm)
            window = (slice(y - half, y + half), slice(x - half, x + half))
            errors.append(measure_shift(frame[window], back[window]))
    assert np.sqrt(np.mean(np.square(errors))) < 0.05


@pytest.mark.real
@pytest.mark.parametrize("name", REAL)
def test_neither_sharpness_nor_noise_gives_the_implant_away(real_data: Path, name: str) -> None:
    frames = read_frames(real_data / name, 8).astype(np.float32)
    # The upper quarter of tissue: below it one clip shows a colour box of single lines, which no muscle is.
    height, width = frames.shape[1:]
    inner = (slice(height // 12, height // 3), slice(width // 10, -width // 6))
    for size_px in (0.15, 0.3, 0.5, 1.4):
        shift = np.full((height, width, 2), size_px, np.float32) * np.float32([1, 0.7])
        moved = np.rint(np.clip([shift_picture(frame, shift) for frame in frames], 0, 255)).astype(np.float32)
        sharp = [
            np.mean([cv2.Laplacian(f, cv2.CV_32F)[inner].std() for f in some]) for some in (moved, frames)
        ]
        noise = [np.diff(some, axis=0)[(slice(None), *inner)].std() for some in (moved, frames)]
        assert sharp[0] / sharp[1] == pytest.approx(1, abs=0.05)
        assert noise[0] / noise[1] == pytest.approx(1, abs=0.06)
