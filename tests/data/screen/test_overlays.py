from __future__ import annotations

import cv2
import numpy as np

from fascnet.data.screen.evidence import measure_evidence
from fascnet.data.screen.overlays import find_overlays
from tests.data.screen.drawn_screens import make_screen, make_speckle, write

BOX = (120, 50, 420, 350)


def find_inside(shape: tuple[int, int]) -> np.ndarray:
    inside = np.zeros(shape, bool)
    inside[BOX[1] : BOX[3], BOX[0] : BOX[2]] = True
    return inside


def draw(text: str, at: tuple[int, int], shape: tuple[int, int]) -> np.ndarray:
    ink = np.zeros(shape, np.uint8)
    write(ink, text, at, 255)
    return ink > 128


def make_moving_tissue(n_frames: int = 6) -> np.ndarray:
    return make_screen(BOX, frames=n_frames) // 2


def test_a_caption_and_a_line_on_moving_tissue_are_found() -> None:
    frames = make_moving_tissue()
    ink = draw("BICEPS L", (150, 330), frames.shape[1:])
    cv2.line(line := np.zeros(frames.shape[1:], np.uint8), (200, 100), (260, 240), 1, 1)
    ink |= line > 0
    frames[:, ink] = 170
    inside = find_inside(frames.shape[1:])
    found = find_overlays(frames, measure_evidence(frames).change, inside).drawn
    assert found[ink].mean() > 0.85
    assert (found & inside).sum() < 6 * ink.sum()
    assert not found[~inside].any()


def test_white_marks_that_move_with_the_tissue_are_found() -> None:
    frames = np.repeat(make_moving_tissue(1), 5, axis=0)
    marks = np.zeros(frames.shape, bool)
    for index, frame in enumerate(frames):
        ring = np.zeros(frame.shape, np.uint8)
        for x in (180, 240, 300):
            cv2.circle(ring, (x, 150 + 8 * index), 3, 255, 2)
        marks[index] = ring > 0
        frame[marks[index]] = 226
    inside = find_inside(frames.shape[1:])
    found = find_overlays(frames, measure_evidence(frames).change, inside).drawn
    assert found[marks.any(axis=0)].mean() > 0.8
    assert found.mean() < 0.05


def test_only_marks_that_are_near_in_every_frame_last() -> None:
    frames = np.repeat(make_moving_tissue(1), 5, axis=0)
    for index, frame in enumerate(frames):
        cv2.circle(frame, (200, 150 + index), 3, 226, 2)
        if index != 2:
            cv2.circle(frame, (300, 150), 3, 226, 2)
    inside = find_inside(frames.shape[1:])
    drawn, lasting = find_overlays(frames, measure_evidence(frames).change, inside)
    slow, gone = np.s_[145:160, 195:206], np.s_[145:156, 295:306]
    assert drawn[slow].mean() > 0.3 and drawn[gone].mean() > 0.3
    assert np.array_equal(lasting[slow], drawn[slow]) and not lasting[gone].any()


def test_tissue_alone_is_hardly_taken_for_ink() -> None:
    for seed in range(3):
        frames = np.zeros((6, 400, 560), np.uint8)
        for index, frame in enumerate(frames):
            frame[50:350, 120:420] = make_speckle(300, 300, 10 * seed + index)
        inside = find_inside(frames.shape[1:])
        assert find_overlays(frames, measure_evidence(frames).change, inside).drawn[inside].mean() < 0.01
        still = frames[:1]
        assert find_overlays(still, measure_evidence(still).change, inside).drawn[inside].mean() < 0.02
