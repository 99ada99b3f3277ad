"""Whole numbers of a configuration, checked before anything is run."""

from __future__ import annotations

from fascnet.errors import SettingError


def check_whole(key: str, value: object, low: int, high: int | None = None) -> int:
    """Return a whole number within its bounds.

    Args:
        key: how the message names it, such as `check: workers`.
        value: as the configuration gives it; true and false are no numbers.
        low: the least it may be.
        high: the most it may be; None for no bound.

    Raises:
        SettingError: it is none.
    """
    fits = isinstance(value, int) and not isinstance(value, bool)
    if not fits or value < low or (high is not None and value > high):  # type: ignore[operator]
        bounds = f"from {low}" + ("" if high is None else f" to {high}")
        raise SettingError(f"{key}={value} must be a whole number {bounds}")
    return value  # type: ignore[return-value]
