"""Where the tissue is in a DICOM ultrasound image, and how large a pixel is."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from fascnet.types import PixelBox

PLAUSIBLE_MM_PER_PX = (0.005, 1.0)
"""Outside, an image of 500 pixels would be less than 2.5 mm or more than 50 cm deep: a wrong header."""

_TISSUE, _FLAT_2D, _CENTIMETRES = 1, 1, 3
"""RegionDataType, RegionSpatialFormat and PhysicalUnitsXDirection of DICOM PS3.3 C.8.5.5."""


@dataclass(frozen=True, slots=True)
class UltrasoundRegion:
    """A calibrated B-mode region: its box in stored pixels, and its spacing where that is sound."""

    box: PixelBox
    mm_per_px: float | None


def read_region(header: Any) -> UltrasoundRegion | None:
    """Return the largest two-dimensional tissue region that lies inside the image, or None.

    A region that reaches outside describes another size of the image (it was scaled afterwards), so that
    neither its box nor its spacing can be believed.
    """
    height, width = int(header.Rows), int(header.Columns)
    regions: list[UltrasoundRegion] = []
    for item in header.get("SequenceOfUltrasoundRegions") or ():
        if item.get("RegionDataType") != _TISSUE or item.get("RegionSpatialFormat") != _FLAT_2D:
            continue
        x0, y0 = int(item.RegionLocationMinX0), int(item.RegionLocationMinY0)
        # The maximum is the last pixel; some scanners write the one after it: hence the minimum below.
        x1, y1 = int(item.RegionLocationMaxX1), int(item.RegionLocationMaxY1)
        if not (0 <= x0 < x1 <= width and 0 <= y0 < y1 <= height):
            continue
        box = (x0, y0, min(x1 + 1, width), min(y1 + 1, height))
        regions.append(UltrasoundRegion(box, _read_delta_mm(item)))
    return max(regions, key=lambda r: (r.box[2] - r.box[0]) * (r.box[3] - r.box[1]), default=None)


def read_spacing_mm(header: Any) -> float | None:
    """Return mm per pixel from the tissue region, else PixelSpacing, else None."""
    region = read_region(header)
    if region is not None and region.mm_per_px is not None:
        return region.mm_per_px
    spacing = header.get("PixelSpacing")
    if spacing is None or len(spacing) != 2:
        return None
    return _join_spacings(float(spacing[0]), float(spacing[1]))


def _read_delta_mm(item: Any) -> float | None:
    units = (item.get("PhysicalUnitsXDirection"), item.get("PhysicalUnitsYDirection"))
    if units != (_CENTIMETRES, _CENTIMETRES):
        return None
    # Scanners write negative deltas for axes that run the other way.
    return _join_spacings(10.0 * abs(float(item.PhysicalDeltaX)), 10.0 * abs(float(item.PhysicalDeltaY)))


def _join_spacings(across_mm: float, down_mm: float) -> float | None:
    """One spacing for both axes; None when they differ by more than 10 %, where one number would be wrong."""
    low, high = PLAUSIBLE_MM_PER_PX
    if not (low <= across_mm <= high and low <= down_mm <= high):
        return None
    if max(across_mm, down_mm) > 1.1 * min(across_mm, down_mm):
        return None
    return math.sqrt(across_mm * down_mm)
