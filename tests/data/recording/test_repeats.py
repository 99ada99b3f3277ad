from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from fascnet.data.recording.recordings import open_recording
from fascnet.data.recording.repeats import Run, find_repeats
from fascnet.data.recording.video_writer import VideoWriter
from fascnet.errors import RecordingError
from fascnet.types import Frame, RecordingInfo

PICTURES = np.random.default_rng(0).integers(0, 256, (60, 24, 32), dtype=np.uint8)


@dataclass
class Shown:
    """Pictures by index, at 30 frames/s; may break off."""

    indices: Sequence[int]
    noise: dict[int, float] | None = None
    breaks_after: int | None = None
    path: Path = Path("shown")

    @property
    def info(self) -> RecordingInfo:
        return RecordingInfo(24, 32, len(self.indices), 30.0, None, None, (0, 0, 32, 20))

    def frames(self) -> Iterator[Frame]:
        for k, index in enumerate(self.indices):
            if self.breaks_after == k:
                raise RecordingError("shown: is damaged; export it again")
            image = PICTURES[index].copy()
            image[20:] = k  # a clock runs on below the imaging area
            for row in range(int((self.noise or {}).get(k, 0))):
                image[row, 0] ^= 1
            yield Frame(k, k / 30, image)


def test_nothing_repeats() -> None:
    repeats = find_repeats(Shown(range(40)))
    assert (repeats.n_frames, repeats.n_repeats, repeats.runs, repeats.frozen) == (40, 0, (), ())
    assert repeats.share == 0
    assert repeats.picture_rate_hz == pytest.approx(30)


def test_doubled_frames_tell_the_scanner_s_rate() -> None:
    # 20 pictures/s shown at 30: every second one twice.
    indices = [int(k * 20 / 30) for k in range(60)]
    repeats = find_repeats(Shown(indices))
    assert repeats.n_identical == 20 and repeats.n_recoded == 0
    assert repeats.share == pytest.approx(20 / 60)
    assert repeats.picture_rate_hz == pytest.approx(20, rel=0.02)
    assert repeats.frozen == ()
    assert repeats.runs[0] == Run(0, 2, 0.0, pytest.approx(2 / 30))


def test_a_frozen_stretch() -> None:
    indices = [*range(20), *[20] * 12, *range(21, 41)]
    repeats = find_repeats(Shown(indices))
    assert repeats.frozen == (Run(20, 12, pytest.approx(20 / 30), pytest.approx(32 / 30)),)
    assert repeats.picture_rate_hz == pytest.approx(30)


def test_frozen_to_the_end_and_altogether() -> None:
    repeats = find_repeats(Shown([*range(20), *[19] * 10]))
    assert repeats.frozen == (Run(19, 11, pytest.approx(19 / 30), pytest.approx(29 / 30)),)
    assert repeats.picture_rate_hz == pytest.approx(30)
    still = find_repeats(Shown([3] * 20))
    assert still.n_repeats == 19 and still.picture_rate_hz is None


def test_repeats_coded_anew_count_when_they_stand_alone() -> None:
    indices = [0, 1, 2, 2, 3, 4, 4, 4, 5, 6]
    repeats = find_repeats(Shown(indices, noise={3: 3, 7: 3}))
    assert (repeats.n_identical, repeats.n_recoded) == (1, 2)
    assert [(run.first, run.n_frames) for run in repeats.runs] == [(2, 2), (5, 3)]


def test_a_muscle_at_rest_is_no_repeat() -> None:
    indices = [0, 1, 2, 3, 4, 4, 4, 4, 5, 6, 7, 8, 9, 10]
    repeats = find_repeats(Shown(indices, noise={5: 2, 6: 4, 7: 6}))
    assert repeats.n_repeats == 0


def test_of_a_broken_clip_its_sound_part_counts() -> None:
    assert find_repeats(Shown([0, 0, 1, 2], breaks_after=3)).n_frames == 3
    with pytest.raises(RecordingError):
        find_repeats(Shown([0, 1], breaks_after=0))
    assert find_repeats(Shown([])).n_frames == 0
    assert find_repeats(Shown([5])).picture_rate_hz is None


def test_through_a_lossy_codec(tmp_path: Path) -> None:
    texture = np.random.default_rng(1).integers(60, 180, (48, 96)).astype(np.uint8)
    indices = [int(k * 20 / 30) for k in range(90)]
    with VideoWriter(tmp_path / "a.mp4", 48, 64, 30, "h264") as writer:
        for index in indices:
            writer.write(np.ascontiguousarray(texture[:, index % 30 : index % 30 + 64]))
    repeats = find_repeats(open_recording(tmp_path / "a.mp4"))
    assert repeats.picture_rate_hz == pytest.approx(20, rel=0.1)
