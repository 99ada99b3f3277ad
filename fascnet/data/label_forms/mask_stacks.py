"""Masks frame by frame with a number for each event: NIfTI volumes and folders of PNG pictures."""

from __future__ import annotations

import math
import re
import zlib
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fascnet.data.label_forms.file_limits import check_file_size
from fascnet.data.label_forms.frame_clock import FrameClock
from fascnet.data.label_forms.rater_events import FormContents, FormEvent, FormRegion, FrameSpan, RaterEvents
from fascnet.data.label_forms.shapes import crop_mask, join_regions, span_frames
from fascnet.errors import LabelError
from fascnet.types import FASCICULATION

LAYOUTS = ("thw", "hwt", "wht")
NIFTI_SUFFIXES = (".nii", ".nii.gz")

_MAX_VOLUME_BYTES = 512 * 2**20
_MAX_IDS = 10_000

# What nibabel raises on damaged files, beside its own ImageFileError.
_NIFTI_ERRORS = (OSError, ValueError, KeyError, TypeError, EOFError, OverflowError, MemoryError, zlib.error)


def find_nifti_name(path: Path) -> str:
    """Return what a volume is named for: its file name without `.nii` or `.nii.gz`."""
    name = path.name.lower()
    suffix = next((one for one in NIFTI_SUFFIXES if name.endswith(one)), "")
    return path.name[: len(path.name) - len(suffix)]


def read_nifti(path: Path, clock: FrameClock, layout: str, words: Collection[str]) -> FormContents:
    """Read a volume of numbers, 0 for nothing: each number in following frames is an event.

    Args:
        path: `.nii` or `.nii.gz`, of the recording's size.
        clock: of the recording.
        layout: order of the axes, `thw`, `hwt` or `wht` (as ITK-SNAP writes), or `auto`: the only one that
            fits the recording.
        words: numbers, such as `2`, whose meaning the user gives; the others are fasciculations.

    Raises:
        LabelError: damaged, too large, of another size than the recording, or no numbers of events.
    """
    import nibabel  # noqa: PLC0415 - slow to import, needed for few files
    from nibabel.filebasedimages import ImageFileError  # noqa: PLC0415

    check_file_size(path)
    try:
        image: Any = nibabel.load(path)
        shape = tuple(int(n) for n in image.shape)
        item_bytes = int(image.get_data_dtype().itemsize)
    except (*_NIFTI_ERRORS, ImageFileError) as error:
        raise LabelError(f"{path}: is no readable NIfTI file; save it again") from error
    while len(shape) > 3 and shape[-1] == 1:
        shape = shape[:-1]
    # The header is a claim: it is checked before memory is taken for it.
    if len(shape) != 3 or min(shape) < 1 or math.prod(shape) * item_bytes > _MAX_VOLUME_BYTES:
        raise LabelError(
            f"{path}: has {'x'.join(str(n) for n in shape)} values of {item_bytes} bytes; save three axes as "
            f"uint8, at most {_MAX_VOLUME_BYTES >> 20} MiB"
        )
    order = _choose_layout(path, shape, clock, layout)
    try:
        values = np.asanyarray(image.dataobj).reshape(shape)
    except (*_NIFTI_ERRORS, ImageFileError) as error:
        raise LabelError(f"{path}: breaks off or is damaged; save it again") from error
    stack = values.transpose([order.index(axis) for axis in "thw"])
    numbered = ((frame, _take_ids(stack[frame], path)) for frame in range(len(stack)))
    events = tuple(_find_events(numbered, words, f"{path}"))
    return FormContents((RaterEvents((find_nifti_name(path),), f"{path}", events),))


def read_png_masks(folder: Path, clock: FrameClock, first_frame: int, words: Collection[str]) -> FormContents:
    """Read a folder of pictures of numbers, 0 for nothing, one a frame; the frame is the number in the name.

    What was examined are the frames that have a picture.

    Args:
        folder: pictures of the recording's size, 8 or 16 bits grey, or with a palette whose index counts.
        clock: of the recording.
        first_frame: the number that the recording's first frame has in the names.
        words: as for `read_nifti`.

    Raises:
        LabelError: no pictures, a name without number, a colour picture, or another size.
    """
    paths = sorted(
        path for path in folder.iterdir() if path.suffix.lower() == ".png" and not path.name.startswith(".")
    )
    numbered: dict[int, Path] = {}
    for path in paths:
        found = re.findall(r"\d+", path.stem)
        if not found or len(found[-1]) > 8:
            raise LabelError(f"{path}: has no frame number in its name; name it such as frame_000012.png")
        frame = int(found[-1]) - first_frame
        if frame < 0 or frame in numbered:
            raise LabelError(
                f"{path}: is frame {frame}, which {'cannot be' if frame < 0 else 'is there twice'}; "
                "give the number of the first as first_frame"
            )
        numbered[frame] = path
    if not numbered:
        raise LabelError(f"{folder}: holds no PNG pictures; name the folder of a clip's masks")
    frames = sorted(numbered)
    pictures = ((frame, _read_picture(numbered[frame], clock)) for frame in frames)
    events = tuple(_find_events(pictures, words, f"{folder}"))
    return FormContents(
        (RaterEvents((folder.name,), f"{folder}", events, examined=tuple(span_frames(frames, 1))),)
    )


def _choose_layout(path: Path, shape: tuple[int, ...], clock: FrameClock, layout: str) -> str:
    if clock.width is None or clock.height is None:
        raise LabelError(f"{path}: the order of its axes needs the recording, which is not there")
    sizes = {"t": clock.n_frames, "h": clock.height, "w": clock.width}
    fitting = [one for one in LAYOUTS if tuple(sizes[axis] for axis in one) == shape]
    if layout != "auto":
        fitting = [one for one in fitting if one == layout]
    wanted = f"{clock.n_frames} frames of {clock.width}x{clock.height}"
    if not fitting:
        raise LabelError(
            f"{path}: is {'x'.join(str(n) for n in shape)}, the recording {wanted}; save it at that size"
        )
    if len(fitting) > 1:
        raise LabelError(
            f"{path}: fits the recording ({wanted}) in the orders {', '.join(fitting)}; give layout=…"
        )
    return fitting[0]


def _take_ids(values: NDArray[np.generic], path: Path) -> NDArray[np.int64]:
    if values.dtype.kind not in "biuf":
        raise LabelError(f"{path}: holds no numbers; save events as 1, 2, ... in uint8")
    if values.dtype.kind == "f":
        numbers = np.asarray(values, np.float64)
        if not np.isfinite(numbers).all() or (numbers != np.rint(numbers)).any():
            raise LabelError(f"{path}: holds numbers that are not whole; save events as 1, 2, ... in uint8")
    ids = np.asarray(values, np.int64)
    if ids.size and (int(ids.min()) < 0 or int(ids.max()) > 2**31):
        raise LabelError(
            f"{path}: holds {int(ids.min())} to {int(ids.max())}; save events as 1, 2, ... in uint8"
        )
    return ids


def _read_picture(path: Path, clock: FrameClock) -> NDArray[np.int64]:
    from PIL import Image, UnidentifiedImageError  # noqa: PLC0415

    check_file_size(path)
    try:
        with Image.open(path) as picture:
            if clock.width is not None and picture.size != (clock.width, clock.height):
                raise LabelError(
                    f"{path}: is {picture.size[0]}x{picture.size[1]}, the recording "
                    f"{clock.width}x{clock.height}; save it at that size"
                )
            if picture.mode not in {"1", "L", "P", "I", "I;16", "I;16B"}:
                raise LabelError(f"{path}: is a picture in colour; save the numbers of events as 8-bit grey")
            values = np.asarray(picture)
    except UnidentifiedImageError as error:
        raise LabelError(f"{path}: is no picture; save it as PNG") from error
    except (OSError, ValueError, SyntaxError, zlib.error, Image.DecompressionBombError) as error:
        raise LabelError(f"{path}: is damaged; save it again") from error
    return _take_ids(values, path)


def _find_events(
    numbered: Iterable[tuple[int, NDArray[np.int64]]], words: Collection[str], where: str
) -> Iterator[FormEvent]:
    """Yield an event for each number in following frames, with the area that it ever covers."""
    open_runs: dict[int, tuple[int, int, FormRegion]] = {}
    for frame, ids in numbered:
        present = [int(one) for one in np.unique(ids) if one]
        if len(present) > _MAX_IDS:
            raise LabelError(f"{where}: frame {frame} holds {len(present)} numbers; these are no events")
        for number in [one for one, run in open_runs.items() if one not in present or run[1] < frame]:
            yield _close(open_runs.pop(number), number, words, where)
        for number in present:
            mask = crop_mask(ids == number)
            if mask is None:
                continue
            start, _, region = open_runs.get(number, (frame, frame, mask))
            joined = region if region is mask else join_regions([region, mask], where)
            open_runs[number] = (start, frame + 1, joined)
    for number, run in sorted(open_runs.items()):
        yield _close(run, number, words, where)


def _close(run: tuple[int, int, FormRegion], number: int, words: Collection[str], where: str) -> FormEvent:
    start, stop, region = run
    label = str(number) if str(number) in words else FASCICULATION
    return FormEvent(FrameSpan(start, stop), f"{where} number {number} frame {start}", region, label)
