from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from fascnet.phantom.scene import Scene, draw_scene, draw_subject
from fascnet.phantom.settings import PhantomSettings
from fascnet.phantom.truth import find_times, make_truth

from .tiny import STILL, switch

STANDARD = PhantomSettings()


def draw(settings: PhantomSettings, seed: int, has_twitches: bool = True, clip: int = 0) -> Scene:
    subject = draw_subject(settings, "s0", np.random.default_rng(seed))
    return draw_scene(settings, subject, has_twitches, np.random.default_rng((seed, clip)))


def choose(only: str = "", share: float = 1.0, **groups: dict[str, object]) -> PhantomSettings:
    """Everything switched off but one share of the recording."""
    shares: dict[str, dict[str, object]] = {name: dict(values) for name, values in switch(0.0).items()}
    if only:
        shares["recording"][only] = share
    for name, values in groups.items():
        shares.setdefault(name, {}).update(values)
    return PhantomSettings.from_mapping(shares)


@pytest.mark.parametrize("seed", range(12))
def test_twitches_lie_in_the_picture_the_clip_and_the_ranges(seed: int) -> None:
    scene = draw(STANDARD, seed)
    scan, script = scene.subject.scan, scene.script
    assert 6.0 - 0.05 <= script.duration_s <= 10.05
    assert script.twitches
    for twitch in script.twitches:
        x, z = twitch.centre_mm
        assert 0 < x < scan.width_px * scan.mm_per_px
        assert float(scene.anatomy.muscle_top(x)) < z < scan.height_px * scan.mm_per_px
        assert 0.08 <= twitch.peak_mm <= 0.9
        onset_s, _, offset_s = find_times(twitch)
        assert -0.01 <= onset_s < offset_s <= script.timeline.scan_duration_s + 0.1


def test_twitches_of_one_focus_never_run_into_each_other() -> None:
    settings = choose(twitches={"rate_per_min": [200.0, 200.0], "foci": [2, 2]})
    settings = PhantomSettings.from_mapping({**settings.to_mapping(), "duration_s": [20.0, 20.0]})
    twitches = draw(settings, 0).script.twitches
    for focus in {twitch.focus for twitch in twitches}:
        times = [find_times(twitch) for twitch in twitches if twitch.focus == focus]
        assert len(times) > 5
        assert all(later[0] > earlier[2] for earlier, later in pairwise(times))


def test_a_control_has_no_twitches_and_all_shares_0_leave_the_bare_picture() -> None:
    for seed in range(5):
        scene = draw(choose(body={"vessel_share": 0.0}), seed, has_twitches=False)
        assert scene.script.twitches == () and scene.script.confounders == ()
        assert scene.screen is None and scene.anatomy.vessel is None
        scan = scene.subject.scan
        assert scene.picture_box == (0, 0, scan.width_px, scan.height_px)
        assert scene.stored_size == (scan.height_px, scan.width_px)
        assert scene.picture_frame.offset_px == (0, 0)


def test_even_the_shortest_clip_holds_its_twitch() -> None:
    settings = choose(twitches={"contraction_s": [0.18, 0.18], "doublet_share": 1.0})
    short = PhantomSettings.from_mapping({**settings.to_mapping(), "duration_s": [1.0, 1.0]})
    for seed in range(12):
        script = draw(short, seed).script
        assert script.twitches
        assert find_times(script.twitches[0])[2] <= script.duration_s + 0.1


def test_the_same_chance_gives_the_same_scene() -> None:
    everything = PhantomSettings.from_mapping(switch(1.0))
    assert draw(everything, 1) == draw(everything, 1)
    assert draw(everything, 1) != draw(everything, 1, clip=1)


def test_clips_of_a_subject_share_scanner_screen_and_muscle() -> None:
    settings = choose("screen_share")
    subject = draw_subject(settings, "s0", np.random.default_rng(4))
    first, second = (draw_scene(settings, subject, True, np.random.default_rng(k)) for k in range(2))
    assert first.subject == second.subject
    assert first.screen is not None and second.screen is not None
    assert first.picture_box == second.picture_box and first.stored_size == second.stored_size
    assert first.tissue_seed != second.tissue_seed and first.noise_seed != second.noise_seed
    assert first.anatomy != second.anatomy


@pytest.mark.parametrize("seed", range(6))
def test_a_screen_surrounds_the_whole_picture(seed: int) -> None:
    scene = draw(choose("screen_share"), seed)
    x0, y0, x1, y1 = scene.picture_box
    height, width = scene.stored_size
    scan = scene.subject.scan
    assert (x1 - x0, y1 - y0) == (scan.width_px, scan.height_px)
    assert 0 <= x0 < x1 <= width and 0 <= y0 < y1 <= height
    assert (height, width) != (scan.height_px, scan.width_px)
    frame = scene.picture_frame
    assert frame.offset_px == (x0, y0)
    assert (frame.height_px, frame.width_px, frame.mm_per_px) == (
        scan.height_px,
        scan.width_px,
        scan.mm_per_px,
    )


def test_marks_lie_on_the_bare_picture() -> None:
    for seed in range(5):
        scene = draw(choose("overlay_share"), seed)
        assert scene.screen is not None
        assert scene.screen.inside_texts or scene.screen.inside_lines
        assert scene.picture_box[:2] == (0, 0)
        assert scene.stored_size == (scene.subject.scan.height_px, scene.subject.scan.width_px)


def test_a_colour_box_comes_with_a_vessel() -> None:
    for seed in range(5):
        scene = draw(choose("colour_box_share", body={"vessel_share": 0.0}), seed)
        assert scene.anatomy.vessel is not None
        assert scene.screen is not None and scene.screen.colour_box is not None


def test_vessels_come_by_their_share() -> None:
    seen = [
        draw(choose(body={"vessel_share": share}), seed).anatomy.vessel
        for share in (0.0, 1.0)
        for seed in range(4)
    ]
    assert [vessel is not None for vessel in seen] == [False] * 4 + [True] * 4


def test_every_clip_is_restless_and_the_truth_says_nothing_of_it() -> None:
    still = PhantomSettings.from_mapping({"body": STILL})
    courses = set()
    for seed in range(5):
        subject = draw_subject(STANDARD, "s0", np.random.default_rng(seed))
        restless = draw_scene(STANDARD, subject, True, np.random.default_rng(seed))
        quiet = draw_scene(still, subject, True, np.random.default_rng(seed))
        assert [motion.label for motion in restless.script.background] == ["restlessness"]
        labels = make_truth(restless.script, restless.picture_frame, "clip")
        assert "restlessness" not in {event.label for event in labels.events}
        # Switching it off leaves everything else as it is.
        assert quiet == replace(restless, script=replace(restless.script, background=()))
        courses.add(float(restless.script.background[0].courses(1.0)[0]))
    assert len(courses) == 5
