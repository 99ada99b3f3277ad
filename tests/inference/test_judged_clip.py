from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from fascnet.inference import clip as clip_module
from fascnet.inference.clip import predict_clip
from fascnet.inference.movement.judge import MovementRules
from fascnet.inference.movement.periodic import PeriodicRule
from fascnet.inference.movement.unscored import RejectRule
from fascnet.types import ClipSource

from .fakes import BrightnessPredictor
from .movement.moving import film, make_speckle, shift, spot
from .test_clip import PaintedRecording


class ScriptedPredictor(BrightnessPredictor):
    """Probability 0.9 wherever and whenever it is told to, 0.02 elsewhere; it consumes the frames."""

    def __init__(self, marks):
        super().__init__()
        object.__setattr__(self, "marks", marks)

    def _chunks(self, recording, shape):
        for frame in recording.frames():
            heatmap = np.full((1, *shape), 0.02, np.float32)
            for start_s, end_s, x, y in self.marks:
                if start_s - 1e-6 <= frame.time_s < end_s - 1e-6:
                    heatmap[0, y // 8 : y // 8 + 2, x // 8 : x // 8 + 2] = 0.9
            yield heatmap


BEATS = [(t, t + 0.2, 32, 112) for t in (0.8, 1.6, 2.4, 3.2, 4.0, 4.8, 5.6, 6.4, 7.2, 8.0)]
"""On each beat of the artery at 1.25 Hz."""

FULL = MovementRules(RejectRule(), PeriodicRule())


@pytest.fixture
def predict(monkeypatch, tmp_path):
    """Predict speckle that moves, with events (start_s, end_s, x, y) that the detector is told to see."""

    def run(marks, seconds=10.0, rules=FULL, jolt_s=None, pulse_hz=None, twitch_s=None):
        speckle = 0.5 * make_speckle(6)
        artery, focus = spot(40, 120, 12), spot(120, 40, 12)

        def draw(time_s):
            jolt = 0.0 if jolt_s is None else np.interp(time_s, [jolt_s, jolt_s + 0.1], [0, 6])
            part = 1.0 if pulse_hz is None else (time_s * pulse_hz) % 1 / pulse_hz
            beat = np.interp(part, [0, 0.1, 0.4, 0.6], [0, 1, 0, 0])
            twitch = 0.0 if twitch_s is None else np.interp(time_s - twitch_s, [0, 0.1, 0.4], [0, 1, 0])
            return shift(speckle, jolt + 3 * focus * twitch, 2 * artery * beat)

        frames = np.stack([frame.image for frame in film(draw, seconds)])
        recording = PaintedRecording(tmp_path / "a.avi", frames, mm_per_px=0.2)
        monkeypatch.setattr(clip_module, "open_clip", lambda clip: recording)
        source = ClipSource("a", recording.path, "s1")
        return predict_clip(source, ScriptedPredictor(marks), tmp_path, rules=rules, overlay=False)

    return run


def test_an_event_of_a_knock_is_dropped_and_the_score_does_not_know_it(predict):
    marks = [(5.0, 5.2, 80, 80)]
    before = predict(marks, rules=None, jolt_s=5.0)
    after = predict(marks, jolt_s=5.0)
    quiet = predict([], jolt_s=5.0)
    assert (len(before.events), len(after.events)) == (1, 0)
    (part,) = after.not_scored
    assert part.reason.startswith("probe_moved")
    assert part.n_events == 1
    assert after.scored_s == pytest.approx(10.0 - part.end_s + part.start_s)
    assert after.score < before.score - 0.3
    assert after.score == pytest.approx(quiet.score, abs=0.02)
    assert (after.status, after.reason, after.active_area_fraction) == ("ok", "", 0.0)


def test_a_twitch_beside_a_knock_counts(predict):
    found = predict([(5.0, 5.2, 80, 80), (7.0, 7.2, 112, 32)], jolt_s=5.0, twitch_s=7.0)
    (event,) = found.fasciculations()
    assert event.onset_s == pytest.approx(7.0)
    assert found.active_area_fraction == pytest.approx(4 / 400)


def test_a_pulse_keeps_its_row_under_its_name_and_counts_nowhere(predict):
    before = predict(BEATS, rules=None, pulse_hz=1.25)
    found = predict(BEATS, pulse_hz=1.25)
    assert [event.label for event in found.events] == ["arterial_pulsation"] * len(BEATS)
    assert found.fasciculations() == ()
    assert found.events[4].movement_hz == pytest.approx(1.25, abs=0.06)
    assert found.score < before.score - 0.3
    assert found.active_area_fraction == 0.0


def test_a_pulse_that_is_dropped_for_its_score_does_not_speak_for_the_clip(predict, monkeypatch):
    named = predict(BEATS, pulse_hz=1.25)
    strict = dataclasses.replace(ScriptedPredictor.event_definition, score_unrest=5.0, min_score=0.5)
    monkeypatch.setattr(ScriptedPredictor, "event_definition", strict)
    found = predict(BEATS, pulse_hz=1.25)
    assert found.events == ()
    assert found.score == pytest.approx(named.score)
    still = predict(BEATS)
    assert still.events == ()
    assert still.score > found.score + 0.3, "nothing beats there"


def test_a_clip_that_is_lost_has_no_score_and_says_why(predict, monkeypatch, tmp_path):
    frames = np.full((90, 160, 160), 12, np.uint8)
    recording = PaintedRecording(tmp_path / "a.avi", frames, mm_per_px=0.2)
    monkeypatch.setattr(clip_module, "open_clip", lambda clip: recording)
    source = ClipSource("a", recording.path, "s1")
    found = predict_clip(source, BrightnessPredictor(), tmp_path, rules=FULL, overlay=False)
    assert (found.status, found.score, found.scored_s) == ("ok", None, 0.0)
    assert found.reason == "3.0 of 3.0 s not scored: frozen"
    assert (tmp_path / "a" / "summary.png").is_file()
