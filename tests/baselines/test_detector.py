"""What every classical detector must do, and what they share."""

from __future__ import annotations

import dataclasses
import tracemalloc

import numpy as np
import pytest

from fascnet.baselines import constant, robust_score, tongue
from fascnet.baselines.bandpass import BandpassPredictor
from fascnet.baselines.constant import ConstantPredictor
from fascnet.baselines.curl import CurlPredictor
from fascnet.baselines.detector import average_cells, measure_frames
from fascnet.baselines.difference import DifferencePredictor
from fascnet.baselines.farneback import FarnebackPredictor
from fascnet.baselines.gmm import GmmPredictor
from fascnet.baselines.klt import KltPredictor
from fascnet.baselines.kobe import KobePredictor
from fascnet.baselines.tongue import TonguePredictor
from fascnet.errors import RecordingError, SettingError
from fascnet.inference.events import EventFinder
from fascnet.models.preprocessing import Tick
from fascnet.types import Polygon, Predictor

from .twitching import CENTRE_PX, TWITCH_S, PictureRecording, TwitchingRecording

DETECTORS = [
    BandpassPredictor(),
    ConstantPredictor(),
    CurlPredictor(iterations=3, largest_square_px=30, k_mad=30.0),
    DifferencePredictor(),
    FarnebackPredictor(),
    GmmPredictor(burn_in_frames=10, pass_learning_rate=True, bright_blobs=True, min_blobs=0),
    KltPredictor(),
    KobePredictor(grid_px=8, subtract_median=True),
    # A twitch is more than 3 % of this small picture.
    TonguePredictor(min_magnitude_px=0.3, max_area_share=0.3),
]
SEEING = [detector for detector in DETECTORS if detector.name not in {"constant", "gmm"}]


def name(detector):
    return detector.name


def predict(detector, recording):
    stream = detector.stream(recording)
    return np.concatenate(list(stream.chunks)), stream


def find_events(detector, recording):
    heatmap, stream = predict(detector, recording)
    finder = EventFinder(detector.event_definition, stream.fps, stream.shape, stream.box, stream.mm_per_px)
    return [event for tick in heatmap for event in finder.push(tick)] + finder.finish()


@pytest.mark.parametrize("detector", DETECTORS, ids=name)
def test_follows_the_protocol(detector):
    predictor: Predictor = detector
    heatmap, stream = predict(detector, TwitchingRecording(n_frames=45))
    assert heatmap.dtype == np.float32 and heatmap.shape == (45, *stream.shape)
    assert heatmap.min() >= 0 and heatmap.max() <= 1
    assert stream.fps == 30 and stream.box == (0, 0, 128, 128) and stream.mm_per_px == 0.15
    assert predictor.calibration.slope == 1
    settings = {field.name: getattr(detector, field.name) for field in dataclasses.fields(detector)}
    assert predictor.describe().items() >= settings.items()


@pytest.mark.parametrize("detector", DETECTORS, ids=name)
@pytest.mark.parametrize("mm_per_px", [2e-4, 15.0])
def test_a_spacing_of_no_muscle_image_is_refused(detector, mm_per_px):
    info = dataclasses.replace(TwitchingRecording().info, mm_per_px=mm_per_px)
    with pytest.raises(RecordingError, match="no muscle image; give the right mm_per_px"):
        detector.plan(info)


@pytest.mark.parametrize("detector", SEEING, ids=name)
def test_finds_the_twitch_where_and_when_it_is(detector):
    events = find_events(detector, TwitchingRecording(n_frames=75, drift_px=0.0, noise_grey=3.0))
    best = max(events, key=lambda event: event.score)
    assert best.onset_s < TWITCH_S[1] and best.offset_s > TWITCH_S[0]
    # A flank of the twitch is 9 px away; curl has nothing in the middle.
    assert np.hypot(best.region.x - CENTRE_PX[0], best.region.y - CENTRE_PX[1]) < 20


@pytest.mark.parametrize("detector", DETECTORS, ids=name)
def test_a_still_picture_has_no_event(detector):
    picture = next(TwitchingRecording().frames()).image
    assert find_events(detector, PictureRecording([picture] * 70)) == []


@pytest.mark.parametrize("detector", DETECTORS, ids=name)
def test_a_black_picture_has_no_event(detector):
    assert find_events(detector, PictureRecording([np.zeros((96, 96), np.uint8)] * 40)) == []


@pytest.mark.parametrize("detector", DETECTORS, ids=name)
@pytest.mark.parametrize("chunk", [1, 11])
def test_chunks_do_not_matter(detector, chunk, monkeypatch):
    recording = TwitchingRecording(n_frames=40)
    expected, _ = predict(detector, recording)
    for module in (robust_score, constant, tongue):
        monkeypatch.setattr(module, "CHUNK_TICKS", chunk)
    found, _ = predict(detector, recording)
    assert (found == expected).all()


@pytest.mark.parametrize("detector", DETECTORS, ids=name)
def test_memory_does_not_grow_with_the_recording(detector):
    class Endless(PictureRecording):
        def frames(self):
            yield from PictureRecording(self.pictures * self.n_times, self.fps).frames()

    pictures = [frame.image[:64, :64] for frame in TwitchingRecording(n_frames=40).frames()]
    # Long enough to fill the longest memory, the four seconds of the tongue tool.
    detector = dataclasses.replace(detector, busy_s=0.5) if detector.name == "tongue" else detector

    def measure_peak(n_times):
        recording = Endless(pictures)
        recording.n_times = n_times
        tracemalloc.start()
        for chunk in detector.stream(recording).chunks:
            assert len(chunk)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    measure_peak(1)
    short, long = measure_peak(3), measure_peak(9)
    assert long < 1.1 * short + 50_000


@pytest.mark.parametrize(
    ("detector", "key", "value"),
    [
        (type(detector), key, value)
        for detector in DETECTORS
        for key, (low, high) in detector.RANGES.items()
        for value in (low - 1, high + 1, float("nan"))
    ],
)
def test_refuses_values_out_of_range(detector, key, value):
    with pytest.raises(SettingError, match=f"{detector.NAME}: {key} is .*; give "):
        detector(**{key: value})


@pytest.mark.parametrize("detector", DETECTORS, ids=name)
@pytest.mark.parametrize("wrong", [{"pitch_mm": 3.0}, {"rate_hz": 500.0}, {"assumed_mm_per_px": 0.0}])
def test_refuses_a_grid_that_makes_no_sense(detector, wrong):
    with pytest.raises(SettingError, match=next(iter(wrong))):
        dataclasses.replace(detector, **wrong)


@pytest.mark.parametrize("detector", DETECTORS, ids=name)
def test_every_number_has_a_range_and_every_measured_setting_exists(detector):
    grid = {"pitch_mm", "rate_hz", "assumed_mm_per_px"}
    numbers = {key for key, value in detector.settings().items() if not isinstance(value, bool)} - grid
    assert set(detector.RANGES) == numbers
    assert detector.settings().keys() >= detector.MEASURED_WITH and grid <= detector.MEASURED_WITH


@pytest.mark.parametrize("detector", DETECTORS, ids=name)
@pytest.mark.parametrize("pitch_mm", [None, 0.15])
def test_outside_the_outline_nothing_is_found(detector, pitch_mm):
    rng = np.random.default_rng(0)
    pictures = [rng.integers(0, 255, (98, 130), dtype=np.uint8) for _ in range(24)]
    left = Polygon(((0.0, 0.0), (65.0, 0.0), (65.0, 98.0), (0.0, 98.0)))
    if detector.name != "bandpass" or pitch_mm is not None:
        detector = dataclasses.replace(detector, pitch_mm=pitch_mm)
    if detector.name == "constant":
        detector = ConstantPredictor(0.4, pitch_mm=pitch_mm)
    heatmap, stream = predict(detector, PictureRecording(pictures, outline=left, pixel_aspect=1.2))
    assert stream.covered.shape == stream.shape and stream.pixel_aspect == 1.2
    assert stream.covered.mean() == pytest.approx(0.5, abs=0.05)
    assert not heatmap[:, ~stream.covered].any()
    assert detector.name != "constant" or heatmap[:, stream.covered].min() == np.float32(0.4)


def test_stored_pixels_and_frames_are_kept_where_no_grid_is_set():
    pictures = [np.random.default_rng(k).integers(0, 255, (70, 90), dtype=np.uint8) for k in range(13)]
    recording = PictureRecording(pictures, fps=17.0)
    detector = DifferencePredictor(pitch_mm=None, rate_hz=None)
    grid = detector.plan(recording.info)
    assert (grid.height, grid.width, grid.rate_hz) == (70, 90, 17.0)
    ticks = list(detector.ticks(recording, grid))
    assert all((tick.image == picture).all() for tick, picture in zip(ticks, pictures, strict=True))
    heatmap, stream = predict(detector, recording)
    assert heatmap.shape == (13, 17, 22) and stream.assumed_mm_per_px is None


def test_a_picture_without_room_is_refused():
    small = PictureRecording([np.zeros((20, 90), np.uint8)])
    with pytest.raises(RecordingError, match="90x20 px has no room"):
        DifferencePredictor(pitch_mm=None).stream(small)


def test_a_held_frame_is_measured_once():
    picture = np.zeros((4, 4), np.uint8)
    ticks = [Tick(picture, dt_s) for dt_s in (0.0, 0.0, 0.1, 0.0, 0.1)]
    count = iter(range(10))
    assert list(measure_frames(ticks, lambda tick: next(count))) == [0, 0, 1, 1, 2]


def test_cells_are_averages_of_an_even_division():
    picture = np.random.default_rng(0).random((24, 32)).astype(np.float32)
    expected = picture.reshape(6, 4, 8, 4).mean(axis=(1, 3))
    np.testing.assert_allclose(average_cells(picture, (6, 8)), expected, rtol=1e-5)
    odd = average_cells(np.ones((30, 33), np.float32), (7, 8))
    np.testing.assert_allclose(odd, 1, rtol=1e-5)
