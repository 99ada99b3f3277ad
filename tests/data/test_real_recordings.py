"""Every real recording: counts, rates and spacings of the data's README, and a second decoder's pixels."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pydicom
import pytest

from fascnet.data.recording.find_clips import find_clips
from fascnet.data.recording.recordings import open_recording
from fascnet.errors import RecordingError

pytestmark = pytest.mark.real

# name: frames, frames/s, mm/px, (width, height)
RECORDINGS = {
    "muscle/gm_p6_isometric_max_01_push_01.mp4": (197, 61.0, None, (1148, 624)),
    "muscle/gm_p6_isokinetic030_01_push_01.mp4": (133, 61.0, None, (1148, 624)),
    "muscle/gm_p6_isokinetic500_01_push_01.mp4": (59, 61.0, None, (1148, 624)),
    "muscle/gm_p6_passive_ROM_01_push_01.mp4": (394, 61.0, None, (1148, 624)),
    "muscle/flowave_brachial_DemoBMode.mov": (450, 29.97, None, (640, 480)),
    "muscle/derived/flowave_brachial_DemoBMode_streamcopy.avi": (450, 29.97, None, (640, 480)),
    "muscle/derived/plus_BoneUltrasound_L14_ffv1_gray.avi": (21, 11.6, None, (820, 616)),
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


@pytest.mark.parametrize("name", RECORDINGS)
def test_counts_rates_and_spacings(real_data: Path, name: str) -> None:
    n_frames, fps, mm_per_px, (width, height) = RECORDINGS[name]
    recording = open_recording(real_data / name)
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
    assert min(contrast) > 3


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("dicom/dcm4che_YBR_422_single.dcm", "single image"),
        ("muscle/plus_BoneUltrasound_L14.igs.mha", "MetaImage"),
    ],
)
def test_what_is_not_read_says_why(real_data: Path, name: str, says: str) -> None:
    with pytest.raises(RecordingError, match=says):
        open_recording(real_data / name)


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
    for frame in open_recording(real_data / name).frames():
        there, image = other.read()
        assert there
        grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
        assert np.abs(grey.astype(int) - frame.image).mean() <= mean_difference
    assert not other.read()[0]


def test_uneven_dicom_times(real_data: Path) -> None:
    path = real_data / "dicom/dicomParser_IM00001_implicit_le_rgb.dcm"
    times_ms = [1000 * frame.time_s for frame in open_recording(path).frames()]
    vector = [float(v) for v in pydicom.dcmread(path, stop_before_pixels=True).FrameTimeVector]
    assert np.diff(times_ms) == pytest.approx(vector[1:])
    assert max(vector[1:]) > 1.4 * min(vector[1:])


def test_one_cine_in_two_syntaxes(real_data: Path) -> None:
    lossy = open_recording(real_data / "dicom/dicomParser_IM00001_fragmented_no_bot_jpeg50.dcm").frames()
    lossless = open_recording(real_data / "dicom/dicomParser_IM00001_implicit_le_rgb.dcm").frames()
    for one, other in zip(lossy, lossless, strict=True):
        difference = np.abs(one.image.astype(int) - other.image)
        # Colours converted twice would differ by tens of levels.
        assert difference.mean() < 6
        assert one.time_s == other.time_s


def test_imaging_areas(real_data: Path) -> None:
    expected = {
        "muscle/gm_p6_passive_ROM_01_push_01.mp4": (209, 42, 939, 624),
        "muscle/neurosense_sample2_first15s.mp4": (0, 0, 420, 352),
        "muscle/derived/plus_BoneUltrasound_L14_ffv1_gray.avi": (175, 0, 644, 616),
        "device_export/itkpocus_butterfly-ocular-phantom.mp4": (78, 199, 690, 891),
        "dicom/deid_GREYSCALE_CINE.dcm": (10, 31, 789, 593),
    }
    for name, box in expected.items():
        assert np.abs(np.array(open_recording(real_data / name).info.box) - box).max() <= 6, name


def test_every_recording_of_the_folder_is_found(real_data: Path) -> None:
    found = {clip.path.relative_to(real_data).as_posix() for clip in find_clips(real_data)}
    assert found >= set(RECORDINGS)
