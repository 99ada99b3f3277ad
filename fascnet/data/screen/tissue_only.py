"""A recording that shows the tissue and nothing else of its screen: whoever reads it can pass on no name.

Training, prediction, the baselines and everything that is drawn read recordings through here. Outside the
outline of the picture all is black; text and marks that lie on the tissue in every frame are filled in,
wherever they were seen and the same in every frame, so that they neither move nor can be read.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from fascnet.data.recording.opened import OpenedRecording
from fascnet.data.screen.describe_screen import ScreenReport
from fascnet.types import Frame, RecordingInfo

Mask = NDArray[np.bool_]

JOINED_PX = 11
"""Gaps between letters, and within them, below this are filled: not even the shape of a word stays."""

THINNEST_PX = 8.0
LONGEST_SHARE = 2.5
"""Pieces thinner than this and longer than so many times their thickness are no text: mostly fascia that
happens to stay, or lines of the scanner, which say nothing and do not move (letters are 5 px tall and more,
and masks are grown by a pixel on either side)."""

MOST_SHARE = 0.1
"""Where more of the picture than this looks drawn, it is tissue of an unusual kind, and nothing is filled in:
captions, calipers and marks of real screens cover up to 3 % (choice of this project)."""

FILL_REACH_PX = 3.0


class TissueRecording:
    """A recording of which only the tissue is shown.

    Args:
        recording: as its reader gives it.
        report: what its screen shows.
        area_from: where the area came from if it was given, `given` or `sidecar`; else as the report says.
    """

    def __init__(self, recording: OpenedRecording, report: ScreenReport, area_from: str = "") -> None:
        self._recording = recording
        inside = report.inside
        covered = cover_texts(report.lasting_overlays) & inside
        if np.count_nonzero(covered) > MOST_SHARE * np.count_nonzero(inside):
            covered = np.zeros_like(covered)
        kept = inside & ~covered
        self._shows_all = bool(kept.all())
        self._kept = np.where(kept, 255, 0).astype(np.uint8)
        self._fill = fill_in(report.level, covered, inside)
        x0, y0, x1, y1 = report.box
        corners = report.polygon if not inside[y0:y1, x0:x1].all() else None
        self._info = replace(
            recording.info,
            box=report.box,
            outline=corners,
            area_from=area_from if report.method == "given" else report.method,
            area_confidence=report.confidence,
            mm_per_px=report.scale.mm_per_px,
            mm_per_px_from=report.scale.source,
            scale_confidence=report.scale.confidence,
        )
        self._remarks = (report.scale.contradiction,) if report.scale.contradiction else ()

    @property
    def path(self) -> Path:
        """The file."""
        return self._recording.path

    @property
    def files(self) -> tuple[Path, ...]:
        """Every file that the recording is read from."""
        return self._recording.files

    @property
    def info(self) -> RecordingInfo:
        """What the file says about itself, and what its screen shows."""
        return self._info

    @property
    def times_s(self) -> NDArray[np.float64]:
        """(T,) seconds of every frame that can be decoded, increasing, first 0."""
        return self._recording.times_s

    @property
    def notes(self) -> tuple[str, ...]:
        """The reader's remarks, and whether the ruler on the screen contradicts the spacing."""
        return (*self._recording.notes, *self._remarks)

    def frames(self) -> Iterator[Frame]:
        """Yield the frames in order of time, without what is no tissue. Each call starts anew.

        Raises:
            RecordingError: as the reader's.
        """
        for frame in self._recording.frames():
            yield frame if self._shows_all else replace(frame, image=self._blank(frame.image))

    def _blank(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        # In 8-bit steps, a tenth of a millisecond a frame; the fill is 0 wherever the frame is kept.
        return np.asarray(cv2.bitwise_or(cv2.bitwise_and(image, self._kept), self._fill), np.uint8)


def cover_texts(drawn: Mask) -> Mask:
    """Choose what looks like text or marks among what is drawn on the tissue, and join its letters.

    Args:
        drawn: bool (H, W), from `find_overlays`.
    """
    if not drawn.any():
        return drawn
    window = np.ones((JOINED_PX, JOINED_PX), np.uint8)
    joined = np.asarray(cv2.morphologyEx(drawn.astype(np.uint8), cv2.MORPH_CLOSE, window), np.uint8)
    n_parts, parts = cv2.connectedComponents(joined, connectivity=8)
    is_text = np.zeros(n_parts, bool)
    rows, columns = np.nonzero(parts)
    order = np.argsort(parts[rows, columns], kind="stable")
    points = np.stack([columns[order], rows[order]], axis=1).astype(np.float32)
    ends = np.searchsorted(parts[rows, columns][order], np.arange(1, n_parts + 1))
    for part in range(1, n_parts):
        _, sides, _ = cv2.minAreaRect(points[ends[part - 1] : ends[part]])
        # Between the centres of the outer pixels.
        thin, long = min(sides) + 1.0, max(sides) + 1.0
        is_text[part] = not (thin < THINNEST_PX and long > LONGEST_SHARE * thin)
    return np.asarray(is_text[parts])


def fill_in(level: NDArray[np.float32], covered: Mask, inside: Mask) -> NDArray[np.uint8]:
    """Paint what is covered from the tissue around it (Telea 2004), 0 elsewhere.

    Args:
        level: float32 (H, W), median grey over some frames.
        covered: what to paint.
        inside: the picture; nothing of what stands around it is used.
    """
    if not covered.any():
        return np.zeros(level.shape, np.uint8)
    grey = np.where(inside, np.rint(level), 0).astype(np.uint8)
    # Black beside the picture is no tissue either: painted over first, it darkens nothing.
    near = cv2.dilate(covered.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    unknown = covered | (near & ~inside)
    painted = cv2.inpaint(grey, unknown.astype(np.uint8), FILL_REACH_PX, cv2.INPAINT_TELEA)
    return np.where(covered, painted, 0).astype(np.uint8)
