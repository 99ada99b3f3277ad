from __future__ import annotations

import cv2
import numpy as np
import pytest

from fascnet.data.clip_set.thumbnail import LONGER_SIDE_PX, draw_thumbnail

from .moving import make_moving


def test_only_the_imaging_area_is_shown() -> None:
    image = np.zeros((300, 400), np.uint8)
    image[:40] = 255  # a name, burned in above
    image[40:280, 50:370] = 90
    picture = cv2.imdecode(
        np.frombuffer(draw_thumbnail(image, (50, 40, 370, 280)), np.uint8), cv2.IMREAD_UNCHANGED
    )
    assert picture.shape == (120, LONGER_SIDE_PX)
    assert abs(picture.astype(int) - 90).max() <= 3


@pytest.mark.parametrize("box", [(0, 0, 96, 64), (10, 5, 11, 60), (3, 3, 4, 4)])
def test_any_box_gives_a_small_picture(box: tuple[int, int, int, int]) -> None:
    data = draw_thumbnail(make_moving(0, 1)[0], box)
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    assert picture.shape == (box[3] - box[1], box[2] - box[0])
    assert len(data) < 8000 and b"Exif" not in data
