"""A data set with one of many problems, for what is written about it."""

from __future__ import annotations

from pathlib import Path

from fascnet.data.clip_set.check import Review, review_data_set
from fascnet.data.clip_set.manifest import write_manifest
from fascnet.data.labelling.labels import write_labels
from fascnet.types import ClipSource, Event, Labels
from tests.data.tiny import write_clip

from .moving import make_moving


def review_set(root: Path) -> Review:
    """Four clips: a sound one, its copy under another subject, one that cannot be read, one without scale."""
    frames = make_moving(0)
    clips = [
        ClipSource("a", write_clip(root / "clips/a.avi", frames), "p<1>", "biceps", "L", mm_per_px=0.1),
        ClipSource("b", write_clip(root / "clips/b.mkv", frames), "p2", "biceps", mm_per_px=0.1),
        ClipSource("c", root / "clips/c.avi", "p3", mm_per_px=0.1),
        ClipSource("d", write_clip(root / "clips/d.avi", make_moving(1)), "p4", "tibialis"),
    ]
    clips[2].path.write_bytes(b"")
    write_manifest(root, clips)
    twitch = Event(0.2, 0.5)
    for name, events in (("a", (twitch, Event(0.6, 0.9, label="breathing"))), ("b", ()), ("d", (twitch,))):
        write_labels(root / "labels", Labels(name, "anna", ((0.0, 1.5),), events))
    write_labels(root / "labels", Labels("a", "bert", ((0.0, 1.5),), ()))
    return review_data_set(root, thumbnails=True)
