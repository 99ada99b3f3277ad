from __future__ import annotations

import pytest

from fascnet.data.recording.frame_clock import FrameClock


@pytest.mark.parametrize(
    ("stored", "read"),
    [
        ([5.0, 5.1, 5.2], [0, 0.1, 0.2]),
        ([None, None, None], [0, 0.1, 0.2]),
        ([0.0, 0.0, 0.0], [0, 0.1, 0.2]),
        ([0.0, 0.25, None, 0.4], [0, 0.25, 0.35, 0.4]),
        ([0.0, 0.3, 0.2, 0.1, 0.9], [0, 0.3, 0.4, 0.5, 0.9]),
    ],
)
def test_times_increase_and_keep_what_is_sound(stored: list[float | None], read: list[float]) -> None:
    clock = FrameClock(own_fps=10, fps=10)
    assert [clock.read(seconds) for seconds in stored] == pytest.approx(read)


def test_rescaled_times_and_stored_steps() -> None:
    clock = FrameClock(own_fps=10, fps=20)
    read, steps = [], []
    for seconds in (1.0, 1.1, 1.4):
        read.append(clock.read(seconds))
        steps.append(clock.step_s)
    assert read == pytest.approx([0, 0.05, 0.2])
    assert steps == pytest.approx([0, 0.1, 0.3])
