"""Imaging areas and rulers of every real recording, measured by hand on magnified frames.

Boxes are half-open (x0, y0, x1, y1) in stored pixels, to the pixel where the edge is sharp. A sector's box
and outline are those of the scanned sector, dark parts included: the tips of its arc and the foot of its arc
were read off faint echoes in a brightened frame, or (US-PAL) laid through the dots of its depth scale.
"""

from __future__ import annotations

from dataclasses import dataclass

from fascnet.types import PixelBox

Corners = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class HandArea:
    """What a person drew.

    Attributes:
        kind: `linear`, `trapezoid` or `sector`.
        box: around the picture.
        polygon: the picture's outline; empty when it is the box.
        mm_per_px: spacing by the depth ruler, None without a ruler that a person can read.
    """

    kind: str
    box: PixelBox
    polygon: Corners = ()
    mm_per_px: float | None = None


_TELEMED = HandArea("linear", (210, 43, 937, 622), mm_per_px=0.0882)
_GE_BOOK = HandArea("linear", (28, 47, 498, 387), mm_per_px=0.0739)
_ACUSON = HandArea(
    "sector", (0, 0, 320, 240), ((98, 0), (264, 0), (320, 55), (320, 240), (0, 240), (0, 97))
)  # zoomed in: the frame cuts the sector, only two corners stay black

CLIPS = {
    "muscle/gm_p6_isometric_max_01_push_01.mp4": _TELEMED,
    "muscle/gm_p6_isokinetic030_01_push_01.mp4": _TELEMED,
    "muscle/gm_p6_isokinetic500_01_push_01.mp4": _TELEMED,
    "muscle/gm_p6_passive_ROM_01_push_01.mp4": _TELEMED,
    "muscle/flowave_brachial_DemoBMode.mov": _GE_BOOK,
    "muscle/derived/flowave_brachial_DemoBMode_streamcopy.avi": _GE_BOOK,
    "muscle/derived/plus_BoneUltrasound_L14_ffv1_gray.avi": HandArea("linear", (176, 1, 643, 615)),
    "muscle/mep_evoked_twitch_contraction.gif": HandArea("linear", (0, 0, 300, 167)),
    "muscle/neurosense_sample2_first15s.mp4": HandArea("linear", (7, 7, 414, 352)),
    "device_export/itkpocus_butterfly-ocular-phantom.mp4": HandArea(
        "trapezoid",
        (78, 204, 690, 890),
        ((99, 204), (671, 204), (690, 878), (540, 886), (390, 890), (230, 886), (78, 878)),
        mm_per_px=0.05772,
    ),
    "dicom/pydicom_examples_ybr_color.dcm": HandArea(
        "sector",
        (40, 20, 297, 202),
        (
            (170, 20),
            (186, 25),
            (297, 143),
            (287, 162),
            (262, 177),
            (228, 192),
            (195, 200),
            (170, 202),
            (140, 200),
            (110, 192),
            (78, 177),
            (50, 160),
            (40, 147),
            (155, 24),
        ),
    ),
    "dicom/dcm4che_US-PAL-8-10x-echo.dcm": HandArea(
        "sector",
        (72, 3, 528, 353),
        (
            (300, 3),
            (528, 269),
            (475, 306),
            (420, 332),
            (360, 348),
            (300, 353),
            (240, 348),
            (180, 332),
            (125, 306),
            (72, 269),
        ),
    ),
    "dicom/dicomParser_IM00001_fragmented_no_bot_jpeg50.dcm": _ACUSON,
    "dicom/dicomParser_IM00001_implicit_le_rgb.dcm": _ACUSON,
    "dicom/deid_GREYSCALE_CINE.dcm": HandArea("linear", (99, 70, 701, 555), mm_per_px=0.083078),
    "dicom/pylibjpeg_JPEGLosslessSV1_rgb_2frame.dcm": HandArea(
        "linear", (235, 28, 790, 568), mm_per_px=0.027743
    ),
}

STILLS = {
    "muscle/timtrack_gm_sampleA": HandArea("linear", (237, 43, 997, 686), mm_per_px=0.0791),
    "muscle/timtrack_lg_jumping": HandArea("linear", (111, 60, 689, 521), mm_per_px=0.0868),
    "muscle/timtrack_vl_S1_L20": HandArea("linear", (0, 0, 514, 458)),
    "muscle/timtrack_vl_subjects/S8": HandArea("linear", (26, 0, 488, 458)),
    "muscle/timtrack_vl_subjects": HandArea("linear", (0, 0, 514, 458)),
}
"""Folders of stills, and the start of some of their names."""
