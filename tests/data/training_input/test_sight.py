from __future__ import annotations

import itertools

import numpy as np
import torch

from fascnet.data.training_input.sight import END_TICKS, FirstSight
from fascnet.models.motion import END_OF_CLIP, MotionFrontEnd
from tests.data.tiny import make_frames

IMAGES = make_frames(20, 0, range(6, 12))
DT_S = np.full(20, 1 / 30)


def test_all_ticks_and_the_empty_ones_behind_are_shown() -> None:
    sight = FirstSight(MotionFrontEnd())
    pieces = [(IMAGES[a:b], DT_S[a:b]) for a, b in itertools.pairwise((0, 7, 20))]
    shown = np.concatenate(list(sight.show(pieces)))
    images = np.concatenate([IMAGES, np.repeat(IMAGES[-1:], END_TICKS, axis=0)])
    dt_s = np.concatenate([DT_S, np.full(END_TICKS, END_OF_CLIP)])
    with torch.inference_mode():
        grey = torch.from_numpy(images[None]).float() / 255
        whole = MotionFrontEnd()(grey, torch.from_numpy(dt_s[None]).float(), {})[0].numpy()
    assert len(shown) == 20 + sight.n_behind
    np.testing.assert_allclose(shown, whole, atol=2e-3 * np.abs(whole).max())


def test_front_ends_that_differ_are_told_apart() -> None:
    names = {tuple(FirstSight(MotionFrontEnd(blur_taps=taps)).identity) for taps in (1, 3, 5)}
    assert len(names) == 3


def test_no_tick_shows_nothing() -> None:
    assert list(FirstSight(MotionFrontEnd()).show([])) == []
