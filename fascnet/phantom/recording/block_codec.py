"""A lossy block codec: what an exported clip looks like after compression. Same bits on every machine.

Key frames are coded afresh, frames between as a quantised difference to the frame decoded before. A still
background therefore keeps the error of its last key frame, and at the next one the whole picture jumps in
grey. Real jumps (MPEG-4 part 2, every 250 frames) in the project's recordings change the picture by 3.5 and
6.2 grey levels on average, 6 and 10 times as much as the frames around them. No motion is compensated (model
choice): what moves is coded as a difference, more coarsely than a real encoder does.

All transforms are sums of whole numbers below 2^53, which float64 holds exactly: neither the order of the
sum nor the library that does it can change a bit.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from fascnet.errors import SettingError

BLOCK_PX = 8

# Luminance quantisation example of ITU-T T.81 (JPEG), table K.1.
_STEPS = np.array(
    [
        [16, 11, 10, 16, 24, 40, 51, 61],
        [12, 12, 14, 19, 26, 58, 60, 55],
        [14, 13, 16, 24, 40, 57, 69, 56],
        [14, 17, 22, 29, 51, 87, 80, 62],
        [18, 22, 37, 56, 68, 109, 103, 77],
        [24, 35, 55, 64, 81, 104, 113, 92],
        [49, 64, 78, 87, 103, 121, 120, 101],
        [72, 92, 95, 98, 112, 100, 103, 99],
    ],
    dtype=np.float64,
)

_DEAD_ZONE = 0.25
"""Differences below 1.25 steps are not coded, as in the H.263 test model TMN: (|c| - Q / 2) / 2Q, rounded
down. MPEG-4 part 2 and H.263 decode such a level to the middle of its interval, (2 |level| + 1) Q."""

_SCALE_BITS = 12
_MID_GREY = 128


class BlockCodec:
    """Stores frames in order and returns what a player would show.

    Args:
        quality: 1 (coarse) to 100 (nearly lossless), on the scale of the Independent JPEG Group.
        keyframe_period: frames from one key frame to the next, >= 1; frame 0 is one.
        deblock: smooth block edges inside the loop, as H.264 does and MPEG-4 part 2 and JPEG do not.

    Raises:
        SettingError: quality or period outside its range.
    """

    def __init__(self, quality: float, keyframe_period: int, deblock: bool) -> None:
        if not (math.isfinite(quality) and 1 <= quality <= 100):
            raise SettingError(f"quality={quality}: give a number between 1 and 100")
        if keyframe_period < 1:
            raise SettingError(f"keyframe_period={keyframe_period}: give 1 or more")
        self.quality = quality
        self.keyframe_period = keyframe_period
        self.deblock = deblock
        self._steps = _scale_steps(_STEPS.reshape(64), quality)
        self._decoded: NDArray[np.int16] | None = None
        self._count = 0

    def store(self, frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Code and decode the next frame.

        Args:
            frame: uint8 (H, W) of any size, the same for all frames.

        Returns:
            uint8 (H, W).

        Raises:
            ValueError: the size differs from that of the frame before.
        """
        height, width = frame.shape
        padded = np.pad(frame, ((0, -height % BLOCK_PX), (0, -width % BLOCK_PX)), "edge").astype(np.int16)
        before = self._decoded
        if before is not None and before.shape != padded.shape:
            raise ValueError(f"frame is {height} x {width}, unlike the frames before it")
        if before is None or self._count % self.keyframe_period == 0:
            levels = _transmit(padded - _MID_GREY, self._steps, is_difference=False) + _MID_GREY
        else:
            levels = before + _transmit(padded - before, self._steps, is_difference=True)
        decoded = np.clip(levels, 0, 255).astype(np.int16)
        if self.deblock:
            _smooth_edges(decoded, float(self._steps[0]))
        self._decoded = decoded
        self._count += 1
        return decoded[:height, :width].astype(np.uint8)

    def find_keyframes(self, n_frames: int) -> range:
        """Return the key frames after the first among `n_frames`: where the picture jumps."""
        return range(self.keyframe_period, n_frames, self.keyframe_period)


def _scale_steps(steps: NDArray[np.float64], quality: float) -> NDArray[np.float64]:
    """Scale quantisation steps by quality as the Independent JPEG Group's library does; whole, 1-255."""
    percent = 5000 / quality if quality < 50 else 200 - 2 * quality
    return np.clip(np.floor((steps * percent + 50) / 100), 1, 255)


def _make_basis() -> NDArray[np.float64]:
    """Two-dimensional orthonormal DCT-II (64, 64) in whole numbers, 2^24 times its size; rows are waves."""
    wave, place = np.mgrid[0:BLOCK_PX, 0:BLOCK_PX]
    rows = np.cos(np.pi * (2 * place + 1) * wave / (2 * BLOCK_PX)) * np.sqrt(2 / BLOCK_PX)
    rows[0] = np.sqrt(1 / BLOCK_PX)
    # Rounded to 12 bits a direction, far from a tie: the same whole numbers whatever computed the cosine.
    whole = np.rint(rows * 2**_SCALE_BITS)
    return np.kron(whole, whole)


_BASIS = _make_basis()


def _transmit(
    values: NDArray[np.int16], steps: NDArray[np.float64], is_difference: bool
) -> NDArray[np.int16]:
    """Transform, quantise and transform back.

    Args:
        values: (H, W) whole blocks, -255 to 255.
        steps: (64,) quantisation steps.
        is_difference: whether small waves are left out; otherwise levels are rounded to the nearest.

    Returns:
        (H, W), rounded to whole levels.
    """
    rows, columns = values.shape[0] // BLOCK_PX, values.shape[1] // BLOCK_PX
    blocks = values.reshape(rows, BLOCK_PX, columns, BLOCK_PX).transpose(0, 2, 1, 3).reshape(-1, 64)
    unit = 2.0 ** (2 * _SCALE_BITS)
    waves = blocks.astype(np.float64) @ _BASIS.T
    sizes = np.abs(waves) / (steps * unit)
    sizes = np.maximum(np.floor(sizes - _DEAD_ZONE), 0) if is_difference else np.floor(sizes + 0.5)
    coded = np.flatnonzero(sizes.any(axis=1))
    decoded = np.zeros(blocks.shape, np.int16)
    if coded.size:
        found = sizes[coded]
        if is_difference:
            found = np.where(found > 0, found + 0.5, 0.0)
        levels = np.copysign(found, waves[coded]) * steps
        decoded[coded] = np.rint((levels @ _BASIS) / unit)
    return decoded.reshape(rows, columns, BLOCK_PX, BLOCK_PX).transpose(0, 2, 1, 3).reshape(values.shape)


def _smooth_edges(levels: NDArray[np.int16], step: float) -> None:
    """Smooth small steps across block edges in place; large ones are the picture's own.

    The formula is that of ITU-T H.264 section 8.7.2.3. Its thresholds alpha and beta are about 1.25 and 0.4
    quantisation steps at medium quality; that share and the limit of change are a model choice.
    """
    alpha, beta, most = int(1.25 * step) + 1, int(0.4 * step) + 1, int(step / 6) + 1
    # A view turned by transposition writes to the same memory.
    for view in (levels, levels.T):
        edges = view.shape[1] // BLOCK_PX - 1
        if edges < 1:
            continue
        p1, p0, q0, q1 = (view[:, BLOCK_PX + shift :: BLOCK_PX][:, :edges] for shift in (-2, -1, 0, 1))
        is_artefact = (np.abs(p0 - q0) < alpha) & (np.abs(p1 - p0) < beta) & (np.abs(q1 - q0) < beta)
        change = np.clip(((q0 - p0) * 4 + (p1 - q1) + 4) >> 3, -most, most) * is_artefact
        new_p0, new_q0 = np.clip(p0 + change, 0, 255), np.clip(q0 - change, 0, 255)
        p0[...] = new_p0
        q0[...] = new_q0
