"""Other ways to measure motion than the front end's, in its place, for comparison.

Each takes the pictures that the front end takes, averages over its neighbourhoods, and answers on its grid.
"""

from __future__ import annotations

import math
from itertools import pairwise, product

import torch
from torch import Tensor

from fascnet.models.motion import MotionFrontEnd
from fascnet.models.normal_equations import average_neighbourhoods, solve_equations
from fascnet.models.preprocessing import CELL_PX

WAVELENGTH_PX = 6.0
BANDWIDTH_PX = 0.06
"""Centre and standard deviation (cycles per pixel) of the phase filters: speckle of 0.3-0.5 mm at 0.15 mm
per pixel, an octave wide, so that the pass band ends above zero frequency."""
N_ORIENTATIONS = 4
RIDGE_SHARE = 0.1
"""The filters let a part of the picture's power pass, and the ridge of the equations shrinks with it: with
all of it shifts were an eighth too small, so they are 8 % too large (Lucas-Kanade: 4 %)."""

REACH_PX = 3
"""Matching looks so far along each axis: at 0.15 mm and 30 Hz 13 mm/s, twice a twitch's peak velocity."""


class PhaseMotion(MotionFrontEnd):
    """Motion from the phase of four oriented band-pass filters (Fleet & Jepson 1990).

    A place of constant phase moves with the tissue: every pixel and orientation gives one equation, weighted
    by the power of both responses.
    """

    def solve(self, joined: Tensor, cell_px: int) -> tuple[Tensor, Tensor, Tensor]:
        """Solve the phase equations for a shift; the coarse scale as before."""
        if cell_px != CELL_PX:
            return super().solve(joined, cell_px)
        filters = make_phase_filters(*joined.shape[-2:])
        spectra = (torch.fft.fft2(picture)[:, None] for picture in joined.unbind(1))
        answers = (torch.fft.ifft2(spectrum * filters) for spectrum in spectra)
        moments = torch.cat([self._pool_equations(*pair) for pair in pairwise(answers)], dim=1)
        return solve_equations(moments.unbind(dim=2), RIDGE_SHARE * self.regularisation)

    def _pool_equations(self, before: Tensor, after: Tensor) -> Tensor:
        """Return (B, 1, 6, h, w) from two pictures' responses, (B, `N_ORIENTATIONS`, H, W) complex."""
        mean = 0.5 * (before + after)
        power = mean.abs().square().clamp(min=1e-12)
        weight = before.abs() * after.abs()
        # The phase's slope without its wraps: the imaginary part of conj(R) dR, over |R|².
        dx = torch.zeros_like(power)
        dy = torch.zeros_like(power)
        dx[..., 1:-1] = 0.5 * (mean[..., 1:-1].conj() * (mean[..., 2:] - mean[..., :-2])).imag
        dy[..., 1:-1, :] = 0.5 * (mean[..., 1:-1, :].conj() * (mean[..., 2:, :] - mean[..., :-2, :])).imag
        dx, dy = dx / power, dy / power
        turn = (before.conj() * after).angle()
        # Beside a zero of the response the slope is no frequency of the pass band (Fleet & Jepson's check).
        inside = (torch.hypot(dx, dy) * WAVELENGTH_PX / (2 * math.pi) - 1).abs() < 0.8
        weight = weight * inside
        products = (dx * dx, dy * dy, dx * dy, dx * turn, dy * turn, turn * turn)
        summed = [(weight * term).sum(dim=1, keepdim=True) for term in products]
        return average_neighbourhoods(summed, CELL_PX)


class MatchedMotion(MotionFrontEnd):
    """Motion from a correlation volume: the shift at which a neighbourhood resembles the next picture most.

    For each shift of whole pixels the variance of the difference is averaged over the neighbourhood; a
    parabola along each axis through the least and the two beside it places the minimum between pixels.
    """

    def solve(self, joined: Tensor, cell_px: int) -> tuple[Tensor, Tensor, Tensor]:
        """Search the shift of least difference; the coarse scale and confidence as before."""
        if cell_px != CELL_PX:
            return super().solve(joined, cell_px)
        _, confidence, _ = super().solve(joined, cell_px)
        pictures = torch.split(joined, 1, dim=1)
        shifts, least = zip(*(search_shift(*pair) for pair in pairwise(pictures)), strict=True)
        return torch.cat(shifts, dim=1), confidence, torch.cat(least, dim=1)


def search_shift(before: Tensor, after: Tensor) -> tuple[Tensor, Tensor]:
    """Find where the neighbourhoods of one picture lie in the next.

    Args:
        before: (B, 1, H, W).
        after: the same.

    Returns:
        Shift (B, 1, 2, h, w) as (x, y) in pixels, and the variance of the difference there, (B, 1, 1, h, w).
    """
    height, width = before.shape[-2:]
    margins = (REACH_PX,) * 4
    wide = torch.nn.functional.pad(after, margins, mode="replicate")
    costs = []
    side = 2 * REACH_PX + 1
    for top, left in product(range(side), range(side)):
        change = wide[..., top : top + height, left : left + width] - before
        square, mean = average_neighbourhoods((change * change, change), CELL_PX).unbind(dim=2)
        costs.append(square - mean * mean)
    volume = torch.stack(costs, dim=2)
    # A minimum at the rim has no neighbour beyond it: it is taken as it is.
    best = volume.argmin(dim=2, keepdim=True)
    x, y = best % side, best // side

    def look(dx: int, dy: int) -> Tensor:
        return volume.gather(2, (y + dy).clamp(0, side - 1) * side + (x + dx).clamp(0, side - 1))

    here = look(0, 0)
    offsets = []
    for place, low, high in ((x, look(-1, 0), look(1, 0)), (y, look(0, -1), look(0, 1))):
        curvature = low + high - 2.0 * here
        between = 0.5 * (low - high) / curvature.clamp(min=1e-12)
        at_rim = (place == 0) | (place == side - 1)
        offsets.append(place - REACH_PX + torch.where(at_rim, 0.0, between.clamp(-0.5, 0.5)))
    return torch.cat(offsets, dim=2), here


def make_phase_filters(height: int, width: int) -> Tensor:
    """Return (`N_ORIENTATIONS`, height, width): Gaussians in the frequency plane, one-sided."""
    fy = torch.fft.fftfreq(height)[:, None]
    fx = torch.fft.fftfreq(width)[None]
    angles = [math.pi * k / N_ORIENTATIONS for k in range(N_ORIENTATIONS)]
    centres = [(math.cos(angle) / WAVELENGTH_PX, math.sin(angle) / WAVELENGTH_PX) for angle in angles]
    return torch.stack(
        [torch.exp(-0.5 * ((fx - x).square() + (fy - y).square()) / BANDWIDTH_PX**2) for x, y in centres]
    )


ESTIMATES: dict[str, type[MotionFrontEnd]] = {
    "lucas_kanade": MotionFrontEnd,
    "phase": PhaseMotion,
    "matching": MatchedMotion,
}
"""Ways to measure motion, by name; the first is the network's."""
