from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from fascnet.data.recording.recordings import open_recording
from fascnet.data.screen.describe_screen import ScreenReport, describe_frames, describe_screen
from fascnet.data.screen.picture_outline import draw_outline
from fascnet.errors import SettingError
from tests.data.screen.drawn_rulers import draw_ruler
from tests.data.screen.drawn_screens import make_screen, overlap, overlap_masks
from tests.data.screen.hand_boxes import CLIPS, STILLS, HandArea

BOX = (120, 50, 420, 350)


def check(report: ScreenReport, hand: HandArea) -> None:
    """Box and outline as drawn by hand; the ruler within 2 % where there is one, and silence elsewhere."""
    least = 0.95 if hand.kind == "linear" else 0.90
    assert overlap(report.box, hand.box) >= least
    x0, y0, x1, y1 = hand.box
    corners = hand.polygon if hand.polygon else ((x0, y0), (x1, y0), (x1, y1), (x0, y1))
    drawn = draw_outline(np.array(corners, np.float64), report.picture.shape)
    outline = draw_outline(np.array(report.polygon.points), report.picture.shape)
    assert overlap_masks(outline, drawn) >= least
    assert report.kind == hand.kind or (report.kind == "whole" and hand.kind == "linear")
    if hand.mm_per_px is None:
        assert report.ruler is None
    else:
        assert report.ruler is not None
        assert report.ruler.mm_per_px == pytest.approx(hand.mm_per_px, rel=0.02)
    assert report.picture[drawn].mean() > 0.85, "little of the picture is taken for overlays"
    assert not report.picture[~outline].any()


@pytest.mark.real
@pytest.mark.parametrize("name", CLIPS)
def test_real_recordings(real_data: Path, name: str) -> None:
    report = describe_screen(open_recording(real_data / name, find_area=False))
    check(report, CLIPS[name])
    assert report.confidence > 0.3
    is_dicom = name.startswith("dicom/deid") or name.startswith("dicom/pylibjpeg")
    assert (report.method == "dicom") == is_dicom
    assert (report.scale.source == "dicom") == is_dicom
    assert report.scale.contradiction == ""
    assert report.n_frames <= 16


@pytest.mark.real
@pytest.mark.parametrize("folder", [name for name in STILLS if not name.endswith("S8")])
def test_real_stills(real_data: Path, folder: str) -> None:
    paths = sorted((real_data / folder).glob("*.png"))
    assert paths
    for path in paths:
        hand = STILLS.get(f"{folder}/{path.name[:2]}", STILLS[folder])
        image = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        check(describe_frames(np.asarray(image, np.uint8)[None]), hand)


@pytest.mark.real
def test_names_on_a_real_screen_lie_outside_the_picture(real_data: Path) -> None:
    report = describe_screen(open_recording(real_data / "dicom/deid_GREYSCALE_CINE.dcm", find_area=False))
    for x, y in ((60, 11), (185, 11), (370, 11), (480, 11)):  # name, number, date of birth, institution
        assert not report.picture[y, x] and report.level[y - 6 : y + 7, x - 6 : x + 7].max() > 60, (x, y)
    assert report.box[1] > 30


@pytest.mark.real
def test_marks_that_move_with_real_tissue_are_no_picture(real_data: Path) -> None:
    path = real_data / "muscle/mep_evoked_twitch_contraction.gif"
    report = describe_screen(open_recording(path, find_area=False))
    assert not report.picture[80:90, 147:167].mean() > 0.5, "the word MEP"
    assert 0.01 < 1 - report.picture.mean() < 0.05


def test_a_given_box_is_taken_as_it_is() -> None:
    report = describe_frames(make_screen(BOX), given_box=(100, 40, 430, 360))
    assert (report.method, report.box, report.confidence) == ("given", (100, 40, 430, 360), 1.0)
    for box in ((0, 0, 0, 10), (-1, 0, 20, 20), (0, 0, 561, 20), (30, 30, 20, 40)):
        with pytest.raises(SettingError, match=r"box=.*560 x 400"):
            describe_frames(make_screen(BOX), given_box=box)


def test_the_picture_is_looked_for_within_a_dicom_region() -> None:
    region = (90, 20, 500, 380)
    report = describe_frames(make_screen(BOX), dicom_box=region, mm_per_px=0.1, mm_per_px_from="dicom")
    assert report.method == "dicom"
    assert np.abs(np.array(report.box) - BOX).max() <= 2
    assert (report.scale.mm_per_px, report.scale.source) == (0.1, "dicom")
    flat = np.full((2, 200, 300), 30, np.uint8)
    empty = describe_frames(flat, dicom_box=(20, 20, 200, 180))
    assert (empty.method, empty.box) == ("dicom", (20, 20, 200, 180))


def test_without_anything_known_the_ruler_gives_the_scale() -> None:
    drawn = draw_ruler(np.random.default_rng(2), 45.0, 5, 2, "mm")
    report = describe_frames(drawn.level[None])
    assert overlap(report.box, drawn.box) > 0.97
    assert report.scale.source == "ruler"
    assert report.scale.mm_per_px == pytest.approx(drawn.mm_per_px, rel=0.01)
    given = describe_frames(drawn.level[None], mm_per_px=2 * drawn.mm_per_px, mm_per_px_from="manifest")
    assert "manifest spacing" in given.scale.contradiction


def test_a_flat_frame_says_nothing() -> None:
    report = describe_frames(np.zeros((1, 60, 80), np.uint8))
    assert (report.method, report.confidence, report.ruler) == ("whole", 0.0, None)
    assert report.scale.mm_per_px is None


@pytest.mark.parametrize("shape", [(1, 1, 1), (2, 3, 200), (1, 200, 5), (3, 16, 16)])
def test_tiny_frames_do_no_harm(shape: tuple[int, int, int]) -> None:
    frames = np.random.default_rng(0).integers(0, 255, shape).astype(np.uint8)
    report = describe_frames(frames)
    x0, y0, x1, y1 = report.box
    assert 0 <= x0 < x1 <= shape[2] and 0 <= y0 < y1 <= shape[1]
