"""Augmentation of training windows: what differs between scanners, probes and people, never what a twitch is.

Geometry and grey levels go through albumentations, one draw for the whole window (`images` and `masks`). What
must differ from frame to frame (noise, gain steps) and what bends time is done here: albumentations freezes
its noise over a clip, and its `TimeReverse` is a mirror.
"""

from __future__ import annotations

from dataclasses import dataclass

import albumentations as A
import cv2
import numpy as np
from numpy.typing import NDArray

from fascnet.errors import SettingError


@dataclass(frozen=True, slots=True)
class Augmentation:
    """How strongly windows are varied. Every probability is 0-1, every range is drawn uniformly.

    Attributes:
        flip_p: probability of a mirror image, left to right.
        upside_down_p: probability of a picture upside down: no scanner shows that, but a twitch is
            none the less a twitch, and twice as many pictures are learned from.
        scale: range of zoom: other bodies, wrong spacings.
        rotate_deg: largest rotation to either side.
        shear_deg: largest shear to either side.
        elastic_p: probability of a smooth elastic warp, the same at every tick.
        gamma: range of the exponent on grey levels, in percent (100 = unchanged).
        brightness: largest shift of grey, share of full scale.
        contrast: largest relative change of contrast.
        blur_p: probability of a slight blur.
        noise_sd: range of the standard deviation of noise drawn anew for each tick, in grey levels 0-255.
        speckle_sd: range of the relative standard deviation of multiplicative noise drawn anew for each tick.
        gain_step_p: probability of a sudden change of gain.
        gain_step: largest such change, in grey levels.
        speed: range of the factor by which time runs faster.
        low_rate_p: probability that the window is as if recorded at a lower rate.
        low_rate_hz: range of that rate.
        freeze_p: probability that a tick shows the frame before it once more (doubled frames of screen
            recorders).
    """

    flip_p: float = 0.5
    upside_down_p: float = 0.0
    scale: tuple[float, float] = (0.85, 1.2)
    rotate_deg: float = 8.0
    shear_deg: float = 4.0
    elastic_p: float = 0.0
    gamma: tuple[float, float] = (75.0, 135.0)
    brightness: float = 0.12
    contrast: float = 0.25
    blur_p: float = 0.2
    noise_sd: tuple[float, float] = (0.0, 5.0)
    speckle_sd: tuple[float, float] = (0.0, 0.05)
    gain_step_p: float = 0.1
    gain_step: float = 12.0
    speed: tuple[float, float] = (0.8, 1.25)
    low_rate_p: float = 0.25
    low_rate_hz: tuple[float, float] = (18.0, 28.0)
    freeze_p: float = 0.005

    def __post_init__(self) -> None:
        for name in (
            "flip_p", "upside_down_p", "elastic_p", "blur_p", "gain_step_p", "low_rate_p", "freeze_p"
        ):  # fmt: skip
            if not 0 <= getattr(self, name) <= 1:
                raise SettingError(f"augmentation.{name} is {getattr(self, name)}; give 0 to 1")
        for name, least, most in (
            ("scale", 0.2, 5.0),
            ("gamma", 10.0, 1000.0),
            ("noise_sd", 0.0, 100.0),
            ("speckle_sd", 0.0, 1.0),
            ("speed", 0.2, 5.0),
            ("low_rate_hz", 1.0, 1000.0),
        ):
            low, high = getattr(self, name)
            if not least <= low <= high <= most:
                given = f"[{low}, {high}]"
                raise SettingError(
                    f"augmentation.{name} is {given}; give [low, high] in {least:g} to {most:g}"
                )
        for name, most in (
            ("rotate_deg", 180.0),
            ("shear_deg", 45.0),
            ("brightness", 1.0),
            ("contrast", 1.0),
            ("gain_step", 255.0),
        ):
            if not 0 <= getattr(self, name) <= most:
                raise SettingError(f"augmentation.{name} is {getattr(self, name)}; give 0 to {most:g}")


class WindowAugmenter:
    """Applies an `Augmentation` to windows; every draw comes from the generator it is given."""

    def __init__(self, settings: Augmentation) -> None:
        self.settings = settings
        self._spatial = A.Compose(
            [
                A.HorizontalFlip(p=settings.flip_p),
                A.VerticalFlip(p=settings.upside_down_p),
                A.Affine(
                    scale=tuple(settings.scale),
                    rotate=(-settings.rotate_deg, settings.rotate_deg),
                    shear=(-settings.shear_deg, settings.shear_deg),
                    interpolation=cv2.INTER_LINEAR,
                    mask_interpolation=cv2.INTER_NEAREST,
                    border_mode=cv2.BORDER_REFLECT_101,
                    p=0.7,
                ),
                A.ElasticTransform(
                    alpha=40, sigma=12, border_mode=cv2.BORDER_REFLECT_101, p=settings.elastic_p
                ),
                A.RandomGamma(gamma_limit=tuple(settings.gamma), p=0.5),
                A.RandomBrightnessContrast(settings.brightness, settings.contrast, p=0.5),
                A.GaussianBlur(blur_limit=(3, 3), p=settings.blur_p),
            ]
        )

    def choose_ticks(
        self, n_ticks: int, rate_hz: float, rng: np.random.Generator
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], float]:
        """Bend time: choose which clip tick, counted from the window's start, each window tick shows.

        Args:
            n_ticks: ticks in the window.
            rate_hz: ticks per second.
            rng: source of the draws.

        Returns:
            (n_ticks,) offsets to show; (n_ticks,) offsets by which time passes, which differ where a frame is
            frozen, a recorder's fault that no time stamp tells; and how many times faster time runs. Offsets
            start at 0 and never fall.
        """
        s = self.settings
        speed = float(rng.uniform(*s.speed))
        steps = np.arange(n_ticks, dtype=np.float64)
        if rng.random() < s.low_rate_p:
            ratio = min(1.0, rng.uniform(*s.low_rate_hz) / rate_hz)
            steps = np.round(steps * ratio) / ratio
        offsets = np.round(steps * speed).astype(np.int64)
        shown = offsets.copy()
        frozen = np.flatnonzero(rng.random(n_ticks) < s.freeze_p)
        for tick in frozen[frozen > 0]:
            shown[tick] = shown[tick - 1]
        return shown, offsets, speed

    def warp(
        self, images: NDArray[np.uint8], masks: NDArray[np.uint8], rng: np.random.Generator
    ) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Vary a window in space and grey level, and add noise to every frame by itself.

        Args:
            images: uint8 (T, H, W).
            masks: uint8 (T, H, W), moved along with the images, never blended.
            rng: source of the draws.
        """
        return self.draw(len(images), rng).apply(images, masks)

    def draw(self, n_ticks: int, rng: np.random.Generator) -> Variation:
        """Draw what `warp` does, for a clip of `n_ticks` that is varied piece by piece.

        Args:
            n_ticks: ticks of all pieces together.
            rng: source of the draws; it belongs to the variation until the clip ends.
        """
        return Variation(self.settings, self._spatial, n_ticks, rng)


class Variation:
    """One draw of an `Augmentation` for a clip, applied piece by piece; pieces of any length give the same.

    Args:
        settings: how strongly.
        spatial: geometry and grey levels.
        n_ticks: ticks of all pieces together.
        rng: source of the draws.
    """

    def __init__(
        self, settings: Augmentation, spatial: A.Compose, n_ticks: int, rng: np.random.Generator
    ) -> None:
        self._spatial = spatial
        self._spatial_seed = int(rng.integers(2**31))
        self._noise_sd = np.float32(rng.uniform(*settings.noise_sd))
        self._speckle_sd = np.float32(rng.uniform(*settings.speckle_sd))
        self._gain_tick, self._gain_step = n_ticks, np.float32(0.0)
        if rng.random() < settings.gain_step_p:
            self._gain_tick = int(rng.integers(n_ticks))
            self._gain_step = np.float32(rng.uniform(-settings.gain_step, settings.gain_step))
        self._rng = rng
        self._tick = 0
        self._before: tuple[NDArray[np.uint8], NDArray[np.uint8]] | None = None

    def apply(
        self, images: NDArray[np.uint8], masks: NDArray[np.uint8]
    ) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Vary the next ticks.

        Args:
            images: uint8 (T, H, W), of one size in all pieces.
            masks: uint8 (T, H, W), moved along with the images, never blended.
        """
        # The same seed for every piece: geometry and grey levels are drawn once a call.
        self._spatial.set_random_seed(self._spatial_seed)
        out = self._spatial(images=images[..., None], masks=masks)
        noisy = self._add_noise(np.asarray(out["images"], np.uint8)[..., 0])
        # A frame shown once more is the same frame, noise and all, as it is in a recording.
        for tick in range(len(images)):
            if self._before is not None and np.array_equal(images[tick], self._before[0]):
                noisy[tick] = self._before[1]
            self._before = images[tick], noisy[tick]
        return noisy, np.ascontiguousarray(out["masks"], np.uint8)

    def _add_noise(self, images: NDArray[np.uint8]) -> NDArray[np.uint8]:
        grey = images.astype(np.float32)
        grey[max(0, self._gain_tick - self._tick) :] += self._gain_step
        self._tick += len(images)
        grain = self._rng.standard_normal(images.shape, dtype=np.float32)
        grey += grain * (self._noise_sd + self._speckle_sd * grey)
        return np.clip(np.rint(grey), 0, 255).astype(np.uint8)
