from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.phantom.movement.test_twitch import TWITCH
from tests.phantom.moving import FIBRILLATION, PSEUDOTREMOR

TIMES = np.arange(0, 5, 0.001)


def test_pseudotremor_is_rhythmic() -> None:
    times = np.arange(1.5, 2.5, 0.001)
    course = np.array([PSEUDOTREMOR.courses(float(t))[0] for t in times])
    spectrum = np.abs(np.fft.rfft(course - course.mean()))
    assert int(spectrum.argmax()) == 8


def test_a_lone_firing_is_a_twitch_and_two_that_meet_add_less() -> None:
    course = np.array([PSEUDOTREMOR.courses(float(t))[1] for t in TIMES])
    assert course[(TIMES > 1.1) & (TIMES < 1.39)].max() == pytest.approx(0.9 * TWITCH.peak_mm, rel=1e-3)
    assert TWITCH.peak_mm * 1.1 < course.max() < TWITCH.peak_mm * 2
    assert PSEUDOTREMOR.active_s[0] == 1.0


def test_fibrillation_is_small_irregular_and_independent_between_groups() -> None:
    courses = np.stack([FIBRILLATION.courses(float(t)) for t in TIMES[1300:3700]])
    assert 0.3 * 0.03 < courses.std() < 0.03
    assert np.abs(courses).max() < 2.5 * 0.03
    assert np.abs(np.corrcoef(courses.T)[np.triu_indices(3, 1)]).max() < 0.5
    spectrum = np.abs(np.fft.rfft(courses[:, 0] - courses[:, 0].mean())) ** 2
    rates_hz = np.fft.rfftfreq(len(courses), 0.001)
    assert spectrum[(rates_hz >= 0.5) & (rates_hz <= 32)].sum() > 0.98 * spectrum.sum()
    assert spectrum.max() < 0.9 * spectrum.sum(), "more than one rhythm"


def test_the_probe_holds_shallow_fibres() -> None:
    shallow = replace(FIBRILLATION, centres_mm=((12.0, 1.0), (14.0, 0.5), (13.0, 1.5)))
    skin = np.stack([np.linspace(8, 18, 60), np.zeros(60)], axis=-1).astype(np.float32)
    assert not shallow.modes(skin).any()
