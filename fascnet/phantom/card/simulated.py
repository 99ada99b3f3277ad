"""The phantom side: clips drawn, rendered in memory and cut by the same rule as real ones.

The imaging area of a phantom is known; whether `find_imaging_area` finds it too is another question.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np

from fascnet.phantom.card.sources import Source, cut, find_region
from fascnet.phantom.chance import make_rng
from fascnet.phantom.render import render_frames
from fascnet.phantom.scene import draw_scene, draw_subject
from fascnet.phantom.settings import PhantomSettings

MAX_FRAMES = 120
"""Frames rendered of each clip; enough for lags of half a second and percentiles of the frame difference."""

_STREAM = 11


def render_phantom(
    settings: PhantomSettings,
    subjects: int,
    seed: int,
    max_frames: int = MAX_FRAMES,
    on_clip: Callable[[int, int], None] | None = None,
) -> tuple[Source, ...]:
    """Render the start of one clip of each of several subjects; every second clip holds twitches.

    Args:
        settings: what to draw from.
        subjects: how many, >= 1.
        seed: seed of everything.
        max_frames: frames of each clip.
        on_clip: called with (clips done, clips in all).
    """
    sources = []
    for index in range(subjects):
        rng = make_rng(_STREAM, seed, index)
        subject = draw_subject(settings, f"phantom_{index:03d}", rng)
        scene = draw_scene(settings, subject, index % 2 == 0, rng)
        frames = np.stack(list(itertools.islice(render_frames(scene), max_frames)))
        region = find_region(scene.picture_box)
        sources.append(
            Source(
                name=f"{subject.subject_id} ({subject.muscle})",
                group=subject.subject_id,
                is_real=False,
                is_clip=True,
                frames=np.stack([cut(frame, region) for frame in frames]),
                fps=subject.fps,
                mm_per_px=subject.scan.mm_per_px,
                is_assumed=False,
                corner_px=region[:2],
            )
        )
        if on_clip is not None:
            on_clip(index + 1, subjects)
    return tuple(sources)
