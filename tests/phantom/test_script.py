from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fascnet.phantom.body.anatomy import Anatomy
from fascnet.phantom.scene import draw_subject
from fascnet.phantom.script import MIN_PLAIN_FRAMES, Script, draw_script
from fascnet.phantom.settings import PhantomSettings
from fascnet.phantom.truth import make_truth
from fascnet.types import FASCICULATION

from .tiny import FPS, FRAME, make_script, switch

SUBJECT = draw_subject(PhantomSettings(), "s0", np.random.default_rng(0))
CONFOUNDERS = {
    "drift": "probe_motion",
    "jolt": "probe_motion",
    "lift_off": "lift_off",
    "out_of_plane": "out_of_plane",
    "breathing": "breathing",
    "pulsation": "arterial_pulsation",
    "contraction": "voluntary_contraction",
    "swallowing": "swallowing",
    "pseudotremor": "pseudotremor",
    "pressure": "probe_pressure",
    "fibrillation": "fibrillation",
}
RECORDING = {
    "gain_step": "gain_step",
    "freeze": "freeze",
    "doubled": "doubled_frames",
    "dropped": "dropped_frames",
    "codec": "codec_keyframe",
}


def play(
    shares: dict[str, dict[str, float]],
    seed: int = 0,
    n_frames: int = 300,
    has: bool = True,
    anatomy: Anatomy = SUBJECT.anatomy,
) -> Script:
    settings = PhantomSettings.from_mapping(shares)
    return draw_script(
        settings.twitches,
        settings.confounders,
        settings.recording,
        SUBJECT.scan,
        anatomy,
        n_frames,
        30.0,
        has,
        np.random.default_rng(seed),
    )


def list_labels(script: Script) -> set[str]:
    return {event.label for event in make_truth(script, FRAME, "clip").events}


def test_every_share_has_its_test() -> None:
    known = {f"{name}_share" for name in (*CONFOUNDERS, *RECORDING)}
    shares = switch(0.0)
    # These belong to the scene.
    of_scene = {"screen_share", "overlay_share", "colour_box_share"}
    # A share of the contractions, not of the clips.
    known.add("contraction_local_share")
    assert {*shares["confounders"], *shares["recording"]} - of_scene == known


def test_share_0_switches_everything_off() -> None:
    for seed in range(10):
        script = play(switch(0.0), seed)
        assert script.confounders == script.contact_losses == script.gain_steps == ()
        assert script.codec is None and script.make_codec() is None
        assert script.timeline.events() == []
        assert list_labels(script) == {FASCICULATION}
        assert list_labels(play(switch(0.0), seed, has=False)) == set()


@pytest.mark.parametrize(
    ("group", "name", "label"),
    [("confounders", *pair) for pair in CONFOUNDERS.items()]
    + [("recording", *pair) for pair in RECORDING.items()],
)
def test_share_1_is_always_there_and_nothing_else(group: str, name: str, label: str) -> None:
    only = switch(0.0)
    only[group][f"{name}_share"] = 1.0
    short_period = {"keyframe_period": [12, 50]}
    for seed in range(8):
        script = play({**only, "recording": {**only["recording"], **short_period}}, seed, has=False)
        assert list_labels(script) == {label}


def test_everything_at_once() -> None:
    twitching = 0
    for seed in range(5):
        shares = switch(1.0)
        shares["recording"]["keyframe_period"] = [12, 50]  # type: ignore[assignment]
        labels = list_labels(play(shares, seed))
        assert labels >= {*CONFOUNDERS.values(), *RECORDING.values()}
        # A lifted probe may hide the only twitch.
        twitching += FASCICULATION in labels
    assert twitching >= 3


def test_the_same_chance_gives_the_same_script() -> None:
    assert play(switch(1.0), 3) == play(switch(1.0), 3)
    assert play(switch(1.0), 3) != play(switch(1.0), 4)


@pytest.mark.parametrize("n_frames", [2, 3, MIN_PLAIN_FRAMES - 1])
def test_very_short_clips_are_plain(n_frames: int) -> None:
    for seed in range(10):
        script = play(switch(1.0), seed, n_frames)
        assert script.timeline.n_frames == n_frames
        assert script.timeline.events() == []


def test_twitches_reach_to_the_end_of_the_scan_not_of_the_file() -> None:
    """Where frames are missing, the scan is longer than the file."""
    shares = switch(0.0)
    shares["recording"]["dropped_share"] = 1.0
    script = play(shares, 1)
    assert script.timeline.scan_duration_s > script.duration_s == 10.0


def test_gain_steps_add_up_and_hold() -> None:
    script = make_script(gain_steps=((0.5, 3.0), (1.0, -5.0)))
    assert [script.find_gain_db(t_s) for t_s in (0.0, 0.49, 0.5, 0.9, 1.0, 9.0)] == [0, 0, 3, 3, -2, -2]


def test_each_clip_has_a_codec_of_its_own() -> None:
    shares = switch(0.0)
    shares["recording"]["codec_share"] = 1.0
    script = play(shares)
    first, second = script.make_codec(), script.make_codec()
    assert first is not None and second is not None and first is not second
    assert script.codec is not None
    assert (first.quality, first.keyframe_period, first.deblock) == script.codec
    frame = np.random.default_rng(0).integers(0, 256, (32, 40), dtype=np.uint8)
    np.testing.assert_array_equal(first.store(frame), second.store(frame))


def test_durations_are_the_file_s() -> None:
    script = make_script(n_frames=30)
    assert script.duration_s == pytest.approx(30 / FPS)
    assert replace(script, timeline=script.timeline).duration_s == script.duration_s
