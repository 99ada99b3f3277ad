"""Where the tissue is in a DICOM ultrasound image, and how large a pixel is: sideways and downwards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fascnet.data.recording.limits import MAX_ASPECT, describe_aspect
from fascnet.types import PixelBox

PLAUSIBLE_MM_PER_PX = (0.005, 1.0)
"""Outside, an image of 500 pixels would be less than 2.5 mm or more than 50 cm deep: a wrong header."""

_TISSUE, _FLAT_2D, _CENTIMETRES = 1, 1, 3
"""RegionDataType, RegionSpatialFormat and PhysicalUnitsXDirection of DICOM PS3.3 C.8.5.5."""

_SPACINGS = ("PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing")
"""Down, across, in mm (DICOM PS3.3 10.7.1.3). The last two are measured at the detector or the paper."""


@dataclass(frozen=True, slots=True)
class Spacing:
    """How large a pixel is: `mm_per_px` downwards, and `aspect`, its width over its height."""

    mm_per_px: float
    aspect: float


@dataclass(frozen=True, slots=True)
class UltrasoundRegion:
    """A calibrated B-mode region: its box in stored pixels, and its spacing where that is sound."""

    box: PixelBox
    spacing: Spacing | None


@dataclass(frozen=True, slots=True)
class Geometry:
    """What a header says about place and size.

    Attributes:
        region: the largest two-dimensional tissue region inside the image, or None.
        mm_per_px: spacing downwards, or None.
        pixel_aspect: width of a pixel over its height; 1 where nothing is said.
        remarks: what was left out, and why.
    """

    region: UltrasoundRegion | None
    mm_per_px: float | None
    pixel_aspect: float
    remarks: tuple[str, ...]


def read_geometry(header: Any) -> Geometry:
    """Read ultrasound regions and pixel spacings.

    A region that reaches outside describes another size of the image (it was scaled afterwards), so that
    neither its box nor its spacing can be believed. Of several sound ones the largest counts.

    Raises:
        ValueError, TypeError: Rows or Columns hold no numbers.
    """
    remarks: list[str] = []
    regions = _read_regions(header, remarks)
    region = max(regions, key=lambda r: (r.box[2] - r.box[0]) * (r.box[3] - r.box[1]), default=None)
    if len(regions) > 1:
        remarks.append(f"holds {len(regions)} tissue regions; the largest counts")
    if region is not None and region.spacing is not None:
        return Geometry(region, region.spacing.mm_per_px, region.spacing.aspect, tuple(remarks))
    for name in _SPACINGS:
        spacing = header.get(name)
        if (
            spacing is None
            or isinstance(spacing, str)
            or not hasattr(spacing, "__len__")
            or len(spacing) != 2
        ):
            continue
        sound = judge_spacing(float(spacing[1]), float(spacing[0]), name, remarks)
        if sound is not None:
            if name != "PixelSpacing":
                remarks.append(f"its scale comes from {name}; check it against the depth on the screen")
            return Geometry(region, sound.mm_per_px, sound.aspect, tuple(remarks))
    return Geometry(region, None, _read_aspect(header, remarks), tuple(remarks))


def _read_aspect(header: Any, remarks: list[str]) -> float:
    """Read PixelAspectRatio, sizes down and across (DICOM PS3.3 C.7.6.3.1.7); 1 where it is not sound."""
    ratio = header.get("PixelAspectRatio")
    if ratio is None or isinstance(ratio, str) or not hasattr(ratio, "__len__") or len(ratio) != 2:
        return 1.0
    down, across = float(ratio[0]), float(ratio[1])
    aspect = across / down if down > 0 else 0.0
    if not 1 / MAX_ASPECT <= aspect <= MAX_ASPECT:
        return 1.0
    remarks.extend(describe_aspect(aspect))
    return aspect


def _read_regions(header: Any, remarks: list[str]) -> list[UltrasoundRegion]:
    height, width = int(header.Rows), int(header.Columns)
    regions: list[UltrasoundRegion] = []
    for number, item in enumerate(header.get("SequenceOfUltrasoundRegions") or (), start=1):
        if item.get("RegionDataType") != _TISSUE or item.get("RegionSpatialFormat") != _FLAT_2D:
            continue
        corners = [item.get(f"RegionLocation{corner}") for corner in ("MinX0", "MinY0", "MaxX1", "MaxY1")]
        if not all(isinstance(corner, int) for corner in corners):
            remarks.append(f"ultrasound region {number} has no box; it is ignored")
            continue
        x0, y0, x1, y1 = corners
        # The maximum is the last pixel; some scanners write the one after it: hence the minimum below.
        if not (0 <= x0 < x1 <= width and 0 <= y0 < y1 <= height):
            remarks.append(
                f"ultrasound region {number} ({x0}, {y0}) to ({x1}, {y1}) lies outside the image of "
                f"{width}x{height}; its place and scale are ignored"
            )
            continue
        box = (x0, y0, min(x1 + 1, width), min(y1 + 1, height))
        regions.append(UltrasoundRegion(box, _read_delta_mm(item, f"ultrasound region {number}", remarks)))
    return regions


def _read_delta_mm(item: Any, name: str, remarks: list[str]) -> Spacing | None:
    units = (item.get("PhysicalUnitsXDirection"), item.get("PhysicalUnitsYDirection"))
    deltas = (item.get("PhysicalDeltaX"), item.get("PhysicalDeltaY"))
    if units != (_CENTIMETRES, _CENTIMETRES) or not all(isinstance(delta, int | float) for delta in deltas):
        remarks.append(f"{name} gives no spacing in cm")
        return None
    # Scanners write negative deltas for axes that run the other way.
    return judge_spacing(10.0 * abs(deltas[0]), 10.0 * abs(deltas[1]), name, remarks)


def judge_spacing(across_mm: float, down_mm: float, name: str, remarks: list[str]) -> Spacing | None:
    """Return a spacing as it is said, or None for one that no muscle image has; remarks say what is odd."""
    low, high = PLAUSIBLE_MM_PER_PX
    said = f"{name} says {across_mm:.4g} mm/px across and {down_mm:.4g} down"
    if not (low <= across_mm <= high and low <= down_mm <= high):
        remarks.append(f"{said}, which no muscle image has; its scale is ignored")
        return None
    aspect = across_mm / down_mm
    if not 1 / MAX_ASPECT <= aspect <= MAX_ASPECT:
        remarks.append(f"{said}, which cannot both be true; its scale is ignored")
        return None
    remarks.extend(describe_aspect(aspect))
    return Spacing(down_mm, aspect)
