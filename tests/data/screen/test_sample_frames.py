from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from fascnet.data.screen.sample_frames import LOOKED_FRAMES, sample_frames
from fascnet.errors import RecordingError
from fascnet.types import Frame, RecordingInfo


class Counted:
    """A recording whose frames hold their index, and that remembers how many were decoded."""

    path = Path("clip.avi")
    info = RecordingInfo(2, 2, None, 25.0, None, None, (0, 0, 2, 2))

    def __init__(self, n_frames: int, breaks_at: int | None = None) -> None:
        self.n_frames, self.breaks_at, self.decoded = n_frames, breaks_at, 0

    def frames(self) -> Iterator[Frame]:
        for index in range(self.n_frames):
            if index == self.breaks_at:
                raise RecordingError("clip.avi: is damaged")
            self.decoded += 1
            yield Frame(index, index / 25, np.full((2, 2), index % 256, np.uint8))


@pytest.mark.parametrize("n_frames", [1, 2, 15, 16, 17, 33, 100, 240])
def test_frames_are_evenly_spread(n_frames: int) -> None:
    kept = sample_frames(Counted(n_frames))[:, 0, 0].astype(int)
    assert 1 <= len(kept) <= 16
    assert kept[0] == 0
    assert len(set(np.diff(kept).tolist())) <= 1
    step = kept[1] - kept[0] if len(kept) > 1 else 1
    assert min(n_frames, LOOKED_FRAMES) - kept[-1] <= step
    assert len(kept) >= min(n_frames, 8)


def test_a_long_clip_is_not_decoded_to_its_end() -> None:
    recording = Counted(100_000)
    sample_frames(recording, looked=50)
    assert recording.decoded <= 51


def test_a_clip_that_breaks_is_sampled_as_far_as_it_is_sound() -> None:
    assert len(sample_frames(Counted(100, breaks_at=5))) == 5
    with pytest.raises(RecordingError, match="damaged"):
        sample_frames(Counted(100, breaks_at=0))
    with pytest.raises(RecordingError, match=r"clip\.avi.*no frame"):
        sample_frames(Counted(0))
