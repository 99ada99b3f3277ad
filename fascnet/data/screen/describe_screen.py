"""Describes the screen of a recording: where the picture is, what lies on it, what the ruler says."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from fascnet.data.recording.dicom import DicomRecording
from fascnet.data.screen.depth_ruler import RulerReading, read_depth_ruler
from fascnet.data.screen.evidence import Evidence, measure_evidence
from fascnet.data.screen.imaging_area import settle_area
from fascnet.data.screen.overlays import find_overlays
from fascnet.data.screen.picture_area import PictureArea, find_in_evidence, make_box_polygon
from fascnet.data.screen.picture_outline import draw_outline
from fascnet.data.screen.sample_frames import sample_frames
from fascnet.data.screen.scale import Scale, choose_scale
from fascnet.errors import SettingError
from fascnet.types import PixelBox, Polygon, Recording

LEAST_INSIDE_CONFIDENCE = 0.25
"""Within a DICOM region the picture is looked for again: regions often hold rulers and text. Below this
confidence the region itself is kept."""

REGION_CONFIDENCE = 0.9
"""Of a DICOM region as it stands: sure to hold the picture, not sure to hold nothing else."""


SIDE_PX = 2
"""A picture's side is found to a pixel or two, and a ruler's long ticks may touch it."""


@dataclass(frozen=True, slots=True, eq=False)
class ScreenReport:
    """What a recording's screen shows.

    Attributes:
        box: the picture, half-open stored pixels.
        polygon: its outline in stored pixels.
        kind: `linear`, `trapezoid`, `sector`, or `whole` when it fills the frame or was not found.
        confidence: 0-1 that the box is right; 0 when nothing was found and the frame is kept whole.
        method: `given`, `dicom`, `found` or `whole`.
        picture: bool (H, W), the tissue: within the outline and not drawn over.
        inside: bool (H, W), all within the outline.
        lasting_overlays: bool (H, W), what is drawn over the tissue in every frame, wherever it was seen.
        level: float32 (H, W), median grey over the frames.
        ruler: what the depth ruler says, or None.
        scale: the spacing that counts, and where it came from.
        n_frames: frames that were looked at.
    """

    box: PixelBox
    polygon: Polygon
    kind: str
    confidence: float
    method: str
    picture: NDArray[np.bool_] = field(repr=False)
    inside: NDArray[np.bool_] = field(repr=False)
    lasting_overlays: NDArray[np.bool_] = field(repr=False)
    level: NDArray[np.float32] = field(repr=False)
    ruler: RulerReading | None
    scale: Scale
    n_frames: int


def describe_screen(recording: Recording, *, given_box: PixelBox | None = None) -> ScreenReport:
    """Describe the screen of a recording from a few frames; takes a second, and the memory of 16 frames.

    Args:
        recording: an open recording.
        given_box: where the picture is, if the user said so.

    Raises:
        RecordingError: no frame can be decoded.
        SettingError: the given box is empty or reaches outside the frame.
    """
    info = recording.info
    region = None
    # A region without a sound spacing describes another size of the image, or nothing that is there.
    if isinstance(recording, DicomRecording) and recording.has_region and info.mm_per_px is not None:
        region = info.box
    frames = sample_frames(recording)
    return describe_frames(
        frames,
        given_box=given_box,
        dicom_box=region,
        mm_per_px=info.mm_per_px,
        mm_per_px_from=info.mm_per_px_from,
    )


def describe_frames(
    frames: NDArray[np.uint8],
    *,
    given_box: PixelBox | None = None,
    dicom_box: PixelBox | None = None,
    mm_per_px: float | None = None,
    mm_per_px_from: str = "",
) -> ScreenReport:
    """Describe the screen that a few frames, or one still, show.

    Args:
        frames: uint8 (N, H, W), N >= 1, spread over the clip.
        given_box: where the picture is, if the user said so.
        dicom_box: ultrasound region of a DICOM header, if any; the picture lies within.
        mm_per_px: spacing that is known already.
        mm_per_px_from: where that came from.

    Raises:
        SettingError: the given box is empty or reaches outside the frame.
    """
    shape = (int(frames.shape[1]), int(frames.shape[2]))
    evidence = measure_evidence(frames)
    area = _find_area(frames, evidence, given_box, dicom_box)
    inside = draw_outline(np.asarray(area.polygon.points, np.float64), shape)
    overlays = find_overlays(frames, evidence.change, inside)
    ruler = _read_ruler(evidence.level, area)
    return ScreenReport(
        box=area.box,
        polygon=area.polygon,
        kind=area.kind,
        confidence=area.confidence,
        method=area.method,
        picture=inside & ~overlays.drawn,
        inside=inside,
        lasting_overlays=overlays.lasting,
        level=evidence.level,
        ruler=ruler,
        scale=choose_scale(mm_per_px, mm_per_px_from, ruler),
        n_frames=len(frames),
    )


def _read_ruler(level: NDArray[np.float32], area: PictureArea) -> RulerReading | None:
    """Read the ruler; if there is none, look again a little within the picture's sides."""
    x0, y0, x1, y1 = area.box
    for inset in (0, SIDE_PX):
        box = (x0 + inset, y0, x1 - inset, y1)
        reading = read_depth_ruler(level, box, area.kind) if box[0] < box[2] else None
        if reading is not None:
            return reading
    return None


def _find_area(
    frames: NDArray[np.uint8], evidence: Evidence, given_box: PixelBox | None, dicom_box: PixelBox | None
) -> PictureArea:
    if given_box is not None:
        x0, y0, x1, y1 = given_box
        height, width = evidence.level.shape
        if not (0 <= x0 < x1 <= width and 0 <= y0 < y1 <= height):
            raise SettingError(
                f"box={list(given_box)}: give [x0, y0, x1, y1] within the frame of {width} x {height} pixels"
            )
        return PictureArea(given_box, make_box_polygon(given_box), "linear", 1.0, "given")
    if dicom_box is None:
        return settle_area(frames, find_in_evidence(evidence))
    x0, y0, x1, y1 = dicom_box
    found = find_in_evidence(evidence.crop(dicom_box))
    found = settle_area(frames[:, y0:y1, x0:x1], found)
    if found.method == "whole" or found.confidence < LEAST_INSIDE_CONFIDENCE:
        return PictureArea(dicom_box, make_box_polygon(dicom_box), "linear", REGION_CONFIDENCE, "dicom")
    return replace(
        found,
        box=(found.box[0] + x0, found.box[1] + y0, found.box[2] + x0, found.box[3] + y0),
        polygon=Polygon(tuple((x + x0, y + y0) for x, y in found.polygon.points)),
        method="dicom",
    )
