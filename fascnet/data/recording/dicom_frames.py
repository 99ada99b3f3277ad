"""Decodes the frames of a DICOM cine one after the other, uncompressed or compressed picture by picture."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.encaps import encapsulate
from pydicom.pixels.decoders.base import get_decoder
from pydicom.pixels.utils import as_pixel_options
from pydicom.uid import (
    HTJ2K,
    JPEG2000,
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    HTJ2KLosslessRPCL,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

from fascnet.data.recording.codestream import read_codestream_size
from fascnet.data.recording.dicom_fragments import (
    Span,
    find_encoded_frames,
    find_native_frames,
    read_pixel_element,
    read_spans,
)
from fascnet.data.recording.dicom_grey import plan_grey
from fascnet.data.recording.dicom_header import DAMAGE, DicomFile, open_dicom
from fascnet.data.recording.held_frames import may_hold
from fascnet.data.recording.limits import REMEDY
from fascnet.errors import RecordingError

# One plug-in for each syntax, so that every machine decodes the same. gdcm, which is the only one for JPEG
# lossless, is kept from the others: pillow is 4.5 times as fast, and damaged streams never reach its C++.
PLUGINS: dict[str, str] = {
    JPEGBaseline8Bit: "pillow",
    JPEGExtended12Bit: "pillow",
    JPEGLossless: "gdcm",
    JPEGLosslessSV1: "gdcm",
    JPEGLSLossless: "pyjpegls",
    JPEGLSNearLossless: "pyjpegls",
    JPEG2000Lossless: "pylibjpeg",
    JPEG2000: "pylibjpeg",
    HTJ2KLossless: "pylibjpeg",
    HTJ2KLosslessRPCL: "pylibjpeg",
    HTJ2K: "pylibjpeg",
    RLELossless: "pylibjpeg",
}

_NATIVE = frozenset(
    {ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian}
)
"""Transfer syntaxes of uncompressed pixels."""

_LUMA_FIRST = frozenset({"YBR_FULL", "YBR_FULL_422"})
"""Their first sample is the luma of ITU-R BT.601, full range (DICOM PS3.3 C.7.6.3.1.2)."""


def is_picture_syntax(syntax: UID, bits_stored: int) -> bool:
    """Whether `decode_pictures` reads this transfer syntax with samples of so many bits."""
    # No plug-in decodes JPEG Extended of 12 bits.
    return syntax in _NATIVE or (syntax in PLUGINS and (syntax != JPEGExtended12Bit or bits_stored == 8))


def decode_pictures(
    path: Path, shape: tuple[int, int], n_frames: int, fps: float
) -> Iterator[NDArray[np.uint8] | None]:
    """Yield the frames of a cine as luma, uint8 (H, W); None where the one before stands for a damaged one.

    Args:
        path: the file.
        shape: (H, W) that its header says.
        n_frames: number of frames that its header says.
        fps: frames per second.

    Raises:
        RecordingError: more than a few frames are damaged or of another size (`held_frames.may_hold`), or the
            file ends early; those before are sound.
    """
    with open_dicom(path) as file:
        try:
            decode, spans = _plan(file, shape, n_frames)
        except DAMAGE as error:
            raise RecordingError(f"{path}: its pixel data are damaged or cut short; {REMEDY}") from error
        n_sound = n_held = n_lost = 0
        failure: RecordingError | None = None
        for count, pieces in enumerate(spans):
            image = None
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # pydicom's warnings quote header values
                    image = decode(read_spans(file.stream, pieces))
                if image.shape != shape:
                    raise ValueError("another size than the header says")
            except DAMAGE:
                n_lost += 1
                if failure is None:
                    failure = RecordingError(f"{path}: frame {count} cannot be decoded; {REMEDY}")
                if n_sound == 0 or not may_hold(n_lost, n_held, n_sound, fps):
                    break
                continue
            yield from [None] * n_lost
            n_held, n_lost, failure = n_held + n_lost, 0, None
            yield image
            n_sound += 1
        if failure is not None:
            raise failure
        if len(spans) < n_frames:
            raise RecordingError(f"{path}: ends after {len(spans)} of {n_frames} frames; {REMEDY}")


def _plan(
    file: DicomFile, shape: tuple[int, int], n_frames: int
) -> tuple[Callable[[bytes], NDArray[np.uint8]], list[list[Span]]]:
    """Return how bytes become a frame, and where each frame's bytes lie."""
    header = file.header
    element = read_pixel_element(file)
    options = as_pixel_options(header)
    options.pop("extended_offsets", None)
    options |= {"number_of_frames": 1, "pixel_keyword": "PixelData", "pixel_vr": element.vr}
    to_luma = _plan_luma(header)
    decoder = get_decoder(file.syntax)
    if file.syntax not in _NATIVE:

        def decode_encoded(data: bytes) -> NDArray[np.uint8]:
            # Decoders allocate what a codestream claims: it must claim what the header says.
            if file.syntax != RLELossless and read_codestream_size(data) != shape:
                raise ValueError("size")
            item = encapsulate([data], has_bot=False)
            array, facts = decoder.as_array(
                item, index=0, raw=True, decoding_plugin=PLUGINS[file.syntax], **options
            )
            return to_luma(array, str(facts["photometric_interpretation"]))

        return decode_encoded, find_encoded_frames(file, element, n_frames)

    samples, bits = int(header.SamplesPerPixel), int(header.BitsAllocated)
    if bits not in {8, 16, 32}:
        raise ValueError(f"BitsAllocated {bits}")
    frame_bytes = shape[0] * shape[1] * samples * bits // 8
    if str(header.PhotometricInterpretation) == "YBR_FULL_422":
        # Two pixels share their colours; some writers say so and store them all the same.
        if element.length is not None and element.length >= frame_bytes * n_frames:
            options["photometric_interpretation"] = "YBR_FULL"
        else:
            frame_bytes = frame_bytes * 2 // 3

    def decode_native(data: bytes) -> NDArray[np.uint8]:
        array, facts = decoder.as_array(data, index=0, raw=True, **options)
        return to_luma(array, str(facts["photometric_interpretation"]))

    return decode_native, [[span] for span in find_native_frames(file, element, frame_bytes, n_frames)]


def _plan_luma(header: Any) -> Callable[[NDArray[Any], str], NDArray[np.uint8]]:
    to_grey_levels = plan_grey(header)

    def to_luma(array: NDArray[Any], kind: str) -> NDArray[np.uint8]:
        if array.ndim == 3 and kind in _LUMA_FIRST and array.dtype == np.uint8:
            return np.ascontiguousarray(array[..., 0])
        return to_grey_levels(array)

    return to_luma
