"""Image formation: scatterers to B-mode frames, as a linear array with a Gaussian point-spread function does.

A scatterer at depth z adds its amplitude times exp(-j 4π f z / c) to the demodulated field, at its exact
place; the field is smoothed by the beam (lateral, wider away from the focus) and by the pulse (axial);
envelope, log compression, the grey map and the picture's pixels follow. Speckle therefore moves with the
tissue and decorrelates when neighbours move apart.

Only additions, multiplications and square roots of single numbers, table look-ups and sums of whole numbers
are used, in a fixed order: the same scatterers give the same bits on every machine, whatever its vector
instructions and number of threads.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from fascnet.errors import SettingError
from fascnet.phantom.scan.compression import ENTRIES, FIRST_ENTRY, MANTISSA_SHIFT, make_grey_table
from fascnet.phantom.scan.scan_grid import ScanGrid, plan_grid
from fascnet.phantom.scan.scan_levels import draw_noise, find_levels
from fascnet.phantom.scan.scan_settings import SPEED_OF_SOUND_MM_PER_S, ScanSettings
from fascnet.phantom.scan.splat import Splat

__all__ = ["SPEED_OF_SOUND_MM_PER_S", "FrameMaker", "ScanSettings", "Scanner", "make_scanner"]


class FrameMaker(Protocol):
    """Makes frames from scatterers; NumPy and torch give the same."""

    settings: ScanSettings

    def calibrate(self, envelope: NDArray[np.float32]) -> None:
        """Set white and noise level from an envelope at rest."""

    def form_envelope(
        self,
        positions_mm: NDArray[np.float32],
        amplitudes: NDArray[np.complex64],
        rng: np.random.Generator | None = None,
    ) -> NDArray[np.float32]:
        """Form the envelope (samples, lines) of one frame."""

    def compress(self, envelope: NDArray[np.float32], gain_db: float = 0.0) -> NDArray[np.float32]:
        """Turn an envelope into greys 0-255 (H, W), not yet rounded."""


def make_scanner(settings: ScanSettings, device: str = "cpu") -> FrameMaker:
    """Make the scanner for a device.

    Args:
        settings: how it is set.
        device: `cpu` (NumPy) or `cuda`.

    Raises:
        SettingError: no such device, or no CUDA device is here.
    """
    if device == "cpu":
        return Scanner(settings)
    if device != "cuda":
        raise SettingError(f"device={device}: choose cpu or cuda")
    from fascnet.phantom.scan.scanner_torch import TorchScanner  # noqa: PLC0415 - torch only where it is asked for

    return TorchScanner(settings, device)


class Scanner:
    """Forms envelopes and greys; holds what does not change from frame to frame."""

    def __init__(self, settings: ScanSettings) -> None:
        self.settings = settings
        self.grid = plan_grid(settings)
        self._splat = Splat(self.grid)
        self._white = 1.0
        self._noise = 0.0
        self._tables: dict[float, NDArray[np.float32]] = {}

    def calibrate(self, envelope: NDArray[np.float32]) -> None:
        """Set white and noise level from the envelope (samples, lines) at rest; the gain follows no frame."""
        self._white, self._noise = find_levels(self.settings, envelope)

    def form_envelope(
        self,
        positions_mm: NDArray[np.float32],
        amplitudes: NDArray[np.complex64],
        rng: np.random.Generator | None = None,
    ) -> NDArray[np.float32]:
        """Form the envelope of one frame on the scan's own samples (see `grid`).

        Args:
            positions_mm: places (N, 2) of the scatterers now, (x, z).
            amplitudes: complex (N,).
            rng: source of the electronic noise; None for a noiseless frame.

        Returns:
            Envelope (samples, lines), linear.
        """
        grid = self.grid
        self._splat.place(positions_mm)
        total: NDArray[np.float32] | None = None
        for turns_per_mm in grid.look_turns_per_mm:
            field = _blur_across(grid, self._splat.collect(amplitudes, turns_per_mm))
            if rng is not None and self._noise > 0:
                field += draw_noise(grid, self._noise, rng)
            field = _blur_along(grid, field)
            np.multiply(field, field, out=field)
            field[0] += field[1]
            envelope = np.sqrt(field[0], out=field[0])
            total = envelope if total is None else np.add(total, envelope, out=total)
        if total is None:
            raise SettingError(f"looks={self.settings.looks}: give 1 or more")
        total *= grid.gain * np.float32(1 / len(grid.look_turns_per_mm))
        return total

    def compress(self, envelope: NDArray[np.float32], gain_db: float = 0.0) -> NDArray[np.float32]:
        """Turn an envelope (samples, lines) into greys 0-255 (H, W), not yet rounded.

        Args:
            envelope: linear envelope.
            gain_db: gain on top of the scanner's setting, when somebody turns the knob.
        """
        settings, grid = self.settings, self.grid
        if settings.smoothing > 0:
            # Averaging before the logarithm fills the dark gaps of the speckle, as compounding does.
            smooth = _average_three(_average_three(envelope, grid.smooth_row, 0), grid.smooth_line, 1)
            envelope = envelope + np.float32(settings.smoothing) * (smooth - envelope)
        entry = (envelope * np.float32(1 / self._white)).view(np.int32) >> MANTISSA_SHIFT
        entry -= FIRST_ENTRY
        np.clip(entry, 0, ENTRIES - 1, out=entry)
        greys = self._find_table(gain_db)[entry].reshape(settings.height_px, grid.samples_per_px, grid.lines)
        reduced = greys[:, 0].copy()
        for part in range(1, grid.samples_per_px):
            reduced += greys[:, part]
        by_line = np.ascontiguousarray(reduced.T)
        columns = np.zeros((settings.width_px, settings.height_px), dtype=np.float32)
        for taps, weights in zip(grid.line_taps, grid.line_weights, strict=True):
            columns += by_line[taps] * weights
        picture = np.ascontiguousarray(columns.T)
        picture *= np.float32(1 / grid.samples_per_px)
        if settings.sharpening > 0:
            smooth = _average_three(_average_three(picture, 1, 0), 1, 1)
            picture += np.float32(settings.sharpening) * (picture - smooth)
        return np.clip(picture, 0, 255, out=picture)

    def _find_table(self, gain_db: float) -> NDArray[np.float32]:
        if gain_db not in self._tables:
            self._tables[gain_db] = make_grey_table(self.settings, self.settings.gain_db + gain_db)
        return self._tables[gain_db]


def _blur_across(grid: ScanGrid, field: NDArray[np.float32]) -> NDArray[np.float32]:
    """Smooth (2, rows, lines) by the beam; drops the line pads and all rows that the pulse does not reach."""
    pad, wide = grid.line_pad, grid.lines + 2 * grid.sidelobe_lines
    start = pad - grid.sidelobe_lines
    blurred = np.empty((2, field.shape[1], wide), dtype=np.float32)
    for block in grid.blocks:
        rows = field[:, block.first : block.last]
        out = blurred[:, block.first : block.last]
        np.multiply(rows[..., start : start + wide], block.weights[0], out=out)
        part = np.empty_like(out)
        for reach, weights in enumerate(block.weights[1:], start=1):
            left, right = start - reach, start + reach
            np.add(rows[..., left : left + wide], rows[..., right : right + wide], out=part)
            part *= weights
            out += part
    spare = grid.row_pad - (len(grid.axial) - 1)
    blurred = blurred[:, spare : blurred.shape[1] - spare]
    if grid.sidelobe_lines == 0:
        return blurred
    away = grid.sidelobe_lines
    # The first side lobes have the sign opposite to the main lobe.
    lobes = blurred[..., : grid.lines] + blurred[..., 2 * away :]
    lobes *= np.float32(-grid.sidelobe)
    lobes += blurred[..., away:-away]
    return np.asarray(lobes, dtype=np.float32)


def _blur_along(grid: ScanGrid, field: NDArray[np.float32]) -> NDArray[np.float32]:
    """Smooth (2, rows + 2 reach, lines) by the pulse; drops the rest of the row pads."""
    reach = len(grid.axial) - 1
    blurred: NDArray[np.float32] = field[:, reach : reach + grid.rows] * grid.axial[0]
    part = np.empty_like(blurred)
    for away in range(1, reach + 1):
        above, below = reach - away, reach + away
        np.add(field[:, above : above + grid.rows], field[:, below : below + grid.rows], out=part)
        part *= grid.axial[away]
        blurred += part
    return blurred


def _average_three(values: NDArray[np.float32], spacing: int, axis: int) -> NDArray[np.float32]:
    """Weigh neighbours at a spacing by 1/4, 1/2, 1/4 along an axis; the edge repeats."""
    padding = [(0, 0), (0, 0)]
    padding[axis] = (spacing, spacing)
    padded = np.pad(values, padding, mode="edge")
    length = values.shape[axis]
    first = padded[:length] if axis == 0 else padded[:, :length]
    last = padded[2 * spacing :] if axis == 0 else padded[:, 2 * spacing :]
    mean = first + last
    mean *= np.float32(0.25)
    mean += values * np.float32(0.5)
    return mean
