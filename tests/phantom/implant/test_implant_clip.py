from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fascnet.data.labelling.labels import check_against_clip
from fascnet.data.labelling.regions import rasterise_region
from fascnet.data.recording.recordings import open_recording
from fascnet.phantom.implant.background import Background, BackgroundSettings, open_background
from fascnet.phantom.implant.background_sources import find_backgrounds
from fascnet.phantom.implant.implant_clip import Implant, draw_implant
from fascnet.phantom.implant.implant_plan import ImplantPlan, ImplantSettings
from fascnet.phantom.settings import ConfounderRanges, TwitchRanges

from ..backgrounds import write_recording, write_still

ONE = TwitchRanges(foci=(1, 1), peak_mm=(0.5, 0.5), contraction_s=(0.08, 0.1), doublet_share=0.0)
STILL = ConfounderRanges(
    **{f.name: 0.0 for f in ConfounderRanges.__dataclass_fields__.values() if f.name.endswith("_share")}
)
DRIFT = replace(STILL, drift_share=1.0, drift_mm=(0.6, 0.6), lift_off_share=1.0, out_of_plane_share=1.0)
SETTINGS = ImplantSettings(duration_s=(1.5, 1.5), twitches=ONE, confounders=STILL)


@pytest.fixture
def recording(tmp_path: Path) -> Background:
    path = write_recording(tmp_path / "DOE_JANE.avi", border=30)
    return open_background(find_backgrounds(path)[0], BackgroundSettings(mm_per_px=0.18))


@pytest.fixture
def still(tmp_path: Path) -> Background:
    path = write_still(tmp_path / "stills" / "a.png")
    return open_background(find_backgrounds(path)[0], BackgroundSettings(mm_per_px=0.18))


def draw_one(
    background: Background, settings: ImplantSettings = SETTINGS, twitches: bool = True, variant: int = 0
) -> Implant:
    return draw_implant(background, ImplantPlan("c", "b000", 0, variant, "train", twitches), 7, settings)


def test_only_the_twitch_changes_the_recording(recording: Background) -> None:
    implant = draw_one(recording)
    x0, y0, x1, y1 = implant.box
    stored = list(open_recording(recording.source.clip.path).frames())[implant.first :]
    before = np.stack([f.image[y0:y1, x0:x1] for f in stored[: implant.n_frames]]).astype(int)
    after = np.stack(list(implant.frames())).astype(int)
    assert after.shape == (36, *implant.shape)
    labels = implant.make_labels("c")
    (event,) = labels.fasciculations()
    assert labels.examined == ((0.0, 1.5),)
    core = rasterise_region(event.region, (0, 0, *implant.shape[::-1]), implant.shape)
    change = np.abs(after - before)
    seen = np.array([k / 24 for k in range(36)])
    during = (seen > event.onset_s) & (seen < event.offset_s)
    assert change[during][:, core].mean() > 3 * max(change[:, ~core].mean(), 0.1)
    outside = (seen < event.onset_s - 0.1) | (seen > event.offset_s + 1.0)
    assert change[outside].max() <= 1
    assert change[seen < implant.script.twitches[0].active_s[0]].max() == 0


def test_a_clip_without_twitches_is_the_recording(recording: Background) -> None:
    implant = draw_one(recording, twitches=False)
    x0, y0, x1, y1 = recording.box
    assert implant.box == recording.box
    stored = [f.image[y0:y1, x0:x1] for f in open_recording(recording.source.clip.path).frames()]
    assert all(np.array_equal(a, b) for a, b in zip(implant.frames(), stored[implant.first :], strict=True))
    assert implant.make_labels("c").events == ()


def test_the_same_plan_gives_the_same_bits(recording: Background, still: Background) -> None:
    for background in (recording, still):
        one, two = (np.stack(list(draw_one(background).frames())) for _ in range(2))
        assert np.array_equal(one, two)
        assert not np.array_equal(
            one[:3, :90, :90], next(iter(draw_one(background, variant=1).frames()))[:90, :90]
        )


def test_a_still_lives_and_twitches(still: Background) -> None:
    settings = replace(SETTINGS, still_noise=(1.0, 1.0))
    implant = draw_one(still, settings)
    frames = np.stack(list(implant.frames())).astype(int)
    assert len(frames) == 45
    (event,) = implant.make_labels("c").fasciculations()
    quiet = np.abs(np.diff(frames[: max(int(event.onset_s * 30) - 1, 2)], axis=0)).mean()
    assert quiet == pytest.approx(1.0, rel=0.1)
    core = rasterise_region(event.region, (0, 0, *implant.shape[::-1]), implant.shape)
    peak = round(event.peak_s * 30)
    assert np.abs(frames[peak] - frames[0])[core].mean() > 3


def test_with_the_screen_only_the_picture_moves(recording: Background) -> None:
    implant = draw_one(recording, replace(SETTINGS, crop=False, confounders=DRIFT))
    stored = np.stack([f.image for f in open_recording(recording.source.clip.path).frames()])
    after = np.stack(list(implant.frames()))
    assert after.shape == stored.shape
    x0, y0, x1, y1 = recording.box
    around = np.ones(stored.shape[1:], bool)
    around[y0:y1, x0:x1] = False
    assert np.array_equal(after[:, around], stored[:, around])
    assert not np.array_equal(after[-1, y0:y1, x0:x1], stored[-1, y0:y1, x0:x1])
    (event,) = implant.make_labels("c").fasciculations()
    centre = np.mean(event.region.points, axis=0)
    assert x0 < centre[0] < x1 and y0 < centre[1] < y1


def test_picture_wide_movement_is_cut_free_and_labelled(recording: Background) -> None:
    implant = draw_one(recording, replace(SETTINGS, confounders=DRIFT))
    height, width = recording.area_shape
    assert implant.shape < (height, width)
    labels = implant.make_labels("c")
    # Lift-off and out-of-plane movement cannot be implanted and must not be labelled.
    assert {e.label for e in labels.events} == {"fasciculation", "probe_motion"}
    check_against_clip(labels, 1.5, implant.shape[1], implant.shape[0])


def test_labels_lie_where_the_cut_clip_shows_the_twitch(recording: Background) -> None:
    whole = draw_one(recording)
    (event,) = whole.make_labels("c").fasciculations()
    cut = replace(whole, box=(whole.box[0] + 9, whole.box[1] + 4, whole.box[2], whole.box[3]))
    (moved,) = cut.make_labels("c").fasciculations()
    shift = np.mean(event.region.points, axis=0) - np.mean(moved.region.points, axis=0)
    if moved.region.points != event.region.points and len(moved.region.points) == len(event.region.points):
        assert shift == pytest.approx([9, 4], abs=1.5)
    far = replace(whole, box=(whole.box[0], whole.box[3] - 3, whole.box[2], whole.box[3]))
    assert far.make_labels("c").fasciculations()[0].region is None


def test_fibres_give_the_direction(still: Background) -> None:
    implant = draw_one(still)
    twitch = implant.script.twitches[0]
    x_px, y_px = (v / 0.18 for v in twitch.centre_mm)
    plain = replace(still, fibres=replace(still.fibres, local_rad=still.fibres.local_rad * 0 + 0.3))
    turned = draw_one(plain).script.twitches[0]
    expected = 0.3 - still.fibres.find_direction(x_px, y_px)
    assert turned.axis_rad - twitch.axis_rad == pytest.approx(expected, abs=1e-6)
    across = replace(still, transverse=True)
    assert draw_one(across).make_labels("c").fasciculations()


def test_windows(recording: Background, still: Background) -> None:
    long = replace(SETTINGS, duration_s=(4.0, 4.0))
    assert (draw_one(recording, long).first, draw_one(recording, long).n_frames) == (0, 36)
    assert len(list(draw_one(recording, replace(long, forth_and_back=True)).frames())) == 96
    assert draw_one(recording, replace(SETTINGS, duration_s=(1.0, 1.0), whole_recordings=True)).n_frames == 36
    short = replace(SETTINGS, duration_s=(1.0, 1.0))
    firsts = {draw_one(recording, short, variant=k).first for k in range(12)}
    assert len(firsts) > 3 and max(firsts) <= 12
    assert draw_one(still, replace(long, whole_recordings=True)).n_frames == 120


def test_every_confounder_can_be_implanted_or_is_left_out(still: Background) -> None:
    every = replace(STILL, **{f: 1.0 for f in ConfounderRanges.__dataclass_fields__ if f.endswith("_share")})
    for variant in range(4):
        implant = draw_one(still, replace(SETTINGS, confounders=every), variant=variant)
        labels = implant.make_labels("c")
        check_against_clip(labels, 1.5, implant.shape[1], implant.shape[0])
        assert not {"lift_off", "out_of_plane"} & {event.label for event in labels.events}
        assert len({event.label for event in labels.events}) >= 5
    frames = list(implant.frames())
    assert frames[0].shape == implant.shape
    assert np.abs(frames[20].astype(int) - frames[0]).mean() > 1
