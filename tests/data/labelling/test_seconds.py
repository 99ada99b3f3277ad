from __future__ import annotations

import pytest

from fascnet.data.labelling.seconds import is_examined, leave_out, merge_intervals
from fascnet.types import Event


def test_seconds_are_joined_where_they_touch() -> None:
    assert merge_intervals([(3, 4), (1, 2), (2, 2.5), (3.2, 3.4)]) == ((1, 2.5), (3, 4))
    assert merge_intervals([]) == ()


def test_an_event_lies_where_its_middle_does() -> None:
    examined = ((0.0, 1.0), (2.0, 3.0))
    assert is_examined(Event(0.5, 1.4), examined)
    assert not is_examined(Event(0.5, 1.5), examined), "intervals are half-open"
    assert is_examined(Event(1.5, 2.5), examined) and not is_examined(Event(3.0, 3.2), examined)


@pytest.mark.parametrize(
    ("left_out", "kept"),
    [
        ([], ((0.0, 10.0),)),
        ([(2.0, 3.0)], ((0.0, 2.0), (3.0, 10.0))),
        ([(4.0, 6.0), (0.0, 1.0), (5.0, 7.0)], ((1.0, 4.0), (7.0, 10.0))),
        ([(9.0, 12.0)], ((0.0, 9.0),)),
        ([(0.0, 10.0)], ()),
        ([(12.0, 13.0)], ((0.0, 10.0),)),
    ],
)
def test_what_is_left_out_leaves_the_rest(
    left_out: list[tuple[float, float]], kept: tuple[tuple[float, float], ...]
) -> None:
    assert leave_out((0.0, 10.0), left_out) == kept
