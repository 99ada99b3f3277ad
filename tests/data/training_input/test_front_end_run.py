from __future__ import annotations

import itertools

import numpy as np
import torch

from fascnet.data.training_input.front_end_run import FrontEndRun
from fascnet.models.motion import MotionFrontEnd
from tests.data.tiny import make_frames

N_TICKS = 30
IMAGES = make_frames(N_TICKS, 0, range(10, 16))
DT_S = np.full(N_TICKS, 1 / 30)


def test_pieces_of_any_length_give_what_the_front_end_gives_for_the_clip() -> None:
    with torch.inference_mode():
        grey = torch.from_numpy(IMAGES[None]).float() / 255
        whole = MotionFrontEnd()(grey, torch.from_numpy(DT_S[None]).float(), {})[0].numpy()
    running = FrontEndRun(MotionFrontEnd())
    ends = (0, 1, 9, 25, N_TICKS)
    pieces = [running.measure(IMAGES[a:b], DT_S[a:b]) for a, b in itertools.pairwise(ends)]
    assert np.abs(whole).max() > 0.1
    np.testing.assert_allclose(np.concatenate(pieces), whole, atol=2e-3 * np.abs(whole).max())


def test_what_was_padded_is_cut_off() -> None:
    measured = FrontEndRun(MotionFrontEnd()).measure(IMAGES[:4, :44, :60], DT_S[:4])
    assert measured.dtype == np.float16
    assert measured.shape == (4, MotionFrontEnd.N_CHANNELS, 11, 15)
