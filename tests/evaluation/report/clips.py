"""A small recording with a twitch and a name on the screen, and outcomes that err on it."""

from __future__ import annotations

import cv2
import numpy as np

from fascnet.data.recording.video_writer import VideoWriter
from fascnet.evaluation.matching.match import MatchingRule, match_events
from fascnet.evaluation.outcome import ClipOutcome
from fascnet.types import Box, ClipSource, Event, Point

FPS, SECONDS = 30.0, 4.0
SHAPE = (120, 160)
IMAGE = (30, 20, 120, 150)
"""The imaging area, (y0, x0, y1, x1); above it stands a name."""

TWITCH = Event(2.0, 2.4, 2.2, region=Box(90, 60, 110, 80), peak_mm=0.4)


def write_clip(path, seconds=SECONDS, fps=FPS):
    """Flickering speckle with a patch that jumps by 4 pixels from 2.1 to 2.3 s, and a white name above."""
    rng = np.random.default_rng(0)
    y0, x0, y1, x1 = IMAGE
    tissue = cv2.GaussianBlur(rng.uniform(0, 160, (y1 - y0, x1 - x0)).astype(np.float32), (0, 0), 1.5)
    with VideoWriter(path, *SHAPE, fps, codec="ffv1") as writer:
        for k in range(round(seconds * fps)):
            frame = np.zeros(SHAPE, dtype=np.float32)
            frame[y0:y1, x0:x1] = tissue + rng.normal(0, 2, tissue.shape)
            if 2.1 <= k / fps < 2.3:
                frame[60:80, 90:110] = np.roll(tissue, 4, axis=0)[60 - y0 : 80 - y0, 90 - x0 : 110 - x0]
            image = np.clip(frame, 0, 180).astype(np.uint8)
            image[4:16, 20:80] = 255
            writer.write(image)
    return path


def make_clip(path):
    return ClipSource("c", path, "s")


def make_outcome(reference=(TWITCH,), found=(), examined=((0.0, SECONDS),)):
    reference, found = tuple(reference), tuple(found)
    matching = match_events(reference, found, MatchingRule("any_overlap"), examined=examined)
    return ClipOutcome("c", 0, examined, reference, found, matching, 0.5)


def make_alarm(onset_s, score, x=40.0, y=50.0):
    return Event(onset_s, onset_s + 0.3, region=Point(x, y), score=score)
