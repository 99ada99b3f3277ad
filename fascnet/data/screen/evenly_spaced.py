"""Fits evenly spaced places to peaks of which some are missing and some are foreign."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

LEAST_PITCH_PX = 6.0
LEAST_SPAN = 0.45
"""A comb's teeth are at least the first number of pixels apart and span the second share of the height."""

LEAST_COVERAGE = 0.7
LEAST_PURITY = 0.55
"""Share of places between the first and last tooth that have a peak, and of peaks that are teeth."""

_NEAR_STEPS = 0.2
_MOST_GUESSES = 24

_LOOSE_PX, _LOOSE_SHARE = 1.0, 0.04
_TIGHT_PX, _TIGHT_SHARE = 0.9, 0.015


@dataclass(frozen=True, slots=True)
class Comb:
    """Evenly spaced places.

    Attributes:
        pitch_px: distance of neighbours.
        origin_px: place of index 0.
        first: lowest index seen.
        last: highest index seen.
        count: how many were seen.
        score: how good the fit is; grows with count, coverage and purity.
        residual_px: root mean square distance of what was seen from its place.
    """

    pitch_px: float
    origin_px: float
    first: int
    last: int
    count: int
    score: float
    residual_px: float

    def place(self, index: int) -> float:
        """Return where a tooth stands."""
        return self.origin_px + index * self.pitch_px

    def count_from(self, top_px: float, share: float) -> Comb | None:
        """Return the comb with index 0 at the tooth nearest to `top_px`; None when that is not near.

        Args:
            top_px: where counting starts.
            share: of the pitch, that the tooth may be away.
        """
        steps = (top_px - self.origin_px) / self.pitch_px
        zero = round(steps)
        if abs(steps - zero) > share:
            return None
        return replace(self, origin_px=self.place(zero), first=self.first - zero, last=self.last - zero)

    def is_like(self, other: Comb) -> bool:
        """Whether two combs agree within 1.5 pixels at both ends."""
        ends = (self.first, self.last)
        if abs(self.pitch_px / other.pitch_px - 1) > 0.02:
            return False
        return max(abs(self.place(index) - other.place(index)) for index in ends) <= 1.5

    def is_every(self, finer: Comb, steps: int) -> bool:
        """Whether the teeth are every so many of a finer comb's, counted from index 0, within 1.5 pixels."""
        return all(
            abs(self.place(index) - finer.place(steps * index)) <= 1.5 for index in (self.first, self.last)
        )


def fit_comb(peaks: NDArray[np.float64], height_px: float) -> Comb | None:
    """Fit the best comb to peaks.

    Spacings of near peaks are tried as pitch, each is refined by least squares on the peaks it explains.

    Args:
        peaks: places in pixels, increasing.
        height_px: height that the comb has to span a good part of.

    Returns:
        The best comb, its index 0 at one of the peaks; None when nothing fits.
    """
    best: Comb | None = None
    for pitch, origin in _guess(peaks, height_px):
        comb = _refine(peaks, pitch, origin, height_px)
        if comb is not None and (best is None or comb.score > best.score):
            best = comb
    return best


def _guess(peaks: NDArray[np.float64], height_px: float) -> list[tuple[float, float]]:
    """Return the likeliest (pitch, origin): spacings of peaks near each other, and shares of longer ones."""
    spacings = [peaks[lag:] - peaks[:-lag] for lag in (1, 2, 3) if peaks.size > lag]
    # A short spacing says its pitch to a tenth; over many teeth that is too coarse.
    spacings += [(peaks[lag:] - peaks[:-lag]) / lag for lag in (4, 6, 9, 14) if peaks.size > lag]
    pitches = np.unique(np.round(np.concatenate(spacings), 2))
    pitches = pitches[(pitches >= LEAST_PITCH_PX) & (pitches <= height_px / 2)]
    guesses: list[tuple[float, float, float]] = []
    for origin in peaks[:4]:
        steps = (peaks[None] - origin) / pitches[:, None]
        explained = (np.abs(steps - np.rint(steps)) <= _NEAR_STEPS).mean(axis=1)
        # Twice as fine a comb explains as much, and more by chance: the coarser one goes first.
        order = np.argsort(-(explained + 1e-3 * pitches / height_px))[:_MOST_GUESSES]
        guesses += [(float(explained[at]), float(pitches[at]), float(origin)) for at in order]
    guesses.sort(reverse=True)
    return [(pitch, origin) for share, pitch, origin in guesses if share >= LEAST_PURITY][:_MOST_GUESSES]


def _refine(peaks: NDArray[np.float64], pitch: float, origin: float, height_px: float) -> Comb | None:
    for loose in (True, True, False):
        tolerance = max(_LOOSE_PX, _LOOSE_SHARE * pitch) if loose else max(_TIGHT_PX, _TIGHT_SHARE * pitch)
        indexes = np.rint((peaks - origin) / pitch)
        fits = np.abs(peaks - origin - indexes * pitch) <= tolerance
        seen = np.unique(indexes[fits])
        if seen.size < 3:
            return None
        pitch, origin = _fit_line(indexes[fits], peaks[fits])
        if pitch < LEAST_PITCH_PX:
            return None
    span = float(seen[-1] - seen[0])
    coverage, purity = seen.size / (span + 1), float(fits.mean())
    if coverage < LEAST_COVERAGE or purity < LEAST_PURITY or span * pitch < LEAST_SPAN * height_px:
        return None
    residuals = peaks[fits] - origin - indexes[fits] * pitch
    return Comb(
        pitch_px=pitch,
        origin_px=origin,
        first=int(seen[0]),
        last=int(seen[-1]),
        count=int(seen.size),
        score=coverage * purity * float(np.sqrt(seen.size)),
        residual_px=float(np.sqrt(np.mean(residuals**2))),
    )


def _fit_line(x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[float, float]:
    """Least-squares slope and value at 0; `x` holds two different values at least."""
    from_mean = x - x.mean()
    slope = float((from_mean * y).sum() / (from_mean * from_mean).sum())
    return slope, float(y.mean() - slope * x.mean())
