from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from fascnet.data.recording.recordings import open_recording
from fascnet.data.screen.describe_screen import describe_frames
from fascnet.data.screen.picture_outline import draw_outline
from fascnet.data.screen.tissue_only import TissueRecording, cover_texts, fill_in
from fascnet.types import Frame, RecordingInfo
from tests.data.screen.drawn_rulers import draw_ruler
from tests.data.screen.drawn_screens import make_screen, make_speckle, overlap_masks
from tests.data.screen.hand_boxes import CLIPS

BOX = (120, 50, 420, 350)


class InMemory:
    """Frames as a reader would give them."""

    path = Path("clip.avi")
    files = (path,)
    notes = ("a remark",)

    def __init__(self, frames: np.ndarray, mm_per_px: float | None = None, source: str = "") -> None:
        self.images = frames
        n, h, w = frames.shape
        self.info = RecordingInfo(h, w, n, 30.0, n / 30, mm_per_px, (0, 0, w, h), source)
        self.times_s = np.arange(n) / 30

    def frames(self) -> Iterator[Frame]:
        for index, image in enumerate(self.images):
            yield Frame(index, index / 30, image)


def show(frames: np.ndarray, mm_per_px: float | None = None, source: str = "") -> TissueRecording:
    report = describe_frames(frames, mm_per_px=mm_per_px, mm_per_px_from=source)
    return TissueRecording(InMemory(frames, mm_per_px, source), report)


def read(recording: TissueRecording) -> np.ndarray:
    return np.stack([frame.image for frame in recording.frames()])


def make_sector(n_frames: int = 8) -> tuple[np.ndarray, np.ndarray]:
    """A sector of moving speckle with a name in its upper corners; frames and its mask."""
    mask = np.zeros((300, 400), np.uint8)
    cv2.ellipse(mask, (200, 10), (270, 270), 0, 52, 128, 1, cv2.FILLED)
    frames = np.stack([make_speckle(300, 400, seed) for seed in range(n_frames)]) * mask
    for frame in frames:
        cv2.putText(frame, "ZWETSCHGE", (10, 60), cv2.FONT_HERSHEY_SIMPLEX, 0.6, 255, 1)
        cv2.putText(frame, "17.07.38", (310, 60), cv2.FONT_HERSHEY_SIMPLEX, 0.5, 255, 1)
    return frames, mask > 0


def test_what_stands_around_the_picture_is_black() -> None:
    frames = make_screen(BOX, frames=4)
    shown = show(frames)
    x0, y0, x1, y1 = shown.info.box
    images = read(shown)
    assert np.array_equal(images[:, y0:y1, x0:x1], frames[:, y0:y1, x0:x1]), "the tissue is untouched"
    assert shown.info.outline is None
    images[:, y0:y1, x0:x1] = 0
    assert not images.any()
    assert frames[:, :y0].any(), "there was text"
    assert (shown.info.area_from, shown.notes, shown.path.name) == ("found", ("a remark",), "clip.avi")
    assert shown.info.area_confidence > 0.9


def test_corners_of_a_sector_are_black_and_its_tissue_is_not() -> None:
    frames, mask = make_sector()
    shown = show(frames)
    assert shown.info.outline is not None
    outline = draw_outline(np.array(shown.info.outline.points), mask.shape)
    assert overlap_masks(outline, mask) > 0.93
    images = read(shown)
    assert not images[:, ~outline].any()
    assert frames[:, ~outline].max() == 255, "there was text"
    assert (images == frames)[:, outline & mask].mean() > 0.99


def test_a_frame_full_of_tissue_is_handed_on_as_it_is() -> None:
    frames = np.stack([make_speckle(200, 300, seed) for seed in range(4)])
    recording = InMemory(frames)
    shown = TissueRecording(recording, describe_frames(frames))
    assert shown.info.area_from == "whole"
    assert np.array_equal(read(shown), frames)


def test_a_word_on_the_tissue_is_filled_in_and_never_moves() -> None:
    frames = np.stack([make_speckle(200, 300, seed) // 2 for seed in range(12)])
    for frame in frames:
        cv2.putText(frame, "HASELMAUS", (60, 100), cv2.FONT_HERSHEY_SIMPLEX, 0.6, 255, 1)
    images = read(show(frames))
    word = np.s_[88:101, 60:175]
    assert (frames[:, *word] > 230).any()
    changed = (images != frames).all(axis=0)
    assert changed[word].mean() > 0.7, "letters and what is between them"
    assert changed.mean() < 0.06
    inside = images[:, changed]
    assert inside.max() < 160
    assert (inside == inside[0]).all()


def test_short_pieces_of_fascia_are_no_text() -> None:
    drawn = np.zeros((100, 200), bool)
    drawn[20:25, 20:60] = True  # a stroke that stays
    drawn[60:72, 30:90:3] = True  # a word
    covered = cover_texts(drawn)
    assert not covered[:40].any()
    assert covered[60:72, 30:88].all()
    assert not cover_texts(np.zeros((5, 5), bool)).any()


def test_noise_is_not_taken_for_text() -> None:
    frames = np.random.default_rng(0).integers(0, 256, (12, 40, 60), dtype=np.uint8)
    assert np.array_equal(read(show(frames)), frames)


def test_nothing_around_the_picture_is_used_to_fill() -> None:
    level = np.full((40, 40), 255, np.float32)
    inside = np.zeros((40, 40), bool)
    inside[10:30, 10:30] = True
    level[inside] = 60
    covered = np.zeros((40, 40), bool)
    covered[18:22, 15:25] = True
    level[covered] = 250
    filled = fill_in(level, covered, inside)
    assert np.abs(filled[covered].astype(int) - 60).max() <= 3
    assert not filled[~covered].any()


def test_the_ruler_gives_the_scale_only_where_nobody_else_does() -> None:
    drawn = draw_ruler(np.random.default_rng(2), 45.0, 5, 2, "mm")
    frames = np.repeat(drawn.level[None], 2, axis=0)
    info = show(frames).info
    assert info.mm_per_px == pytest.approx(drawn.mm_per_px, rel=0.01)
    assert info.mm_per_px_from == "ruler" and 0.5 <= info.scale_confidence < 1
    given = show(frames, 2 * drawn.mm_per_px, "sidecar")
    assert (given.info.mm_per_px, given.info.mm_per_px_from) == (2 * drawn.mm_per_px, "sidecar")
    assert given.info.scale_confidence == 1
    assert "the ruler on the screen says" in given.notes[-1]
    none = show(make_screen(BOX)).info
    assert (none.mm_per_px, none.mm_per_px_from, none.scale_confidence) == (None, "", 0.0)


@pytest.mark.real
@pytest.mark.parametrize("name", CLIPS)
def test_real_recordings_are_opened_with_the_scale_of_their_ruler_and_nothing_around(
    real_data: Path, name: str
) -> None:
    recording = open_recording(real_data / name)
    info, hand = recording.info, CLIPS[name]
    if hand.mm_per_px is None:
        assert (info.mm_per_px, info.mm_per_px_from, info.scale_confidence) == (None, "", 0)
    else:
        has_header = name.startswith("dicom/")
        assert info.mm_per_px == pytest.approx(hand.mm_per_px, rel=1e-3 if has_header else 0.02)
        assert info.mm_per_px_from == ("dicom" if has_header else "ruler")
        assert info.scale_confidence == (1 if has_header else pytest.approx(0.85, abs=0.151))
    assert info.area_confidence > 0.3
    assert (info.outline is None) == (hand.kind == "linear")
    kept = np.zeros((info.height, info.width), bool)
    x0, y0, x1, y1 = info.box
    kept[y0:y1, x0:x1] = True
    if info.outline is not None:
        kept = draw_outline(np.array(info.outline.points), kept.shape)
    stored = open_recording(real_data / name, find_area=False).frames()
    for frame, raw in zip(recording.frames(), stored, strict=False):
        assert not frame.image[~kept].any()
        assert (frame.image == raw.image)[kept].mean() > 0.95
        if frame.index > 20:
            break


@pytest.mark.real
def test_marks_that_move_with_real_tissue_are_filled_in(real_data: Path) -> None:
    """The word MEP and a cross are drawn anew a few pixels further in each frame."""
    path = real_data / "muscle/mep_evoked_twitch_contraction.gif"
    stored = np.stack([frame.image for frame in open_recording(path, find_area=False).frames()])
    shown = np.stack([frame.image for frame in open_recording(path).frames()])
    around = np.s_[:, 75:110, 140:180]
    assert (stored[around] > 220).mean() > 0.01
    assert (shown[around] > 220).mean() < 0.001
    assert (stored == shown).mean() > 0.95


@pytest.mark.real
def test_settings_written_into_a_real_picture_are_filled_in(real_data: Path) -> None:
    """The depth, "4.0cm", stands on the tissue's last rows."""
    path = real_data / "dicom/deid_GREYSCALE_CINE.dcm"
    stored = next(open_recording(path, find_area=False).frames()).image[540:555, 665:701]
    shown = next(open_recording(path).frames()).image[540:555, 665:701]
    assert (stored > 200).sum() > 50
    assert shown.max() < 120
