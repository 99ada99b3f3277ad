"""A clip's thumbnail, cropped to the imaging area: what is burned in around it does not show."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from fascnet.types import PixelBox

LONGER_SIDE_PX = 160
"""Large enough to tell muscle from screen furniture, small enough for a thousand on a page."""

JPEG_QUALITY = 60
"""Of 100; about 3 kB a picture."""


def draw_thumbnail(image: NDArray[np.uint8], box: PixelBox) -> bytes:
    """Cut a frame to its imaging area and make it small.

    Args:
        image: uint8 (H, W).
        box: the imaging area.

    Returns:
        A JPEG file of at most `LONGER_SIDE_PX` pixels a side, without any metadata.
    """
    x0, y0, x1, y1 = box
    crop = image[y0:y1, x0:x1]
    scale = min(1.0, LONGER_SIDE_PX / max(crop.shape))
    size = (max(1, round(crop.shape[1] * scale)), max(1, round(crop.shape[0] * scale)))
    small = cv2.resize(crop, size, interpolation=cv2.INTER_AREA)
    _, encoded = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return bytes(encoded.tobytes())
