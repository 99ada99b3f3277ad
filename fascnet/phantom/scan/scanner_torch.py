"""The scanner in torch: the same steps in the same order as NumPy's, so that a GPU gives the same frames.

Every step is one elementwise operation, which IEEE arithmetic rounds alike everywhere, or a sum of whole
numbers, which has no order. Noise is drawn by the NumPy generator and copied.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fascnet.errors import SettingError
from fascnet.phantom.scan.compression import ENTRIES, FIRST_ENTRY, MANTISSA_SHIFT, make_grey_table
from fascnet.phantom.scan.scan_grid import (
    ECHO_UNIT,
    SHARE_BITS,
    SHARE_STEPS,
    TURN_STEPS,
    plan_grid,
)
from fascnet.phantom.scan.scan_levels import draw_noise, find_levels
from fascnet.phantom.scan.scan_settings import ScanSettings


class TorchScanner:
    """Forms envelopes and greys on a torch device; takes and gives NumPy arrays, as `Scanner` does.

    Args:
        settings: how the scanner is set.
        device: a torch device, such as `cuda` or `cpu`.

    Raises:
        SettingError: a CUDA device was asked for and torch finds none.
    """

    def __init__(self, settings: ScanSettings, device: str = "cuda") -> None:
        self._device = torch.device(device)
        if self._device.type == "cuda" and not torch.cuda.is_available():
            raise SettingError(f"device={device}, but torch finds no CUDA device; choose device=cpu")
        self.settings = settings
        self.grid = grid = plan_grid(settings)
        self._axial = [float(weight) for weight in grid.axial]
        self._beam = [self._copy(block.weights) for block in grid.blocks]
        self._cosines, self._sines = self._copy(grid.cosines), self._copy(grid.sines)
        self._gain = self._copy(grid.gain * np.float32(1 / len(grid.look_turns_per_mm)))
        self._taps, self._weights = self._copy(grid.line_taps), self._copy(grid.line_weights)
        self._white, self._noise = 1.0, 0.0
        self._tables: dict[float, Tensor] = {}

    def calibrate(self, envelope: NDArray[np.float32]) -> None:
        """Set white and noise level from the envelope (samples, lines) at rest; the gain follows no frame."""
        self._white, self._noise = find_levels(self.settings, envelope)

    @torch.inference_mode()
    def form_envelope(
        self,
        positions_mm: NDArray[np.float32],
        amplitudes: NDArray[np.complex64],
        rng: np.random.Generator | None = None,
    ) -> NDArray[np.float32]:
        """Form the envelope (samples, lines) of one frame; see `Scanner.form_envelope`."""
        grid = self.grid
        places = self._copy(np.ascontiguousarray(positions_mm.T, dtype=np.float32))
        echoes = self._copy(np.stack([amplitudes.real, amplitudes.imag]).astype(np.float32))
        corners = self._share(places)
        total: Tensor | None = None
        for turns_per_mm in grid.look_turns_per_mm:
            field = self._blur_across(self._collect(places, echoes, corners, turns_per_mm))
            if rng is not None and self._noise > 0:
                field = field + self._copy(draw_noise(grid, self._noise, rng))
            field = self._blur_along(field)
            # torch's float32 square root on the CPU is not correctly rounded; by way of float64 it is.
            power = field[0] * field[0] + field[1] * field[1]
            envelope = torch.sqrt(power.to(torch.float64)).to(torch.float32)
            total = envelope if total is None else total + envelope
        if total is None:
            raise SettingError(f"looks={self.settings.looks}: give 1 or more")
        return self._return(total * self._gain)

    @torch.inference_mode()
    def compress(self, envelope: NDArray[np.float32], gain_db: float = 0.0) -> NDArray[np.float32]:
        """Turn an envelope (samples, lines) into greys 0-255 (H, W); see `Scanner.compress`."""
        settings, grid = self.settings, self.grid
        echo = self._copy(envelope)
        if settings.smoothing > 0:
            smooth = _average_three(_average_three(echo, grid.smooth_row, 0), grid.smooth_line, 1)
            echo = echo + (smooth - echo) * _single(settings.smoothing)
        entry = (echo * _single(1 / self._white)).view(torch.int32) >> MANTISSA_SHIFT
        entry = (entry - FIRST_ENTRY).clamp_(0, ENTRIES - 1)
        greys = self._find_table(gain_db)[entry].reshape(settings.height_px, grid.samples_per_px, grid.lines)
        reduced = greys[:, 0]
        for part in range(1, grid.samples_per_px):
            reduced = reduced + greys[:, part]
        columns = torch.zeros((settings.width_px, settings.height_px), device=self._device)
        for taps, weights in zip(self._taps, self._weights, strict=True):
            columns = columns + reduced.T[taps] * weights
        picture = columns.T * _single(1 / grid.samples_per_px)
        if settings.sharpening > 0:
            smooth = _average_three(_average_three(picture, 1, 0), 1, 1)
            picture = picture + (picture - smooth) * _single(settings.sharpening)
        return self._return(picture.clamp(0, 255).contiguous())

    def _share(self, places: Tensor) -> list[tuple[Tensor, Tensor]]:
        """Return cells and whole-number shares of the four corners."""
        grid = self.grid
        height, width = self._padded_shape()
        line, right = _locate(places[0], grid.line_mm, grid.first_line_mm, grid.line_pad, width)
        row, down = _locate(places[1], grid.row_mm, grid.first_row_mm, grid.row_pad, height)
        left, up = SHARE_STEPS - right, SHARE_STEPS - down
        cell = row * width + line
        return [
            (cell, left * up),
            (cell + 1, right * up),
            (cell + width, left * down),
            (cell + width + 1, right * down),
        ]

    def _collect(
        self, places: Tensor, echoes: Tensor, corners: list[tuple[Tensor, Tensor]], turns_per_mm: float
    ) -> Tensor:
        grid = self.grid
        height, width = self._padded_shape()
        turn = (places[1] * _single(-grid.turn_fall_per_mm2) + _single(grid.turns_per_mm)) * places[1]
        if turns_per_mm != 0.0:
            turn = turn + places[0] * _single(turns_per_mm)
        step = turn.to(torch.int32) & (TURN_STEPS - 1)
        cosine, sine = self._cosines[step], self._sines[step]
        real, imaginary = echoes
        sums = torch.zeros((2, height * width), dtype=torch.int64, device=self._device)
        for part, echo in enumerate((real * cosine + imaginary * sine, imaginary * cosine - real * sine)):
            whole = torch.round(echo).to(torch.int64)
            for cell, share in corners:
                sums[part].index_add_(0, cell, whole * share)
        field: Tensor = (sums.to(torch.float64) * (ECHO_UNIT / SHARE_STEPS**2)).to(torch.float32)
        return field.reshape(2, height, width)

    def _blur_across(self, field: Tensor) -> Tensor:
        grid, away = self.grid, self.grid.sidelobe_lines
        start, wide = grid.line_pad - away, grid.lines + 2 * away
        parts = []
        for block, beam in zip(grid.blocks, self._beam, strict=True):
            rows = field[:, block.first : block.last]
            out = rows[..., start : start + wide] * beam[0]
            for reach in range(1, len(beam)):
                left, right = start - reach, start + reach
                out = out + (rows[..., left : left + wide] + rows[..., right : right + wide]) * beam[reach]
            parts.append(out)
        blurred = torch.cat(parts, dim=1)
        spare = grid.row_pad - (len(grid.axial) - 1)
        blurred = blurred[:, spare : blurred.shape[1] - spare]
        if away == 0:
            return blurred
        lobes = blurred[..., : grid.lines] + blurred[..., 2 * away :]
        main: Tensor = blurred[..., away:-away]
        return main - lobes * _single(grid.sidelobe)

    def _blur_along(self, field: Tensor) -> Tensor:
        rows, reach = self.grid.rows, len(self._axial) - 1
        blurred = field[:, reach : reach + rows] * self._axial[0]
        for away in range(1, reach + 1):
            above, below = reach - away, reach + away
            pair = field[:, above : above + rows] + field[:, below : below + rows]
            blurred = blurred + pair * self._axial[away]
        return blurred

    def _padded_shape(self) -> tuple[int, int]:
        return self.grid.rows + 2 * self.grid.row_pad, self.grid.lines + 2 * self.grid.line_pad

    def _find_table(self, gain_db: float) -> Tensor:
        if gain_db not in self._tables:
            table = make_grey_table(self.settings, self.settings.gain_db + gain_db)
            self._tables[gain_db] = self._copy(table)
        return self._tables[gain_db]

    def _copy(self, values: NDArray[np.generic]) -> Tensor:
        return torch.from_numpy(np.array(values)).to(self._device)

    def _return(self, values: Tensor) -> NDArray[np.float32]:
        return np.asarray(values.cpu().numpy(), dtype=np.float32)


def _single(value: float) -> float:
    """Round to float32, as NumPy's scanner does."""
    return float(np.float32(value))


def _locate(places: Tensor, step_mm: float, first_mm: float, pad: int, size: int) -> tuple[Tensor, Tensor]:
    place = places * _single(SHARE_STEPS / step_mm) + _single(SHARE_STEPS * (pad - first_mm / step_mm))
    whole = place.clamp(0, SHARE_STEPS * (size - 1) - 1).to(torch.int64)
    return whole >> SHARE_BITS, whole & (SHARE_STEPS - 1)


def _average_three(values: Tensor, spacing: int, dim: int) -> Tensor:
    length = values.shape[dim]
    at = torch.arange(length, device=values.device)
    first = values.index_select(dim, (at - spacing).clamp_(0, length - 1))
    last = values.index_select(dim, (at + spacing).clamp_(0, length - 1))
    return (first + last) * 0.25 + values * 0.5
