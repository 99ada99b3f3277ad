"""Finds the box of the ultrasound picture among screen furniture: text, rulers, grey bars, flat borders."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from fascnet.data.screen.captions import cut_captions
from fascnet.data.screen.picture_area import PictureArea, find_picture, make_box_polygon
from fascnet.types import PixelBox

EDGE_SHARE = 0.02
"""An area that ends within this share of the frame's width of its left and right edge fills the width."""


def find_imaging_area(frames: NDArray[np.uint8]) -> PixelBox:
    """Return the box of the ultrasound picture; the whole frame when there is nothing to be found.

    Args:
        frames: uint8 (N, H, W), N >= 1, a few frames of one clip.

    Returns:
        (x0, y0, x1, y1), half-open stored pixels, never empty.
    """
    return settle_area(frames, find_picture(frames)).box


def settle_area(frames: NDArray[np.uint8], area: PictureArea) -> PictureArea:
    """Set the upper and lower end of a picture with straight sides: shadows belong to it, captions do not.

    Args:
        frames: uint8 (N, H, W) in which it was found.
        area: the picture; one that is no box is returned as it is, for its outline leaves out captions.
    """
    if area.kind not in {"linear", "whole"}:
        return area
    x0, y0, x1, y1 = area.box
    height, width = frames.shape[1:]
    if x0 <= EDGE_SHARE * width and x1 >= (1 - EDGE_SHARE) * width:
        # No furniture beside the picture: dark rows below it, even flat ones, are a shadow and part of it,
        # unless there is a bar above as well.
        y1 = height if y0 == 0 else y1
    box = cut_captions(frames, (x0, y0, x1, y1))
    return area if box == area.box else replace(area, box=box, polygon=make_box_polygon(box))
