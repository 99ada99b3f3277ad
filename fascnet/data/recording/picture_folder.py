"""A folder of pictures, one a frame, as a recording."""

from __future__ import annotations

import re
import struct
import warnings
import zlib
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fascnet.data.recording.held_frames import may_hold
from fascnet.data.recording.limits import REMEDY, check_rate, check_size, spread_times
from fascnet.data.recording.luma import to_grey
from fascnet.data.recording.opened import choose_spacing, make_info
from fascnet.data.recording.sidecar import SIDECAR
from fascnet.errors import RecordingError
from fascnet.types import Frame, PixelBox, RecordingInfo

PICTURE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff"})

_FORMATS = ("PNG", "JPEG", "BMP", "TIFF")

# What Pillow raises on damaged pictures.
_DAMAGE = (
    AttributeError,
    EOFError,
    IndexError,
    KeyError,
    MemoryError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    ZeroDivisionError,
    Image.DecompressionBombError,
    struct.error,
    zlib.error,
)

_NUMBER = re.compile(r"(\d+)")


class PictureFolder:
    """A folder of at least two pictures of one size; their natural order is the order of time.

    Args:
        path: the folder; its subfolders are not looked into.
        fps: frame rate; pictures hold none, so that it must be given, here or in the folder's
            `recording.json`.
        mm_per_px: pixel spacing.
        box: imaging area, the whole image if None.
        given_by: who gave `mm_per_px`: `manifest` or `sidecar`.

    Raises:
        RecordingError: no folder, fewer than two pictures, two of one name, an unreadable first picture, or
            no frame rate.
    """

    def __init__(
        self,
        path: Path,
        *,
        fps: float | None = None,
        mm_per_px: float | None = None,
        box: PixelBox | None = None,
        given_by: str = "manifest",
    ) -> None:
        self._path = path
        self._pictures = _list_pictures(path)
        if fps is None:
            raise RecordingError(
                f"{path}: its {len(self._pictures)} pictures say no frame rate; give it in the fps column of "
                f'a manifest.csv, or write {{"fps": 25}} with the true rate into {SIDECAR} beside them'
            )
        check_rate(f"{path}", fps, given=True)
        height, width = _read_picture(self._pictures[0]).shape
        self._info = make_info(
            height=height,
            width=width,
            n_frames=len(self._pictures),
            fps=fps,
            duration_s=None,
            spacing=choose_spacing(mm_per_px, given_by, None, ""),
            box=box,
        )

    @property
    def path(self) -> Path:
        """The folder."""
        return self._path

    @property
    def files(self) -> tuple[Path, ...]:
        """The pictures, in order of time."""
        return tuple(self._pictures)

    @property
    def info(self) -> RecordingInfo:
        """What is known about the pictures."""
        return self._info

    @property
    def times_s(self) -> NDArray[np.float64]:
        """(T,) seconds of every picture, first 0."""
        return spread_times(len(self._pictures), self._info.fps)

    @property
    def notes(self) -> tuple[str, ...]:
        """Whether numbers in the names are missing, which would make times wrong."""
        return tuple(_find_missing(self._pictures))

    def frames(self) -> Iterator[Frame]:
        """Yield the frames in order of time, reading as they are asked for. Each call starts anew.

        Raises:
            RecordingError: more than a few pictures are unreadable (`held_frames.may_hold`), or one is of
                another size; frames already yielded are sound.
        """
        shape, fps = (self._info.height, self._info.width), self._info.fps
        held: NDArray[np.uint8] | None = None
        n_sound = n_held = n_lost = 0
        failure: RecordingError | None = None
        for index, picture in enumerate(self._pictures):
            try:
                image = _read_picture(picture)
            except RecordingError as error:
                failure, n_lost = error if failure is None else failure, n_lost + 1
                if held is None or not may_hold(n_lost, n_held, n_sound, fps):
                    break
                continue
            if image.shape != shape:
                raise RecordingError(
                    f"{picture}: has {image.shape[1]}x{image.shape[0]} pixels, the first picture "
                    f"{shape[1]}x{shape[0]}; keep one recording to a folder"
                )
            if held is not None:
                for late in range(index - n_lost, index):
                    yield Frame(late, late / fps, held, held=True)
            n_held, n_lost, failure = n_held + n_lost, 0, None
            held = image
            n_sound += 1
            yield Frame(index, index / fps, image)
        if failure is not None:
            raise failure


def sort_naturally(names: Sequence[str]) -> list[str]:
    """Sort names so that numbers in them count as numbers: frame_2 before frame_10."""
    return sorted(names, key=lambda name: ([_split(part) for part in _NUMBER.split(name.lower())], name))


def _split(part: str) -> tuple[int, str]:
    # Digits are compared by value; a name of thousands of digits would be slow to turn into a number.
    return (int(part), "") if part.isdecimal() and len(part) < 19 else (-1, part)


def _list_pictures(path: Path) -> list[Path]:
    try:
        entries = [
            entry.name
            for entry in path.iterdir()
            if entry.suffix.lower() in PICTURE_SUFFIXES and not entry.name.startswith(".")
        ]
    except OSError as error:
        raise RecordingError(f"{path}: cannot be read ({error.strerror}); check the path") from error
    names = sort_naturally(entries)
    stems: dict[str, str] = {}
    for name in names:
        twin = stems.setdefault(Path(name).stem, name)
        if twin != name:
            raise RecordingError(f"{path}: holds both {twin} and {name}; keep one")
    if len(names) < 2:
        raise RecordingError(
            f"{path}: is a folder of {len(names)} pictures, not a clip; name one with its frames, or a file"
        )
    return [path / name for name in names]


def _find_missing(pictures: Sequence[Path]) -> Iterator[str]:
    """Say where the last numbers of the names do not follow each other evenly."""
    numbers = [_NUMBER.findall(picture.stem)[-1:] for picture in pictures]
    if not all(numbers):
        return
    values = [int(number[0][-18:]) for number in numbers]
    steps = [other - one for one, other in pairwise(values)]
    usual = max(set(steps), key=steps.count)
    for index, step in enumerate(steps):
        if step != usual:
            yield (
                f"the numbers of its pictures go on by {usual}, but by {step} after {pictures[index].name}: "
                "times after it are wrong if pictures are missing"
            )
            return
    if usual != 1:
        yield f"the numbers of its pictures go on by {usual}; fps must be the rate of those that are there"


def _read_picture(path: Path) -> NDArray[np.uint8]:
    """Read a picture as luma, uint8 (H, W); transparency is ignored, 16-bit grey is brought to 8 bits."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(path, formats=_FORMATS) as image:
                check_size(f"{path}", image.height, image.width)
                if image.mode.startswith("I;16"):
                    # 65535 / 255 = 257: the scaling of PNG from 16 to 8 bits.
                    return np.asarray(np.rint(np.asarray(image, np.uint16) / 257.0), np.uint8)
                if image.mode in {"L", "1"}:
                    return np.array(image.convert("L"), np.uint8)
                return to_grey(np.asarray(image.convert("RGB"), np.uint8))
    except _DAMAGE as error:
        raise RecordingError(f"{path}: is not a readable picture; {REMEDY}") from error
