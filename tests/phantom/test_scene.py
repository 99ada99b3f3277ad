from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from fascnet.phantom.scene import draw_scene, draw_subject
from fascnet.phantom.settings import PhantomSettings
from fascnet.phantom.truth import find_times

STANDARD_LIKE = PhantomSettings(
    duration_s=(6.0, 10.0),
    fps=(25.0, 60.0),
    height_px=(200, 400),
    width_px=(200, 400),
    mm_per_px=(0.08, 0.2),
    twitch_peak_mm=(0.08, 0.9),
)


@pytest.mark.parametrize("seed", range(30))
def test_twitches_lie_in_the_picture_the_clip_and_the_ranges(seed: int) -> None:
    subject = draw_subject(STANDARD_LIKE, "s0", np.random.default_rng(seed))
    scene = draw_scene(STANDARD_LIKE, subject, True, np.random.default_rng(100 + seed))
    assert 6.0 - 0.05 <= scene.duration_s <= 10.05
    assert scene.twitches
    for twitch in scene.twitches:
        x, z = twitch.centre_mm
        assert 0 < x < subject.scan.width_px * subject.scan.mm_per_px
        assert float(scene.anatomy.muscle_top(x)) < z < subject.scan.height_px * subject.scan.mm_per_px
        assert 0.08 <= twitch.peak_mm <= 0.9
        assert find_times(twitch)[2] <= scene.duration_s + 0.1


def test_twitches_of_one_focus_never_run_into_each_other() -> None:
    busy = PhantomSettings(duration_s=(20.0, 20.0), twitch_rate_per_min=(200.0, 200.0), foci=(2, 2))
    subject = draw_subject(busy, "s0", np.random.default_rng(0))
    twitches = draw_scene(busy, subject, True, np.random.default_rng(1)).twitches
    for centre in {twitch.centre_mm for twitch in twitches}:
        times = [find_times(twitch) for twitch in twitches if twitch.centre_mm == centre]
        assert len(times) > 5
        assert all(later[0] > earlier[2] for earlier, later in pairwise(times))


def test_a_control_has_no_twitches_and_shares_switch_confounders() -> None:
    off = {
        f"{n}_share": 0.0 for n in ("drift", "jolt", "pulsation", "contraction", "breathing", "pseudotremor")
    }
    settings = PhantomSettings(**off)
    subject = draw_subject(settings, "s0", np.random.default_rng(0))
    scene = draw_scene(settings, subject, False, np.random.default_rng(1))
    assert scene.twitches == ()
    assert scene.confounders == ()


def test_even_the_shortest_clip_holds_its_twitch() -> None:
    short = PhantomSettings(duration_s=(1.0, 1.0), contraction_s=(0.18, 0.18), doublet_share=1.0)
    for seed in range(20):
        subject = draw_subject(short, "s0", np.random.default_rng(seed))
        scene = draw_scene(short, subject, True, np.random.default_rng(seed))
        assert find_times(scene.twitches[0])[2] <= scene.duration_s
