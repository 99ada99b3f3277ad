"""How far a frame is shifted against the one before it: ORB key points, else ECC (the tongue tool's chain).

ORB: Rublee et al. 2011; ECC: Evangelidis and Psarakis 2008. The numbers are those of the published tool.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

ORB_FEATURES = 4000
MIN_KEY_POINTS = 12
MIN_MATCHES = 20
BEST_MATCHES = 200
ECC_STOP = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 50, 1e-6)

Shift = tuple[float, float]
"""(dx, dy) in px: what is at x, y in the earlier frame is at x + dx, y + dy in the later one."""


def find_shift(previous: NDArray[np.uint8], current: NDArray[np.uint8]) -> Shift:
    """Find the translation between two frames (H, W).

    The median of the best cross-checked ORB matches; ECC where there are too few; no shift where that does
    not converge.
    """
    shift = find_shift_by_key_points(previous, current)
    return find_shift_by_correlation(previous, current) if shift is None else shift


def find_shift_by_key_points(previous: NDArray[np.uint8], current: NDArray[np.uint8]) -> Shift | None:
    """Return the median shift of the best ORB matches; None with too few key points or matches."""
    orb = cv2.ORB.create(nfeatures=ORB_FEATURES)
    before, words_before = orb.detectAndCompute(previous, None)
    after, words_after = orb.detectAndCompute(current, None)
    if words_before is None or words_after is None or min(len(before), len(after)) < MIN_KEY_POINTS:
        return None
    matches = cv2.BFMatcher(cv2.NORM_HAMMING, crossCheck=True).match(words_before, words_after)
    if len(matches) < MIN_MATCHES:
        return None
    best = sorted(matches, key=lambda match: match.distance)[:BEST_MATCHES]
    moved = [np.subtract(after[match.trainIdx].pt, before[match.queryIdx].pt) for match in best]
    dx, dy = np.median(np.array(moved), axis=0)
    return float(dx), float(dy)


def find_shift_by_correlation(previous: NDArray[np.uint8], current: NDArray[np.uint8]) -> Shift:
    """Return the shift that maximises the enhanced correlation coefficient; (0, 0) where it fails."""
    warp = np.eye(2, 3, dtype=np.float32)
    try:
        # ECC's warp takes a place in its first picture to the place in its second.
        _, found = cv2.findTransformECC(previous, current, warp, cv2.MOTION_TRANSLATION, ECC_STOP)
    except cv2.error:
        return 0.0, 0.0
    return float(found[0, 2]), float(found[1, 2])


def align(picture: NDArray[np.uint8], shift: Shift) -> NDArray[np.uint8]:
    """Undo a shift of a later frame, so that it lies over the earlier one; borders are replicated."""
    if shift == (0.0, 0.0):
        return picture
    back = np.array([[1, 0, -shift[0]], [0, 1, -shift[1]]], dtype=np.float32)
    size = (picture.shape[1], picture.shape[0])
    moved = cv2.warpAffine(picture, back, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(moved, dtype=np.uint8)
