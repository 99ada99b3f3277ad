"""Presentation times of a video as increasing seconds from the first frame, at the wanted rate."""

from __future__ import annotations


class FrameClock:
    """Reads presentation times, fills those that are missing, and rescales them.

    Args:
        own_fps: mean rate of the times as stored.
        fps: mean rate wanted.
    """

    def __init__(self, own_fps: float, fps: float) -> None:
        self._step_s = 1.0 / own_fps
        self._scale = own_fps / fps
        self._origin: float | None = None
        self._last: float | None = None
        self._last_sound = 0.0
        self._since_sound = 0
        self.step_s = 0.0
        """Seconds by the stored times between the last two frames."""

    def read(self, seconds: float | None) -> float:
        """Return the next frame's time; a missing or non-increasing one is counted on from the last sound."""
        before = self._last
        self._since_sound += 1
        if before is None:
            self._origin = seconds
            self._last, self._since_sound = 0.0, 0
        elif seconds is not None and self._origin is not None and seconds - self._origin > before:
            self._last = self._last_sound = seconds - self._origin
            self._since_sound = 0
        else:
            self._last = self._last_sound + self._since_sound * self._step_s
        self.step_s = 0.0 if before is None else self._last - before
        return self._last * self._scale
