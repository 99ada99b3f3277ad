"""What an observer measures on the frames against the truth: no part of the renderer is used to measure."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from fascnet.phantom.movement.twitch import Twitch
from fascnet.phantom.scan.acquisition import Scanner, ScanSettings
from tests.phantom.speckle import make_echoes

Displace = Callable[[np.ndarray], np.ndarray]
PITCH_MM = 0.17
SETTINGS = ScanSettings(
    192,
    192,
    PITCH_MM,
    centre_frequency_mhz=8.0,
    gain_db=-4.0,
    smoothing=0.6,
)
PIXELS = np.stack(np.meshgrid(np.arange(192), np.arange(192)), axis=-1).reshape(-1, 2)


def make_twitch(seed: int, peak_mm: float) -> Twitch:
    rng = np.random.default_rng(seed)
    return Twitch(
        centre_mm=(rng.uniform(12, 20), rng.uniform(13, 20)),
        semi_long_mm=rng.uniform(3.5, 5.5),
        semi_short_mm=rng.uniform(2, 3),
        axis_rad=rng.uniform(-0.3, 0.3),
        pull=(float(rng.choice([-1, 1])), rng.uniform(-0.35, 0.35)),
        shortening=rng.uniform(0.2, 0.7),
        bulge=rng.uniform(0.4, 1.2),
        halo_mm=rng.uniform(3, 6),
        halo_level=rng.uniform(0.22, 0.35),
        peak_mm=peak_mm,
        start_s=0.0,
        contraction_s=0.1,
        relaxation_s=0.2,
    )


def render_pair(displace: Displace, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The frame at rest and the moved one; muscle-like streaks along x, no noise, no persistence."""
    places, echoes = make_echoes(SETTINGS, seed)
    rng = np.random.default_rng(100 + seed)
    streaks = cv2.GaussianBlur(rng.standard_normal((440, 440)), (0, 0), sigmaX=25, sigmaY=3)
    row, column = np.clip((places[:, ::-1] + 4) / 0.1, 0, 439).astype(int).T
    echoes = (echoes * np.exp(0.8 * streaks / streaks.std())[row, column]).astype(np.complex64)
    scanner = Scanner(SETTINGS)
    still = scanner.form_envelope(places, echoes)
    scanner.calibrate(still)
    moved = scanner.form_envelope((places + displace(places)).astype(np.float32), echoes)
    return scanner.compress(still), scanner.compress(moved)


def find_flow_px(still: np.ndarray, moved: np.ndarray) -> np.ndarray:
    """DIS flow (H, W, 2); its finest grid is two pixels wide, so the frames are enlarged first."""
    large = [
        np.clip(np.rint(cv2.resize(f, None, fx=3, fy=3, interpolation=cv2.INTER_CUBIC)), 0, 255)
        for f in (still, moved)
    ]
    dis = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    flow = dis.calc(*(f.astype(np.uint8) for f in large), None)
    return cv2.resize(flow, still.shape[::-1], interpolation=cv2.INTER_AREA) / 3


def track(still: np.ndarray, moved: np.ndarray, true: np.ndarray, core: np.ndarray) -> float:
    """Mean movement along the truth against the mean truth, by Lucas-Kanade windows of 2 mm."""
    large = [
        np.clip(np.rint(cv2.resize(f, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)), 0, 255)
        for f in (still, moved)
    ]
    rows, columns = (at[::7] for at in np.nonzero(core))
    places = np.stack([2 * columns + 0.5, 2 * rows + 0.5], axis=-1).astype(np.float32)
    size = 2 * round(2.0 / PITCH_MM) + 1
    found, _, _ = cv2.calcOpticalFlowPyrLK(
        *(f.astype(np.uint8) for f in large), places[:, None], None, winSize=(size, size), maxLevel=3
    )
    flow = (found[:, 0] - places) / 2
    truth = true[rows, columns]
    length = np.linalg.norm(truth, axis=1)
    return float(np.sum(flow * truth / length[:, None]) / length.sum())


def warp(frame: np.ndarray, displace: Displace, scale: float) -> np.ndarray:
    """Move a frame itself by a multiple of the field: what measures the observer's own bias."""
    source = PIXELS * PITCH_MM
    for _ in range(8):
        source = PIXELS * PITCH_MM - scale * displace(source.astype(np.float32))
    at = (source / PITCH_MM).reshape(*frame.shape, 2).astype(np.float32)
    return cv2.remap(frame, at[..., 0], at[..., 1], cv2.INTER_LANCZOS4)


def find_truth(displace: Displace, level: float) -> tuple[np.ndarray, np.ndarray]:
    """Displacement (H, W, 2) in px of the tissue that is at each pixel at rest, and where it is large."""
    true = (displace((PIXELS * PITCH_MM).astype(np.float32)) / PITCH_MM).reshape(192, 192, 2)
    size = np.linalg.norm(true, axis=2)
    return true, size >= level * size.max()


def compare(flow: np.ndarray, true: np.ndarray, core: np.ndarray) -> float:
    """Mean flow along the truth against the mean truth, over the same pixels."""
    size = np.linalg.norm(true[core], axis=1)
    return float(np.sum(flow[core] * true[core] / size[:, None]) / size.sum())


@pytest.mark.parametrize("size_mm", [0.2, 0.6])
def test_tissue_that_moves_as_one_is_measured_within_two_percent(size_mm: float) -> None:
    ratios = []
    for seed in range(4):
        turn = 0.3 + 1.7 * seed

        def displace(places: np.ndarray, turn: float = turn) -> np.ndarray:
            distance = np.hypot(places[:, 0] - 16, places[:, 1] - 16)
            level = size_mm / (1 + np.exp((distance - 7) / 0.6))
            return np.stack([level * np.cos(turn), level * np.sin(turn)], axis=-1)

        true, core = find_truth(displace, 0.98)
        ratios.append(compare(find_flow_px(*render_pair(displace, seed)), true, core))
    np.testing.assert_allclose(ratios, 1, atol=0.02)


@pytest.mark.parametrize("peak_mm", [0.2, 0.4])
def test_the_core_of_a_twitch_moves_by_the_truth(peak_mm: float) -> None:
    """Within 5 %, by the multiple of the true field that best explains the moved frame.

    Trackers fall short where tissue strains, even when a frame is moved by exactly the true field, so they
    are held against that; the rest is speckle that changes because neighbours move apart.
    """
    best, flows, own = [], [], []
    scales = np.arange(0.7, 1.31, 0.05)
    for seed in range(6):
        twitch = make_twitch(seed, peak_mm)

        def displace(places: np.ndarray, twitch: Twitch = twitch) -> np.ndarray:
            return twitch.displacement(places, 0.1)

        still, moved = render_pair(displace, seed)
        true, core = find_truth(displace, 0.5)
        fits = [np.corrcoef(warp(still, displace, k)[core], moved[core])[0, 1] for k in scales]
        peak = int(np.clip(np.argmax(fits), 1, len(scales) - 2))
        before, at, after = fits[peak - 1 : peak + 2]
        best.append(scales[peak] + 0.05 * 0.5 * (before - after) / (before - 2 * at + after))
        flows.append(track(still, moved, true, core))
        own.append(track(still, warp(still, displace, 1.0), true, core))
    assert np.mean(best) == pytest.approx(1, abs=0.05)
    assert np.median(flows) == pytest.approx(np.median(own), rel=0.1)
