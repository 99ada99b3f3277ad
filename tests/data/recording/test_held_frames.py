from __future__ import annotations

import pytest

from fascnet.data.recording.held_frames import describe_held, may_hold


@pytest.mark.parametrize(
    ("n_lost", "n_held", "n_sound", "fps", "may"),
    [
        (1, 0, 1, 30.0, True),
        (1, 0, 100, 2.0, True),  # one picture at any rate
        (5, 0, 100, 30.0, True),  # the picture before stands for 6 frames: 0.2 s
        (6, 0, 100, 30.0, False),
        (2, 0, 100, 10.0, False),
        (1, 9, 90, 30.0, True),  # one in ten
        (1, 10, 90, 30.0, False),
    ],
)
def test_so_much_may_be_held(n_lost: int, n_held: int, n_sound: int, fps: float, may: bool) -> None:
    assert may_hold(n_lost, n_held, n_sound, fps) is may


def test_words() -> None:
    assert describe_held(1).startswith("1 frame is damaged: ")
    assert describe_held(3).startswith("3 frames are damaged: ")
