"""Classical candidates: optical flow and background models of OpenCV."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from fascnet.baselines.farneback import FARNEBACK
from speed.candidate import Candidate, Map
from speed.frames import Image

FlowOf = Callable[[Image, Image], NDArray[np.float32]]

KOBE_FIELD_PX = 240
KOBE_WINDOW_PX = 50
KOBE_LEVELS = 30
"""Dense Lucas-Kanade as the detector of the Kobe group runs it: every pixel of 240x240, a window of 50,
pyramid level 30."""


def list_classical(quick: bool) -> list[Candidate]:
    """List the classical candidates, the anchor first."""
    both = [
        Candidate("Farneback", trace(measure_farneback), 60, n_free=1, note="0.5, 3, 15, 3, 5, 1.2"),
        Candidate("DIS ultrafast", trace(make_dis()), 300, n_free=1),
        Candidate(
            "frame difference", run_frame_difference, 300, n_free=1, note="absolute, blurred, thresholded"
        ),
    ]
    if quick:
        return both
    return [
        *both,
        Candidate("Farneback 480x640", trace(measure_farneback), 17, "480x640", n_free=1),
        Candidate("MOG2", run_mog2, 300, note="and morphological opening"),
        Candidate(
            "Lucas-Kanade, every pixel",
            run_kobe,
            3,
            rounds=3,
            n_free=1,
            note=f"{KOBE_FIELD_PX}x{KOBE_FIELD_PX}, window {KOBE_WINDOW_PX}, level {KOBE_LEVELS} (Kobe)",
        ),
    ]


def trace(measure_flow: FlowOf) -> Callable[[Sequence[Image]], Iterator[Map]]:
    """Make a candidate of a dense flow between two frames; the first frame's map is empty."""

    def run(images: Sequence[Image]) -> Iterator[Map]:
        yield np.zeros(images[0].shape, np.float32)
        for before, after in pairwise(images):
            yield measure_residual(measure_flow(before, after))

    return run


def measure_residual(flow: NDArray[np.float32]) -> Map:
    """Return |flow - median flow| of a flow (H, W, 2)."""
    rest = flow - np.median(flow.reshape(-1, 2), axis=0).astype(np.float32)
    return np.asarray(cv2.magnitude(rest[..., 0], rest[..., 1]), dtype=np.float32)


def measure_farneback(before: Image, after: Image) -> NDArray[np.float32]:
    """Farneback's flow (H, W, 2) with the customary values."""
    flow = np.empty((*after.shape, 2), dtype=np.float32)
    found = cv2.calcOpticalFlowFarneback(before, after, flow, *FARNEBACK, 0)
    return np.asarray(found, dtype=np.float32)


def make_dis() -> FlowOf:
    """Make dense inverse search in its fastest setting."""
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)

    def measure(before: Image, after: Image) -> NDArray[np.float32]:
        flow = np.zeros((*after.shape, 2), np.float32)
        return np.asarray(search.calc(before, after, flow), dtype=np.float32)

    return measure


def run_kobe(images: Sequence[Image]) -> Iterator[Map]:
    """Track every pixel of a field of 240x240 by Lucas-Kanade; outside of it the map is 0."""
    height, width = (min(side, KOBE_FIELD_PX) for side in images[0].shape)
    rows, columns = np.mgrid[:height, :width]
    places = np.column_stack([columns.ravel(), rows.ravel()]).astype(np.float32)[:, None]
    yield np.zeros(images[0].shape, np.float32)
    for before, after in pairwise(images):
        moved, _, _ = cv2.calcOpticalFlowPyrLK(
            before,
            after,
            places,
            places.copy(),
            winSize=(KOBE_WINDOW_PX, KOBE_WINDOW_PX),
            maxLevel=KOBE_LEVELS,
        )
        found = np.zeros(images[0].shape, np.float32)
        flow = np.asarray(moved - places, dtype=np.float32).reshape(height, width, 2)
        found[:height, :width] = measure_residual(flow)
        yield found


def run_frame_difference(images: Sequence[Image]) -> Iterator[Map]:
    """Blurred absolute difference of frames, 0 below a threshold of 2 grey levels."""
    yield np.zeros(images[0].shape, np.float32)
    for before, after in pairwise(images):
        blurred = cv2.GaussianBlur(cv2.absdiff(before, after), (0, 0), 2.0).astype(np.float32)
        yield np.asarray(cv2.threshold(blurred, 2.0, 0, cv2.THRESH_TOZERO)[1], dtype=np.float32)


def run_mog2(images: Sequence[Image]) -> Iterator[Map]:
    """Foreground of a mixture of Gaussians (Zivkovic 2004), opened by 3x3; kin to Bibbings 2019."""
    model = cv2.createBackgroundSubtractorMOG2(history=100, detectShadows=False)
    kernel = np.ones((3, 3), np.uint8)
    for image in images:
        foreground = cv2.morphologyEx(model.apply(image), cv2.MORPH_OPEN, kernel)
        yield np.asarray(foreground, dtype=np.float32) / np.float32(255)
