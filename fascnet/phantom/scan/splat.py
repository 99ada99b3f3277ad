"""Shares the echoes of scatterers among the cells of the scan's grid."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_array

from fascnet.phantom.scan.scan_grid import ECHO_UNIT, SHARE_BITS, SHARE_STEPS, TURN_STEPS, ScanGrid


class Splat:
    """Shares each scatterer among its four nearest cells; the carrier's phase is of the exact place.

    Shares and echoes are whole numbers (see `SHARE_STEPS`, `ECHO_UNIT`), so sums are exact in float64 and
    do not depend on the order of the scatterers.
    """

    def __init__(self, grid: ScanGrid) -> None:
        self._grid = grid
        self._shape = (grid.rows + 2 * grid.row_pad, grid.lines + 2 * grid.line_pad)
        self._x = self._z = np.empty(0, dtype=np.float32)
        self._reserve(0)

    def place(self, positions_mm: NDArray[np.float32]) -> None:
        """Find the cells of scatterers at (N, 2), (x, z) in mm."""
        grid = self._grid
        height, width = self._shape
        if len(positions_mm) != len(self._x):
            self._reserve(len(positions_mm))
        self._x[:], self._z[:] = positions_mm[:, 0], positions_mm[:, 1]
        whole_line, right = _locate(self._x, grid.line_mm, grid.first_line_mm, grid.line_pad, width)
        whole_row, down = _locate(self._z, grid.row_mm, grid.first_row_mm, grid.row_pad, height)
        left, up = np.float32(SHARE_STEPS) - right, np.float32(SHARE_STEPS) - down
        whole_row *= np.int32(width)
        whole_row += whole_line
        for corner, (across, along, step) in enumerate(
            ((left, up, 0), (right, up, 1), (left, down, width), (right, down, width + 1))
        ):
            np.multiply(across, along, out=self._shares[:, corner])
            np.add(whole_row, np.int32(step), out=self._cells[:, corner])

    def collect(self, amplitudes: NDArray[np.complex64], turns_per_mm: float) -> NDArray[np.float32]:
        """Return the field (2, rows, lines) with pads, real and imaginary part, of the places set last.

        Args:
            amplitudes: complex (N,).
            turns_per_mm: steps of the phase table per mm of x, for a steered look.
        """
        grid, height, width = self._grid, *self._shape
        turn, product, step = self._turn, self._product, self._step
        np.multiply(self._z, np.float32(-grid.turn_fall_per_mm2), out=turn)
        turn += np.float32(grid.turns_per_mm)
        turn *= self._z
        if turns_per_mm != 0.0:
            np.multiply(self._x, np.float32(turns_per_mm), out=product)
            turn += product
        np.copyto(step, turn, casting="unsafe")
        step &= TURN_STEPS - 1
        np.take(grid.cosines, step, out=self._cosine, mode="clip")
        np.take(grid.sines, step, out=self._sine, mode="clip")
        # A column for each scatterer, with its shares of four cells: the product adds up echoes by cell.
        matrix = csc_array(
            (self._shares.ravel(), self._cells.ravel(), self._starts), shape=(height * width, len(self._x))
        )
        field = np.empty((2, height, width), dtype=np.float32)
        # amplitude x exp(-j turn), by parts: complex64 arithmetic costs more.
        echo = turn
        for part, (first, second, add) in enumerate(
            ((amplitudes.real, amplitudes.imag, np.add), (amplitudes.imag, amplitudes.real, np.subtract))
        ):
            np.multiply(first, self._cosine, out=echo)
            np.multiply(second, self._sine, out=product)
            add(echo, product, out=echo)
            np.rint(echo, out=self._echo)
            sums = np.asarray(matrix @ self._echo)
            np.multiply(
                sums.reshape(height, width), ECHO_UNIT / SHARE_STEPS**2, out=field[part], casting="same_kind"
            )
        return field

    def _reserve(self, count: int) -> None:
        """Fresh memory for every frame would cost more than the sums."""
        self._x, self._z = np.empty(count, dtype=np.float32), np.empty(count, dtype=np.float32)
        self._turn, self._product, self._cosine, self._sine = np.empty((4, count), dtype=np.float32)
        self._step = np.empty(count, dtype=np.int32)
        self._echo = np.empty(count, dtype=np.float64)
        self._shares = np.empty((count, 4), dtype=np.float64)
        self._cells = np.empty((count, 4), dtype=np.int32)
        self._starts = np.arange(0, 4 * count + 1, 4, dtype=np.int32)


def _locate(
    places_mm: NDArray[np.float32], step_mm: float, first_mm: float, pad: int, size: int
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Return the cell below each place, and the share of the next one in steps of 1 / SHARE_STEPS."""
    place = places_mm * np.float32(SHARE_STEPS / step_mm)
    place += np.float32(SHARE_STEPS * (pad - first_mm / step_mm))
    # Echoes outside are gathered in the outermost cells; the pad keeps them out of reach.
    np.clip(place, 0, SHARE_STEPS * (size - 1) - 1, out=place)
    whole = place.astype(np.int32)
    share = (whole & (SHARE_STEPS - 1)).astype(np.float32)
    whole >>= SHARE_BITS
    return whole, share
