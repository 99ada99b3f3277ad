"""Every real recording: counts, rates and spacings of the data's README, and a second decoder's pixels."""

from __future__ import annotations

import zlib
from pathlib import Path

import cv2
import numpy as np
import pydicom
import pytest
from pydicom.pixels.processing import apply_color_lut
from pydicom.pixels.utils import iter_pixels

from fascnet.data.recording.find_clips import find_clips
from fascnet.data.recording.recordings import OpenedRecording, open_recording
from fascnet.data.recording.repeats import find_repeats
from fascnet.errors import RecordingError

pytestmark = pytest.mark.real


def open_stored(path: Path, fps: float | None = None) -> OpenedRecording:
    """The recording as stored: what is taken off its screen is for tests/data/screen."""
    return open_recording(path, fps=fps, find_area=False)


# name: frames, frames/s, mm/px, (width, height)
RECORDINGS = {
    "muscle/gm_p6_isometric_max_01_push_01.mp4": (197, 61.0, None, (1148, 624)),
    "muscle/gm_p6_isokinetic030_01_push_01.mp4": (133, 61.0, None, (1148, 624)),
    "muscle/gm_p6_isokinetic500_01_push_01.mp4": (59, 61.0, None, (1148, 624)),
    "muscle/gm_p6_passive_ROM_01_push_01.mp4": (394, 61.0, None, (1148, 624)),
    "muscle/flowave_brachial_DemoBMode.mov": (450, 29.97, None, (640, 480)),
    "muscle/derived/flowave_brachial_DemoBMode_streamcopy.avi": (450, 29.97, None, (640, 480)),
    "muscle/derived/plus_BoneUltrasound_L14_ffv1_gray.avi": (21, 11.6, None, (820, 616)),
    "muscle/plus_BoneUltrasound_L14.igs.mha": (21, 11.63, None, (820, 616)),
    "muscle/mep_evoked_twitch_contraction.gif": (31, 1 / 0.03, None, (300, 167)),
    "muscle/neurosense_sample2_first15s.mp4": (450, 29.97, None, (420, 352)),
    "device_export/itkpocus_butterfly-ocular-phantom.mp4": (369, 12.7, None, (776, 1080)),
    "dicom/pydicom_examples_ybr_color.dcm": (30, 1 / 0.033333, None, (320, 240)),
    "dicom/dcm4che_US-PAL-8-10x-echo.dcm": (10, 1 / 0.076, None, (600, 430)),
    "dicom/dicomParser_IM00001_fragmented_no_bot_jpeg50.dcm": (8, 22.58, None, (320, 240)),
    "dicom/dicomParser_IM00001_implicit_le_rgb.dcm": (8, 22.58, None, (320, 240)),
    "dicom/deid_GREYSCALE_CINE.dcm": (27, 30.0, 0.083078, (800, 600)),
    "dicom/pylibjpeg_JPEGLosslessSV1_rgb_2frame.dcm": (2, 1 / 0.0319652, 0.027743, (1024, 768)),
}


# Folders of stills: pictures, (width, height), what their names say.
PICTURES = {
    "timtrack_lg_jumping": (23, (800, 600), "go on by 2"),
    "timtrack_vl_S1_L20": (9, (514, 458), "go on by 50"),
    "timtrack_vl_subjects": (15, (514, 458), "go on by 200"),
    "timtrack_gm_sampleA": (4, (1234, 688), "go on by 4"),
}


@pytest.mark.parametrize("name", RECORDINGS)
def test_counts_rates_and_spacings(real_data: Path, name: str) -> None:
    n_frames, fps, mm_per_px, (width, height) = RECORDINGS[name]
    recording = open_stored(real_data / name)
    info = recording.info
    assert (info.width, info.height, info.n_frames) == (width, height, n_frames)
    assert info.fps == pytest.approx(fps, rel=2e-3)
    assert info.mm_per_px == (None if mm_per_px is None else pytest.approx(mm_per_px, rel=1e-4))
    times_s, contrast = [], []
    for frame in recording.frames():
        assert frame.image.shape == (height, width)
        times_s.append(frame.time_s)
        contrast.append(frame.image.std())
    assert len(times_s) == n_frames
    assert times_s[0] == 0 and np.all(np.diff(times_s) > 0)
    assert times_s[-1] == pytest.approx((n_frames - 1) / info.fps, rel=0.01)
    assert recording.times_s == pytest.approx(times_s)
    assert min(contrast) > 3


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("dicom/dcm4che_YBR_422_single.dcm", "single image"),
        ("muscle/timtrack_gm_sampleA/GM_T_1.png", "still image"),
        *((f"muscle/{folder}", "pictures say no frame rate") for folder in PICTURES),
        ("README.md", "not a readable video"),
        ("annotations/gm_p6/p6_params.mat", "not a readable video"),
        ("annotations/timtrack/dataset3_for_manual_estimation_obs1.xlsx", "not a readable video"),
    ],
)
def test_what_is_not_read_says_why(real_data: Path, name: str, says: str) -> None:
    with pytest.raises(RecordingError, match=says):
        open_stored(real_data / name)


# OpenCV converts yuv to BGR and back: rounding, and clipping where the colours are strong.
@pytest.mark.parametrize(
    ("name", "mean_difference"),
    [
        ("muscle/neurosense_sample2_first15s.mp4", 0.6),
        ("muscle/gm_p6_isokinetic500_01_push_01.mp4", 0.8),
        ("muscle/flowave_brachial_DemoBMode.mov", 0.8),
        ("muscle/mep_evoked_twitch_contraction.gif", 0.01),
        ("muscle/derived/plus_BoneUltrasound_L14_ffv1_gray.avi", 0.0),
    ],
)
def test_a_second_decoder_sees_the_same_frames(real_data: Path, name: str, mean_difference: float) -> None:
    other = cv2.VideoCapture(str(real_data / name))
    for frame in open_stored(real_data / name).frames():
        there, image = other.read()
        assert there
        grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
        assert np.abs(grey.astype(int) - frame.image).mean() <= mean_difference
    assert not other.read()[0]


def test_uneven_dicom_times(real_data: Path) -> None:
    path = real_data / "dicom/dicomParser_IM00001_implicit_le_rgb.dcm"
    times_ms = [1000 * frame.time_s for frame in open_stored(path).frames()]
    vector = [float(v) for v in pydicom.dcmread(path, stop_before_pixels=True).FrameTimeVector]
    assert np.diff(times_ms) == pytest.approx(vector[1:])
    assert max(vector[1:]) > 1.4 * min(vector[1:])


def test_one_cine_in_two_syntaxes(real_data: Path) -> None:
    lossy = open_stored(real_data / "dicom/dicomParser_IM00001_fragmented_no_bot_jpeg50.dcm").frames()
    lossless = open_stored(real_data / "dicom/dicomParser_IM00001_implicit_le_rgb.dcm").frames()
    for one, other in zip(lossy, lossless, strict=True):
        difference = np.abs(one.image.astype(int) - other.image)
        # Colours converted twice would differ by tens of levels.
        assert difference.mean() < 6
        assert one.time_s == other.time_s


def test_the_header_s_area_is_used(real_data: Path) -> None:
    """Those that have to be found are compared with boxes drawn by hand in tests/data/screen."""
    for name, box in {
        "dicom/deid_GREYSCALE_CINE.dcm": (10, 31, 789, 593),
        "dicom/pylibjpeg_JPEGLosslessSV1_rgb_2frame.dcm": (80, 28, 945, 569),
        "dicom/dicomParser_IM00001_implicit_le_rgb.dcm": (0, 16, 320, 218),
    }.items():
        assert open_stored(real_data / name).info.box == box


def test_every_recording_of_the_folder_is_found(real_data: Path) -> None:
    found = {clip.path.relative_to(real_data).as_posix() for clip in find_clips(real_data)}
    assert found == {*RECORDINGS, "dicom/dcm4che_YBR_422_single.dcm"}


@pytest.mark.parametrize("name", PICTURES)
def test_folders_of_pictures(real_data: Path, name: str) -> None:
    folder = real_data / "muscle" / name
    n_frames, (width, height), note = PICTURES[name]
    recording = open_stored(folder, fps=13.5)
    info = recording.info
    assert (info.n_frames, info.fps, info.width, info.height) == (n_frames, 13.5, width, height)
    frames = list(recording.frames())
    numbers = [int(file.stem.split("_")[-1]) for file in recording.files]
    if name != "timtrack_vl_subjects":
        assert numbers == sorted(numbers)
    assert note in recording.notes[0]
    for frame, file in zip(frames, recording.files, strict=True):
        other = cv2.imread(str(file), cv2.IMREAD_GRAYSCALE)
        assert np.abs(frame.image.astype(int) - other).max() <= 1


def test_a_meta_image_is_its_lossless_copy(real_data: Path) -> None:
    """The README: decoded frames identical. And the samples by zlib alone."""
    own = open_stored(real_data / "muscle/plus_BoneUltrasound_L14.igs.mha")
    copy = open_stored(real_data / "muscle/derived/plus_BoneUltrasound_L14_ffv1_gray.avi")
    data = own.path.read_bytes()
    mark = b"ElementDataFile = LOCAL\n"
    samples = np.frombuffer(zlib.decompress(data[data.index(mark) + len(mark) :]), np.uint8)
    images = np.stack([frame.image for frame in own.frames()])
    assert np.array_equal(images, samples.reshape(21, 616, 820))
    assert np.array_equal(images, [frame.image for frame in copy.frames()])
    # Per-frame time stamps of 85.8-86.1 ms.
    assert np.diff(own.times_s).min() > 0.0857 and np.diff(own.times_s).max() < 0.0862


def test_a_stream_copy_decodes_the_same(real_data: Path) -> None:
    first = open_stored(real_data / "muscle/flowave_brachial_DemoBMode.mov").frames()
    second = open_stored(real_data / "muscle/derived/flowave_brachial_DemoBMode_streamcopy.avi").frames()
    for one, other in zip(first, second, strict=True):
        assert np.array_equal(one.image, other.image)


@pytest.mark.parametrize("name", [n for n in RECORDINGS if n.startswith("dicom/")])
def test_dicom_frames_by_pydicom(real_data: Path, name: str) -> None:
    """Whatever plug-in pydicom takes first, colours converted by pydicom."""
    dataset = pydicom.dcmread(real_data / name)
    worst = 0.0
    for frame, array in zip(
        open_stored(real_data / name).frames(), iter_pixels(real_data / name), strict=True
    ):
        if dataset.PhotometricInterpretation == "PALETTE COLOR":
            array = (apply_color_lut(array, dataset) >> 8).astype(np.uint8)  # noqa: PLW2901
        grey = array if array.ndim == 2 else cv2.cvtColor(np.ascontiguousarray(array), cv2.COLOR_RGB2GRAY)
        worst = max(worst, float(np.abs(frame.image.astype(int) - grey).mean()))
    # Exact where lossless; JPEG decoders round differently, and colours outside RGB are cut off by pydicom.
    assert worst <= (1.0 if "jpeg50" in name or "ybr" in name else 0.0)


def test_variable_rate_and_its_limits(real_data: Path) -> None:
    """The README: 43-112 ms, median 78 ms."""
    steps_ms = 1000 * np.diff(
        open_stored(real_data / "device_export/itkpocus_butterfly-ocular-phantom.mp4").times_s
    )
    assert (steps_ms.min(), np.median(steps_ms), steps_ms.max()) == pytest.approx((43, 78, 112), abs=1)


@pytest.mark.parametrize(
    ("name", "note"),
    [
        ("dicom/pydicom_examples_ybr_color.dcm", "lies outside the image of 320x240"),
        ("dicom/dicomParser_IM00001_implicit_le_rgb.dcm", "2.294 mm/px across"),
        ("muscle/plus_BoneUltrasound_L14.igs.mha", "not calibrated"),
        ("dicom/deid_GREYSCALE_CINE.dcm", ""),
        ("muscle/gm_p6_isokinetic500_01_push_01.mp4", ""),
    ],
)
def test_traps_are_told(real_data: Path, name: str, note: str) -> None:
    notes = open_stored(real_data / name).notes
    assert len(notes) == bool(note)
    assert not note or note in notes[0]


@pytest.mark.parametrize(
    ("name", "runs"),
    [
        ("dicom/pydicom_examples_ybr_color.dcm", [(10, 2), (27, 2)]),  # the README's identical pairs
        ("dicom/deid_GREYSCALE_CINE.dcm", []),  # almost static, but every frame its own
        ("muscle/gm_p6_passive_ROM_01_push_01.mp4", []),
        ("muscle/flowave_brachial_DemoBMode.mov", []),
        ("device_export/itkpocus_butterfly-ocular-phantom.mp4", []),
    ],
)
def test_repeated_frames(real_data: Path, name: str, runs: list[tuple[int, int]]) -> None:
    repeats = find_repeats(open_stored(real_data / name))
    assert [(run.first, run.n_frames) for run in repeats.runs] == runs
    assert repeats.frozen == ()
