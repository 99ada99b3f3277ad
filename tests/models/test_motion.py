from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from fascnet.models.blocks import State
from fascnet.models.motion import (
    END_OF_CLIP,
    MotionFrontEnd,
    blur,
    make_displacement_filter,
)
from tests.data.tiny import make_texture, shift

TICK = 1 / 30
FINE_X, FINE_Y, COARSE_X, LONG_X, SHORT_X, CONFIDENCE, PROBE_X, PROBE_Y, LOG_NOISE = (
    0,
    1,
    4,
    6,
    8,
    11,
    14,
    15,
    16,
)


def expand(x: torch.Tensor) -> torch.Tensor:
    """Undo `compress`."""
    return torch.copysign(torch.expm1(x.abs()), x)


def measure(frames: NDArray[np.float64], dt_s: list[float] | None = None) -> Tensor:
    """Channels (T, C, h, w) of frames (T, H, W) with grey 0-255."""
    grey = torch.tensor(frames / 255.0, dtype=torch.float32)[None]
    dt = torch.tensor([dt_s if dt_s is not None else [0.0] + [TICK] * (len(frames) - 1)], dtype=torch.float32)
    with torch.no_grad():
        return MotionFrontEnd()(grey, dt, {})[0]


def measure_fine(frames: NDArray[np.float64], dt_s: list[float] | None = None) -> Tensor:
    """Fine velocity before the probe's is taken away, (T, 2, h, w) pixels per tick."""
    out = measure(frames, dt_s)
    residual = expand(out[:, :2]) / 4.0
    return residual + expand(out[:, PROBE_X : PROBE_Y + 1]) / 2.0


def move_disc(still: NDArray[np.float64], dx: float, dy: float, radius: float = 14.0) -> NDArray[np.float64]:
    """Move a disc in the middle, and nothing else."""
    height, width = still.shape
    yy, xx = np.mgrid[:height, :width]
    inside = np.hypot(yy - height / 2, xx - width / 2) < radius
    return np.where(inside, shift(still, dx, dy), still)


@pytest.mark.parametrize(("dx", "dy"), [(0.25, 0.0), (0.0, -0.4), (0.5, 0.5), (-0.8, 0.3), (0.05, 0.1)])
def test_shifts_below_a_pixel_are_measured(dx: float, dy: float) -> None:
    still = make_texture(96, 96, seed=1, sigma_px=2.0)
    velocity = measure_fine(np.stack([still, shift(still, dx, dy)]))[1]
    got_x, got_y = (float(velocity[axis, 4:-4, 4:-4].median()) for axis in (0, 1))
    size = np.hypot(dx, dy)
    assert got_x == pytest.approx(dx, abs=0.06 * size)
    assert got_y == pytest.approx(dy, abs=0.06 * size)


def test_a_shift_of_the_whole_image_is_the_probe_and_none_of_the_tissue() -> None:
    still = make_texture(96, 96, seed=2, sigma_px=2.0)
    out = measure(np.stack([still, shift(still, 0.5, 0.0)]))[1]
    assert float(expand(out[PROBE_X, 0, 0]) / 2) == pytest.approx(0.5, abs=0.03)
    assert float((expand(out[FINE_X]) / 4)[4:-4, 4:-4].abs().median()) < 0.03


def stretch(still: NDArray[np.float64], share: float) -> NDArray[np.float64]:
    """Stretch about the middle along x."""
    width = still.shape[1]
    x = np.arange(width, dtype=np.float64)
    source = (x - width / 2) / (1 + share) + width / 2
    return np.stack([np.interp(source, x, row) for row in still])


def test_a_picture_that_is_stretched_shows_no_motion_of_the_tissue() -> None:
    still = make_texture(96, 192, seed=14, sigma_px=2.0)
    frames = torch.tensor(np.stack([still, stretch(still, 0.01)]) / 255.0, dtype=torch.float32)[None]
    left = {}
    for kind in ("shift", "affine"):
        out = MotionFrontEnd(global_motion=kind)(frames, torch.tensor([[0.0, TICK]]), {})[0, 1]
        left[kind] = float((expand(out[FINE_X]) / 4)[4:-4, 4:-4].abs().mean())
    assert left["shift"] > 0.3
    assert left["affine"] < 0.1 * left["shift"]


def test_an_unknown_global_motion_is_refused() -> None:
    with pytest.raises(ValueError, match="global_motion is tilt; give one of none, shift, affine"):
        MotionFrontEnd(global_motion="tilt")


def test_a_disc_that_moves_stands_out_and_is_not_the_probe() -> None:
    still = make_texture(96, 96, seed=3, sigma_px=2.0)
    out = measure(np.stack([still, move_disc(still, 0.6, 0.0)]))[1]
    residual = expand(out[FINE_X]) / 4
    assert float(residual[11:13, 11:13].mean()) == pytest.approx(0.6, rel=0.15)
    assert float(residual[:5].abs().max()) < 0.05
    assert abs(float(out[PROBE_X, 0, 0])) < 0.02


def test_velocity_is_per_thirtieth_of_a_second() -> None:
    still = make_texture(96, 96, seed=4, sigma_px=2.0)
    frames = np.stack([still, shift(still, 0.4, 0.0)])
    at_30, at_15 = (measure_fine(frames, [0.0, dt])[1, 0, 4:-4, 4:-4].median() for dt in (TICK, 2 * TICK))
    assert float(at_15 / at_30) == pytest.approx(0.5, abs=1e-3)


def test_frames_too_far_apart_are_not_compared() -> None:
    still = make_texture(96, 96, seed=4)
    assert measure_fine(np.stack([still, shift(still, 0.4, 0.0)]), [0.0, 0.3])[1].abs().max() == 0


def test_a_gain_step_is_no_motion() -> None:
    still = make_texture(96, 96, seed=5, sigma_px=2.0) * 0.7
    step = measure_fine(np.stack([still, still + 25.0]))[1]
    moved = measure_fine(np.stack([still, shift(still, 0.5, 0.0)]))[1]
    assert float(step.abs().max()) < 0.01
    assert float(moved[0].median()) > 0.4


def test_a_held_frame_keeps_the_velocity_before_it() -> None:
    still = make_texture(64, 64, seed=6, sigma_px=2.0)
    moved = shift(still, 0.5, 0.0)
    velocity = measure_fine(np.stack([still, moved, moved, moved, moved]), [0.0, TICK, 0.0, 0.0, TICK])
    assert torch.equal(velocity[2], velocity[1])
    assert torch.equal(velocity[3], velocity[1])
    assert float(velocity[1, 0].median()) > 0.4
    assert velocity[4].abs().max() == 0


def test_held_frames_make_the_sum_of_velocities_right() -> None:
    """25 Hz on 30 Hz ticks: six ticks hold five steps."""
    still = make_texture(96, 96, seed=7, sigma_px=2.0)
    steps = [shift(still, 0.25 * k, 0.0) for k in range(6)]
    frames = np.stack([steps[0], *steps[1:], steps[5]])
    velocity = measure_fine(frames, [0.0, 0.04, 0.04, 0.04, 0.04, 0.04, 0.0])
    total = float(velocity[:, 0, 4:-4, 4:-4].flatten(1).median(dim=1).values.sum())
    assert total == pytest.approx(1.25, rel=0.05)


def test_behind_the_end_there_is_no_motion() -> None:
    still = make_texture(64, 64, seed=8, sigma_px=2.0)
    moved = move_disc(still, 0.6, 0.0)
    out = measure(np.stack([still, moved, moved, moved]), [0.0, TICK, END_OF_CLIP, END_OF_CLIP])
    assert out[1, FINE_X].abs().max() > 0.5
    assert out[2:, FINE_X : COARSE_X + 2].abs().max() == 0
    assert out[2:, PROBE_X : PROBE_Y + 1].abs().max() == 0


@pytest.mark.parametrize("n_ticks", [2, 5, 10, 36])
def test_displacement_is_the_running_sum_minus_its_mean(n_ticks: int) -> None:
    velocity = torch.from_numpy(np.random.default_rng(0).standard_normal((1, 60, 2, 3, 4))).float()
    got = MotionFrontEnd()._filter_past(velocity, make_displacement_filter(n_ticks), "k", {})[0]
    position = np.concatenate([np.zeros((n_ticks, 2, 3, 4)), velocity[0].double().cumsum(dim=0).numpy()])
    for tick in range(60):
        window = position[tick + 1 : tick + 1 + n_ticks]
        assert np.allclose(got[tick].numpy(), window[-1] - window.mean(axis=0), atol=1e-4)


def test_displacement_follows_a_slow_disc_and_forgets_it() -> None:
    still = make_texture(64, 64, seed=9, sigma_px=2.0)
    frames = np.stack([move_disc(still, min(0.3 * k, 1.2), 0.0) for k in range(50)])
    out = measure(frames)
    for channel in (LONG_X, SHORT_X):
        shown = expand(out[:, channel, 7:9, 7:9].mean(dim=(1, 2))) / 2
        assert float(shown[5]) > 0.5
        assert abs(float(shown[49])) < 0.1


def test_a_black_margin_does_not_hide_the_motion_of_the_probe() -> None:
    still = make_texture(96, 160, seed=10, sigma_px=2.0)
    frames = np.stack([still, shift(still, 0.0, 0.5)])
    frames[:, :, 64:] = 0.0
    out = measure(frames)[1]
    assert float(expand(out[PROBE_Y, 0, 0]) / 2) == pytest.approx(0.5, abs=0.06)
    assert (out[CONFIDENCE, 4:-4, 20:].max() < out[CONFIDENCE, 4:-4, 2:13].min()).item()


def test_noise_raises_the_noise_level() -> None:
    still = make_texture(96, 96, seed=11, sigma_px=2.0)
    rng = np.random.default_rng(0)
    quiet, loud = (
        measure(np.stack([still + rng.normal(0, sd, still.shape) for _ in range(12)]))[-1, LOG_NOISE, 0, 0]
        for sd in (1.0, 10.0)
    )
    assert float(loud - quiet) > 1.0


def test_any_image_gives_finite_channels() -> None:
    rng = np.random.default_rng(0)
    for frames in (
        np.zeros((4, 32, 32)),
        np.full((4, 32, 32), 255.0),
        rng.integers(0, 2, (4, 32, 32)) * 255.0,
    ):
        assert torch.isfinite(measure(frames.astype(np.float64))).all()


def test_reduced_precision_leaves_the_measurement_alone() -> None:
    still = make_texture(64, 64, seed=12, sigma_px=2.0)
    frames = np.stack([move_disc(still, 0.2 * k, 0.0) for k in range(5)])
    exact = measure(frames)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(measure(frames), exact)


def test_state_does_not_grow() -> None:
    still = make_texture(32, 32, seed=13)
    front_end, state = MotionFrontEnd(), State()
    sizes = []
    for _ in range(3):
        grey = torch.tensor(np.stack([still] * 50) / 255.0, dtype=torch.float32)[None]
        front_end(grey, torch.full((1, 50), TICK), state)
        sizes.append(sum(tensor.untyped_storage().nbytes() for tensor in state.values()))
    assert sizes[0] == sizes[2] < 50 * 32 * 32 * 4


@pytest.mark.parametrize("row", [[1.0], [1.0, 2.0, 1.0], [1.0, 4.0, 6.0, 4.0, 1.0]])
def test_blur_keeps_sums_and_constants(row: list[float]) -> None:
    n_taps = len(row)
    assert torch.allclose(blur(torch.full((1, 2, 9, 11), 0.7), n_taps), torch.tensor(0.7))
    spot = torch.zeros(1, 1, 11, 11)
    spot[0, 0, 5, 5] = 256.0
    around = slice(5 - n_taps // 2, 6 + n_taps // 2)
    blurred = blur(spot, n_taps)
    assert torch.equal(
        blurred[0, 0, around, around], torch.outer(*(2 * [torch.tensor(row)])) * 256 / sum(row) ** 2
    )
    assert blurred.sum() == 256.0


def test_a_blur_that_there_is_not_is_refused() -> None:
    with pytest.raises(ValueError, match="blur_taps is 4; give one of 1, 3, 5"):
        MotionFrontEnd(blur_taps=4)


def test_what_was_measured_before_there_was_a_choice_of_blurs_is_found_again() -> None:
    names = [MotionFrontEnd(blur_taps=n_taps).identity for n_taps in (1, 3, 5)]
    assert names[2] == [1, "affine"] and len({str(name) for name in names}) == 3
