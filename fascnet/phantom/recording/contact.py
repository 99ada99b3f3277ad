"""Lift-off: the probe loses contact, the tissue goes dark and bright bands of the lens and gel appear.

The look follows the end of a real clip (ITKPOCUS, Butterfly probe, 0.085 mm/px), read off in grey levels and
taken as shares of the dynamic range: a face of grey 191 that fades within 3 mm, thin bands 6.6 mm
apart, each 30-40 greys darker than the one above and broken up toward the sides, a finely streaked rest that
falls from grey 60 to 33 in 40 mm, and nearly no change from frame to frame.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, gaussian_filter1d

from fascnet.errors import SettingError
from fascnet.phantom.movement.geometry import ease

LIFT_OFF = "lift_off"

_READ_AT_DB = 60.0
"""Dynamic range at which the levels below reproduce the greys of the real clip."""

_FACE_DB, _FACE_DB_PER_MM = -13.0, -9.0
_REST_DB, _REST_DB_PER_MM = -45.0, -0.2
_BAND_DB, _DB_PER_BAND = -11.0, -8.0
_HAZE_DB, _HAZE_DB_PER_MM = -17.0, -1.8
_HAZE_WIDTH = 0.12
"""Share of the seam in which the haze falls by 1 dB, by 4 dB at twice that (model choice)."""

_LOSS_DB, _LOSS_DB_PER_MM = 50.0, 1.5
"""What full loss takes from the tissue: little of it passes air, and the deeper the less (model choice)."""

_BAND_SIGMA_MM = 0.2
_TRAIL_DB, _TRAIL_DB_PER_MM = -14.0, -9.0
_WAVE_MM = 0.07
_STREAK_DB, _STREAK_SIZE_MM = 1.2, (0.13, 1.0)
_FLICKER_DB = 0.25
_EDGE_SHARE = 0.7
"""Width of the seam between contact and air, as a share of the picture (model choice)."""


@dataclass(frozen=True, slots=True)
class ContactLoss:
    """The probe tips off the skin from one side and comes back.

    Attributes:
        start_s: when it begins to tip.
        fade_s: how long it takes to tip, and to come back.
        hold_s: how long it stays off.
        from_side: -1 loses the left side first, +1 the right.
        reach: share of the width that is lost in the end, above 0; 1 loses everything.
        band_spacing_mm: distance of the reverberation bands: thickness of lens and gel.
        seed: seed of the bands' and streaks' irregularities.
    """

    start_s: float
    fade_s: float
    hold_s: float
    from_side: int
    reach: float
    band_spacing_mm: float
    seed: int = 0
    label: str = LIFT_OFF

    def __post_init__(self) -> None:
        if self.fade_s <= 0 or self.hold_s < 0:
            raise SettingError(f"fade_s={self.fade_s}, hold_s={self.hold_s}: give above 0, and 0 or more")
        if self.from_side not in (-1, 1):
            raise SettingError(f"from_side={self.from_side}: choose -1 or +1")
        if not 0 < self.reach <= 1:
            raise SettingError(f"reach={self.reach}: give a share above 0, at most 1")
        if self.band_spacing_mm <= 0:
            raise SettingError(f"band_spacing_mm={self.band_spacing_mm}: give above 0")

    @property
    def active_s(self) -> tuple[float, float]:
        """From the first tipping until full contact."""
        return (self.start_s, self.start_s + 2 * self.fade_s + self.hold_s)

    def measure_loss(self, t_s: float, width_px: int) -> NDArray[np.float32]:
        """Return the share of contact (W,) that each column has lost at a moment, 0-1."""
        share = np.clip(self._place_seam(t_s, width_px), 0.0, 1.0)
        return (share * share * (3 - 2 * share)).astype(np.float32)

    def apply(
        self, grey: NDArray[np.float32], t_s: float, dynamic_range_db: float, mm_per_px: float
    ) -> NDArray[np.float32]:
        """Show a frame as it looks with the contact of this moment.

        Args:
            grey: float32 (H, W), greys 0-255 of the log-compressed picture.
            t_s: moment in seconds.
            dynamic_range_db: decibels between black and white.
            mm_per_px: pixel spacing.

        Returns:
            float32 (H, W), greys 0-255; `grey` itself, unchanged, while there is full contact.
        """
        height, width = grey.shape
        loss = self.measure_loss(t_s, width)
        if not loss.any():
            return grey
        face_db, streaks_db = _make_echoes(self.seed, height, width, mm_per_px, self.band_spacing_mm)
        depth_mm = (np.arange(height, dtype=np.float32) * np.float32(mm_per_px))[:, None]
        scale = np.float32(dynamic_range_db / _READ_AT_DB)
        # A generator of its own for each moment, so that frames may be made in any order.
        moment_ms = round(max(t_s, 0.0) * 1e3)
        flicker = np.random.default_rng((self.seed, moment_ms)).standard_normal(grey.shape, np.float32)
        tissue_db = (grey / np.float32(255) - 1) * np.float32(dynamic_range_db)
        tissue_db -= loss * loss * (np.float32(_LOSS_DB) + np.float32(_LOSS_DB_PER_MM) * depth_mm)
        rest_db = streaks_db + np.float32(_FLICKER_DB) * flicker
        # Where contact is half lost, the sound goes to and fro in the gel and fogs the shallow picture.
        from_seam = (self._place_seam(t_s, width) - 0.5) / _HAZE_WIDTH
        haze_db = _HAZE_DB + _HAZE_DB_PER_MM * depth_mm - from_seam.astype(np.float32) ** 2
        power = _to_power(tissue_db)
        power += loss * (_to_power(scale * face_db) + _to_power(scale * rest_db))
        power += np.float32(min(4 * self._find_progress(t_s), 1.0)) * _to_power(scale * haze_db)
        level = 1 + 10 * np.log10(power) / np.float32(dynamic_range_db)
        return np.asarray(np.clip(level, 0, 1) * 255, dtype=np.float32)

    def _find_progress(self, t_s: float) -> float:
        """Share of the way the probe has tipped, 0-1."""
        return ease((t_s - self.start_s) / self.fade_s) * ease((self.active_s[1] - t_s) / self.fade_s)

    def _place_seam(self, t_s: float, width_px: int) -> NDArray[np.float64]:
        """Where each column (W,) stands in the seam: below 0 in contact, above 1 lost."""
        along = (np.arange(width_px) + 0.5) / width_px
        if self.from_side > 0:
            along = along[::-1]
        # The seam starts outside the picture. Its middle stops at `reach`, or its end at the far side.
        way = self.reach + _EDGE_SHARE * (1.0 if self.reach == 1 else 0.5)
        return (self._find_progress(t_s) * way - along) / _EDGE_SHARE


def draw_contact_loss(duration_s: float, rng: np.random.Generator) -> ContactLoss:
    """Draw a loss of contact within a clip; most are partial (ranges are a model choice)."""
    return ContactLoss(
        start_s=float(rng.uniform(0.1, 0.8) * duration_s),
        fade_s=float(rng.uniform(0.15, 1.0)),
        hold_s=float(rng.uniform(0.1, 1.5)),
        from_side=int(rng.choice([-1, 1])),
        reach=1.0 if rng.random() < 0.35 else float(rng.uniform(0.2, 0.8)),
        band_spacing_mm=float(rng.uniform(2.5, 7.0)),
        seed=int(rng.integers(2**31)),
    )


@lru_cache(maxsize=4)
def _make_echoes(
    seed: int, height: int, width: int, mm_per_px: float, spacing_mm: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the levels (H, W) in dB under white of face and bands together, and of the streaky rest."""
    rng = np.random.default_rng(seed)
    depth_mm = np.arange(height)[:, None] * mm_per_px
    smooth_px = 0.12 * width
    power = _to_power(np.float64(_FACE_DB) + _FACE_DB_PER_MM * depth_mm) * np.ones((1, width))
    for band in range(1, int(height * mm_per_px / spacing_mm) + 1):
        # Bands bend a little and break up toward the sides, each its own way.
        bend_mm = _WAVE_MM * band * _make_course(rng, width, smooth_px)
        fade_db = -3.0 * np.abs(_make_course(rng, width, smooth_px / 2)) - band * np.maximum(
            0.0, 3.0 * _make_course(rng, width, smooth_px)
        )
        away_mm = depth_mm - band * spacing_mm - bend_mm
        shape = np.exp(-0.5 * np.square(away_mm / max(_BAND_SIGMA_MM, 0.7 * mm_per_px)))
        shape += np.where(away_mm < 0, 0.0, _to_power(_TRAIL_DB + _TRAIL_DB_PER_MM * away_mm))
        peak = _to_power(_BAND_DB + _DB_PER_BAND * (band - 1) + fade_db)
        power += peak * shape
    sizes_px = tuple(size / mm_per_px for size in _STREAK_SIZE_MM)
    streaks = gaussian_filter(rng.standard_normal((height, width)), sizes_px)
    rest_db = _REST_DB + _REST_DB_PER_MM * depth_mm + _STREAK_DB * streaks / streaks.std()
    echoes = (10 * np.log10(power)).astype(np.float32), rest_db.astype(np.float32)
    for field in echoes:
        field.setflags(write=False)
    return echoes


def _make_course(rng: np.random.Generator, width: int, smooth_px: float) -> NDArray[np.float64]:
    """A smooth random course (W,) across the columns, deviation about 1."""
    course = gaussian_filter1d(rng.standard_normal(width), smooth_px, mode="wrap")
    return np.asarray(course / max(float(course.std()), 1e-9), dtype=np.float64)


def _to_power(level_db: NDArray[np.floating]) -> NDArray[np.floating]:
    return np.power(level_db.dtype.type(10), level_db / level_db.dtype.type(10))
