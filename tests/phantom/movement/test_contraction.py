from __future__ import annotations

import numpy as np

from tests.phantom.movement.test_twitch import TWITCH
from tests.phantom.moving import CONTRACTION, HALF_DONE, LOCAL, SWALLOW, TREMBLING

TIMES = np.arange(0, 5, 0.002)


def test_a_contraction_thickens_the_muscle_and_comes_back() -> None:
    column = np.array([[16, 10], [16, 18]], dtype=np.float32)
    upper, lower = CONTRACTION.displacement(column, 2.0)
    assert lower[1] > upper[1]
    np.testing.assert_allclose(CONTRACTION.displacement(column, 3.1), 0, atol=1e-6)


def test_tremor_trembles_while_the_muscle_is_tensed_and_only_then() -> None:
    tremor = np.array([TREMBLING.courses(float(t))[0] - CONTRACTION.courses(float(t))[0] for t in TIMES])
    assert 0.03 < np.abs(tremor).max() <= 0.1
    assert np.abs(tremor[(TIMES < 1.0) | (TIMES > 3.0)]).max() < 1e-9
    held = tremor[(TIMES > 1.5) & (TIMES < 2.3)]
    rate_hz = np.fft.rfftfreq(len(held), 0.002)[np.abs(np.fft.rfft(held - held.mean())).argmax()]
    assert 7.5 <= rate_hz <= 12.5


def test_a_clip_may_begin_within_a_contraction() -> None:
    course = np.array([HALF_DONE.courses(float(t))[0] for t in TIMES])
    assert course[0] == 0
    assert course.min() < -0.99, "the muscle relaxes to its rest"
    assert HALF_DONE.active_s[0] == 0.0


def test_a_local_contraction_has_the_place_of_a_twitch_but_is_slow() -> None:
    course = np.array([LOCAL.courses(float(t))[0] for t in TIMES])
    assert abs(course.max() - TWITCH.peak_mm) < 1e-6
    velocity = np.abs(np.gradient(course, TIMES)).max()
    twitch = np.array([TWITCH.courses(float(t))[0] for t in TIMES])
    assert velocity < 0.3 * np.abs(np.gradient(twitch, TIMES)).max()


def test_a_swallow_goes_there_and_past_rest_and_leaves_the_plane() -> None:
    course = np.array([SWALLOW.courses(float(t))[0] for t in TIMES])
    assert course.max() > 0.99
    assert -0.41 < course.min() < -0.39
    assert course.argmax() < course.argmin()
    assert max(SWALLOW.slice_angle(float(t)) for t in TIMES) > 0.99
