from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from pydicom.pixels.processing import apply_color_lut, apply_windowing

from fascnet.data.recording.dicom import DicomRecording
from tests.data.recording.test_dicom import make_dataset, make_frames, read_images, save

PALETTE = ("Red", "Green", "Blue")


def make_deep(bits: int, signed: bool = False, seed: int = 0) -> np.ndarray:
    low, high = (-(1 << (bits - 1)), 1 << (bits - 1)) if signed else (0, 1 << bits)
    frames = np.random.default_rng(seed).integers(low, high, (3, 20, 30))
    return frames.astype(np.int16 if signed else np.uint16)


@pytest.mark.parametrize("bits", [9, 10, 12, 16])
@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("kind", ["MONOCHROME1", "MONOCHROME2"])
def test_all_bits_are_spread_evenly(tmp_path: Path, bits: int, signed: bool, kind: str) -> None:
    frames = make_deep(bits, signed)
    dataset = make_dataset(frames, kind, BitsStored=bits, HighBit=bits - 1, PixelRepresentation=int(signed))
    lowest = -(2 ** (bits - 1)) if signed else 0
    expected = np.rint((frames.astype(float) - lowest) * 255 / (2**bits - 1))
    read = read_images(save(dataset, tmp_path / "a.dcm"))
    assert np.array_equal(read, 255 - expected if kind == "MONOCHROME1" else expected)


@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT", "SIGMOID"])
@pytest.mark.parametrize("rescale", [{}, {"RescaleSlope": "2", "RescaleIntercept": "-1000"}])
def test_windows_as_pydicom_applies_them(tmp_path: Path, function: str, rescale: dict[str, Any]) -> None:
    frames = make_deep(12)
    window = {"WindowCenter": "700", "WindowWidth": "900", "VOILUTFunction": function}
    dataset = make_dataset(frames, BitsStored=12, HighBit=11, **window, **rescale)
    path = save(dataset, tmp_path / "a.dcm")
    slope, intercept = float(rescale.get("RescaleSlope", 1)), float(rescale.get("RescaleIntercept", 0))
    shown = apply_windowing(frames * slope + intercept, dataset)
    # pydicom answers in the range of the stored bits after rescaling.
    low, high = intercept, 4095 * slope + intercept
    assert np.array_equal(read_images(path), np.rint((shown - low) * 255 / (high - low)))
    assert any("by the window" in note for note in DicomRecording(path).notes)


@pytest.mark.parametrize(
    "window", [{"WindowCenter": "100", "WindowWidth": "0"}, {"WindowCenter": "100"}, {"WindowWidth": "-5"}]
)
def test_useless_windows_are_left_alone(tmp_path: Path, window: dict[str, str]) -> None:
    frames = make_deep(10)
    path = save(make_dataset(frames, BitsStored=10, HighBit=9, **window), tmp_path / "a.dcm")
    assert np.array_equal(read_images(path), np.rint(frames * 255.0 / 1023))
    assert any("evenly" in note for note in DicomRecording(path).notes)


def test_the_first_of_several_windows_counts(tmp_path: Path) -> None:
    frames = make_deep(12)
    several = make_dataset(
        frames, BitsStored=12, HighBit=11, WindowCenter=["700", "9"], WindowWidth=["900", "1"]
    )
    one = make_dataset(frames, BitsStored=12, HighBit=11, WindowCenter="700", WindowWidth="900")
    assert np.array_equal(
        read_images(save(several, tmp_path / "a.dcm")), read_images(save(one, tmp_path / "b.dcm"))
    )


def test_8_bit_samples_stay_as_stored(tmp_path: Path) -> None:
    frames = make_frames()
    path = save(make_dataset(frames, WindowCenter="60", WindowWidth="40"), tmp_path / "a.dcm")
    assert np.array_equal(read_images(path), frames)
    assert DicomRecording(path).notes == ()


def test_8_bits_in_16_with_dirt_above(tmp_path: Path) -> None:
    frames = make_frames().astype(np.uint16)
    dataset = make_dataset(frames + 0x3300, BitsStored=8, HighBit=7)
    assert np.array_equal(read_images(save(dataset, tmp_path / "a.dcm")), frames)


def grey_of(rgb: np.ndarray) -> np.ndarray:
    return np.stack([cv2.cvtColor(np.ascontiguousarray(frame), cv2.COLOR_RGB2GRAY) for frame in rgb])


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("first", [0, 20])
def test_palettes_as_pydicom_applies_them(tmp_path: Path, bits: int, first: int) -> None:
    frames = make_frames()
    dataset = make_dataset(frames, "PALETTE COLOR")
    rng = np.random.default_rng(4)
    for colour in PALETTE:
        table = rng.integers(0, 2**bits, 200).astype(np.uint8 if bits == 8 else np.uint16)
        setattr(dataset, f"{colour}PaletteColorLookupTableDescriptor", [200, first, bits])
        setattr(dataset, f"{colour}PaletteColorLookupTableData", table.tobytes())
    shown = apply_color_lut(frames, dataset)
    shown = shown.astype(np.uint8) if bits == 8 else (shown >> 8).astype(np.uint8)
    assert np.array_equal(read_images(save(dataset, tmp_path / "a.dcm")), grey_of(shown))


def test_8_bit_levels_in_a_16_bit_palette(tmp_path: Path) -> None:
    frames = make_frames()
    dataset = make_dataset(frames, "PALETTE COLOR")
    for colour in PALETTE:
        setattr(dataset, f"{colour}PaletteColorLookupTableDescriptor", [256, 0, 16])
        setattr(dataset, f"{colour}PaletteColorLookupTableData", np.arange(256, dtype=np.uint16).tobytes())
    assert np.array_equal(read_images(save(dataset, tmp_path / "a.dcm")), frames)


def test_segmented_palette(tmp_path: Path) -> None:
    frames = make_frames()
    dataset = make_dataset(frames, "PALETTE COLOR")
    # One point at 0, then a straight line over 255 entries to 65535 (DICOM PS3.3 C.7.9.2).
    segments = np.array([0, 1, 0, 1, 255, 65535], np.uint16).tobytes()
    for colour in PALETTE:
        setattr(dataset, f"{colour}PaletteColorLookupTableDescriptor", [256, 0, 16])
        setattr(dataset, f"Segmented{colour}PaletteColorLookupTableData", segments)
    assert np.abs(read_images(save(dataset, tmp_path / "a.dcm")).astype(int) - frames).max() <= 1


def test_deep_colours(tmp_path: Path) -> None:
    rgb = np.random.default_rng(0).integers(0, 65536, (2, 10, 12, 3), dtype=np.uint16)
    read = read_images(save(make_dataset(rgb, "RGB"), tmp_path / "a.dcm"))
    assert np.abs(read - grey_of(np.rint(rgb / 257).astype(np.uint8))).max() == 0
