"""Decides which pixel spacing counts, and whether the depth ruler agrees with it."""

from __future__ import annotations

from dataclasses import dataclass

from fascnet.data.screen.depth_ruler import RulerReading

LEAST_CONFIDENCE = 0.5
"""A ruler read with less is not used."""

AGREED_SHARE = 0.05
"""Spacings that differ by more than this share contradict each other: rulers are read to 2 %."""


@dataclass(frozen=True, slots=True)
class Scale:
    """A pixel spacing and where it came from.

    Attributes:
        mm_per_px: None when unknown: then no physical quantity can be given.
        source: `manifest`, `sidecar`, `dicom`, `ruler`, or empty.
        confidence: 0-1; 1 when it was given or stands in the file, 0 when unknown.
        contradiction: one sentence when the ruler on the screen says something else, otherwise empty.
    """

    mm_per_px: float | None = None
    source: str = ""
    confidence: float = 0.0
    contradiction: str = ""


def choose_scale(mm_per_px: float | None, source: str, ruler: RulerReading | None) -> Scale:
    """Choose what was given or stands in the file, otherwise the ruler's; never guess.

    Args:
        mm_per_px: spacing that is known already, or None.
        source: where that came from.
        ruler: what the depth ruler says, or None.
    """
    is_read = ruler is not None and ruler.confidence >= LEAST_CONFIDENCE
    if mm_per_px is None:
        if ruler is None or not is_read:
            return Scale()
        return Scale(ruler.mm_per_px, "ruler", ruler.confidence)
    contradiction = ""
    if ruler is not None and is_read and abs(ruler.mm_per_px / mm_per_px - 1) > AGREED_SHARE:
        contradiction = (
            f"{source or 'given'} spacing is {mm_per_px:.4g} mm/px, "
            f"the ruler on the screen says {ruler.mm_per_px:.4g}; check which is right"
        )
    return Scale(mm_per_px, source, 1.0, contradiction)
