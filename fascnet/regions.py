"""Where things are in a picture, in pixels of the recording as stored (see `fascnet.types`). Frozen."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

PixelBox = tuple[int, int, int, int]
"""Half-open box (x0, y0, x1, y1) in stored pixels."""


@dataclass(frozen=True, slots=True)
class Polygon:
    """A closed outline in stored pixels.

    Attributes:
        points: at least three (x, y) corners; the last joins the first.
    """

    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Box:
    """An upright rectangle in stored pixels, (x0, y0) top left and (x1, y1) bottom right."""

    x0: float
    y0: float
    x1: float
    y1: float


@dataclass(frozen=True, slots=True)
class Point:
    """One place in stored pixels: what a rater clicked, or the centre of a detection."""

    x: float
    y: float


@dataclass(frozen=True, slots=True)
class MaskFile:
    """A mask picture (non-zero = inside) of the recording's size, in a file beside the label file."""

    path: Path


Region = Polygon | Box | Point | MaskFile
