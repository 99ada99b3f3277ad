from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from scipy.signal import find_peaks

from fascnet.data.recording.recordings import open_recording
from fascnet.errors import SettingError
from fascnet.phantom.recording.contact import LIFT_OFF, ContactLoss, draw_contact_loss

LOSS = ContactLoss(1.0, 0.5, 0.4, from_side=-1, reach=1.0, band_spacing_mm=6.0, seed=4)
PITCH_MM = 0.1


def make_picture(height: int = 240, width: int = 200) -> np.ndarray:
    rng = np.random.default_rng(0)
    return np.clip(rng.normal(110, 25, (height, width)), 0, 255).astype(np.float32)


def show(loss: ContactLoss, t_s: float, picture: np.ndarray | None = None) -> np.ndarray:
    return loss.apply(make_picture() if picture is None else picture, t_s, 60.0, PITCH_MM)


@pytest.mark.parametrize("t_s", [0.0, 1.0, 2.4, 9.0])
def test_full_contact_changes_nothing(t_s: float) -> None:
    picture = make_picture()
    np.testing.assert_array_equal(show(LOSS, t_s, picture), make_picture())
    assert not LOSS.measure_loss(t_s, 50).any()


def test_it_lasts_from_tipping_to_full_contact() -> None:
    assert LOSS.label == LIFT_OFF == "lift_off"
    assert LOSS.active_s == pytest.approx((1.0, 2.4))
    start_s, end_s = LOSS.active_s
    assert LOSS.measure_loss(start_s + 0.25, 50).any() and LOSS.measure_loss(end_s - 0.25, 50).any()


def test_the_frame_keeps_its_form_and_the_input_stays() -> None:
    picture = make_picture()
    lost = show(LOSS, 1.7, picture)
    assert lost.shape == picture.shape and lost.dtype == np.float32
    assert lost.min() >= 0 and lost.max() <= 255
    np.testing.assert_array_equal(picture, make_picture())


@pytest.mark.parametrize("side", [-1, 1])
def test_contact_is_lost_from_one_side(side: int) -> None:
    half = replace(LOSS, from_side=side, reach=0.5)
    share = half.measure_loss(1.7, 200)[::-side]
    assert share[0] == 1 and share[-1] < 0.35
    assert np.all(np.diff(share) <= 0)
    assert abs(share[99] - 0.5) < 0.05
    lost = show(half, 1.7)[:, ::-side]
    assert lost[150:, :20].mean() < 0.6 * lost[150:, -20:].mean()
    assert LOSS.measure_loss(1.7, 200).min() == 1


def test_tissue_disappears_and_its_contrast_with_it() -> None:
    dark, bright = np.full((2, 240, 200), 60, np.float32)
    bright = bright.copy()
    bright[100:140, 50:150] = 230
    assert np.abs(show(LOSS, 1.7, bright) - show(LOSS, 1.7, dark)).max() < 8
    assert show(LOSS, 1.7)[60:].mean() < 0.7 * make_picture().mean()


def test_bands_lie_at_multiples_of_the_spacing_and_fade() -> None:
    lost = show(LOSS, 1.7)
    profile = np.median(lost, axis=1)
    peaks, _ = find_peaks(profile, prominence=25)
    np.testing.assert_allclose(peaks[:2] * PITCH_MM, [6.0, 12.0], atol=0.4)
    assert np.all(np.diff(profile[[0, *peaks[:2]]]) < 0)


def test_lost_frames_hardly_change_and_do_not_depend_on_their_order() -> None:
    first, second = show(LOSS, 1.6), show(LOSS, 1.65)
    assert 0.1 < np.abs(first - second).mean() < 2
    np.testing.assert_array_equal(show(LOSS, 1.6), first)
    assert np.abs(show(replace(LOSS, seed=5), 1.6) - first).mean() > 2


def test_the_fade_is_gradual() -> None:
    times = np.arange(0.95, 1.55, 1 / 30)
    frames = [show(LOSS, float(t_s)) for t_s in times]
    changes = [np.abs(b - a).mean() for a, b in pairwise(frames)]
    total = np.abs(frames[-1] - frames[0]).mean()
    assert max(changes) < 0.4 * total


def test_draws_differ_and_are_valid() -> None:
    rng = np.random.default_rng(3)
    draws = [draw_contact_loss(8.0, rng) for _ in range(60)]
    assert len(set(draws)) == 60
    assert {loss.from_side for loss in draws} == {-1, 1}
    assert 8 < sum(loss.reach == 1 for loss in draws) < 40
    assert all(0 < loss.start_s < 8 for loss in draws)


@pytest.mark.parametrize(
    "change",
    [
        {"fade_s": 0.0},
        {"hold_s": -1.0},
        {"from_side": 0},
        {"reach": 0.0},
        {"reach": 1.1},
        {"band_spacing_mm": 0.0},
    ],
)
def test_settings_are_checked(change: dict[str, float]) -> None:
    with pytest.raises(SettingError, match=next(iter(change))):
        replace(LOSS, **change)


@pytest.mark.real
def test_greys_are_those_of_a_real_lift_off(real_data: Path) -> None:
    """The last frame of the real clip, left half, against ours at its pitch and band spacing."""
    clip = open_recording(real_data / "device_export/itkpocus_butterfly-ocular-phantom.mp4")
    *_, frame = clip.frames()
    pitch_mm = 40 / 468  # its ruler: 4 cm on 468 pixels
    real = frame.image[206:586, 200:400].astype(np.float32)
    ours = replace(LOSS, band_spacing_mm=6.6).apply(np.full((380, 400), 90, np.float32), 1.7, 60.0, pitch_mm)
    assert abs(np.median(ours) - np.median(real)) < 12
    for quantile in (0.1, 0.5, 0.9, 0.99):
        assert abs(np.quantile(ours, quantile) - np.quantile(real, quantile)) < 35
