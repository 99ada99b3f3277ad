from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from fascnet.evaluation.cuts.worst_clips import rank_worst_clips
from fascnet.evaluation.report import worst_clip_pictures
from fascnet.evaluation.report.worst_clip_pictures import (
    MAX_BYTES,
    WIDTH_PX,
    describe_errors,
    draw_worst_clips,
)
from fascnet.evaluation.report.worst_moment import choose_moment, read_moment
from fascnet.types import ClipSource, Event, Labels, MaskFile, Point, Polygon

from .clips import TWITCH, make_alarm, make_clip, make_outcome, write_clip


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return make_clip(write_clip(tmp_path_factory.mktemp("clip") / "c.avi"))


def draw(outcome, clip, heatmap=None, labels=()):
    pictures = draw_worst_clips(
        rank_worst_clips([outcome]),
        [outcome],
        {} if clip is None else {"c": clip},
        {} if heatmap is None else {"c": heatmap},
        {"c": Labels("c", "anna", outcome.examined, tuple(labels))},
    )
    return next(pictures)


def decode(picture):
    return cv2.imdecode(np.frombuffer(picture.jpeg, np.uint8), cv2.IMREAD_COLOR)


def write_heatmap(path, box, value=255):
    values = np.zeros((120, 15, 20), dtype=np.uint8)
    values[63:70, 5:9, 9:14] = value
    np.savez_compressed(path, heatmap=values, fps=30.0, mm_per_px=0.1, box=np.array(box))
    return path


def test_a_picture_is_small_and_says_what_went_wrong(clip):
    outcome = make_outcome((TWITCH,), (make_alarm(0.5, 0.93),))
    picture = draw(outcome, clip, labels=[TWITCH, Event(1.0, 3.0, label="probe_motion")])
    assert len(picture.jpeg) <= MAX_BYTES and decode(picture).shape[1] == WIDTH_PX
    assert picture.caption == "1 of 1 event missed, 1 false alarm (surest 0.93) in 4.0 s"
    assert picture.alt.startswith("A missed event from 2.00 to 2.40 s near x 100, y 70")
    assert picture.reason == ""
    assert draw(outcome, clip).jpeg == draw(outcome, clip).jpeg


def test_the_heatmap_is_laid_over_the_frame_when_it_covers_the_same_area(clip, tmp_path):
    outcome = make_outcome()
    box = read_moment(clip, choose_moment(outcome)).box
    bare = decode(draw(outcome, clip)).astype(int)
    warm = decode(draw(outcome, clip, write_heatmap(tmp_path / "a.npz", box))).astype(int)
    # Only the left third changes, and there towards the colours of the heatmap.
    assert np.abs(warm - bare)[60:, : WIDTH_PX // 3].max() > 60
    assert np.abs(warm - bare)[:, 2 * WIDTH_PX // 3 :].max() < 60
    elsewhere = write_heatmap(tmp_path / "b.npz", (0, 0, 10, 10))
    assert draw(outcome, clip, elsewhere).jpeg is not None
    damaged = tmp_path / "c.npz"
    damaged.write_bytes(b"no heatmap")
    assert draw(outcome, clip, damaged).jpeg is not None


def test_every_kind_of_region_is_drawn(clip, tmp_path):
    mask = np.zeros((120, 160), dtype=np.uint8)
    mask[60:80, 90:110] = 255
    cv2.imwrite(str(tmp_path / "m.png"), mask)
    triangle = Polygon(((90.0, 60.0), (110.0, 60.0), (100.0, 80.0)))
    regions = [None, Point(100, 70), triangle, MaskFile(tmp_path / "m.png"), MaskFile(tmp_path / "gone.png")]
    pictures = [draw(make_outcome((replace(TWITCH, region=region),)), clip).jpeg for region in regions]
    assert all(pictures)
    assert len({pictures[0], *pictures[1:4]}) == 4


def test_an_unreadable_recording_gives_a_reason_without_its_folder(tmp_path):
    broken = tmp_path / "secret_ward" / "c.avi"
    broken.parent.mkdir()
    broken.write_bytes(b"no video")
    for clip in (make_clip(broken), make_clip(tmp_path / "secret_ward" / "gone.avi")):
        picture = draw(make_outcome(), clip)
        assert picture.jpeg is None and clip.path.name in picture.reason
        assert "secret_ward" not in picture.reason and picture.caption
    assert "not in the input" in draw(make_outcome(), None).reason


def test_pictures_come_in_the_order_of_the_ranking_one_at_a_time(clip):
    good = make_outcome((TWITCH,), (replace(TWITCH, score=1.0),))
    bad = replace(make_outcome(), clip_id="b")
    ranked = rank_worst_clips([good, bad])
    recordings = {"c": clip, "b": ClipSource("b", clip.path, "s")}
    pictures = list(draw_worst_clips(ranked, [good, bad], recordings, {}, {}))
    assert [picture.clip_id for picture in pictures] == ["b"]


def test_the_quality_falls_until_the_picture_is_small_enough(clip, monkeypatch):
    large = draw(make_outcome(), clip).jpeg
    monkeypatch.setattr(worst_clip_pictures, "MAX_BYTES", len(large) // 2)
    small = draw(make_outcome(), clip).jpeg
    assert len(small) < len(large)


def test_errors_are_told_in_words():
    outcome = make_outcome((TWITCH, Event(0.2, 0.5)), (Event(0.2, 0.5), Event(3.0, 3.2)))
    assert describe_errors(rank_worst_clips([outcome])[0]) == "1 of 2 events missed, 1 false alarm in 4.0 s"


def test_a_real_recording_can_be_shown(real_data):
    path = sorted((real_data / "muscle").rglob("*.mp4"))[0]
    alarm = Event(1.0, 1.3, score=0.9)
    picture = draw(make_outcome((), (alarm,)), make_clip(path))
    assert picture.jpeg is not None and len(picture.jpeg) <= MAX_BYTES
