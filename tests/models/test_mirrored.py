from __future__ import annotations

import pytest
import torch

from fascnet.models.mirrored import MirroredUNet
from tests.models.test_unet import make_clip, make_network


def test_a_mirrored_clip_has_the_mirrored_answer() -> None:
    network = make_network()
    # Whole blocks: what is replicated at the right edge would lie at the left one.
    images, dt_s = make_clip(12, 32, 48)
    with torch.no_grad():
        seen, _ = MirroredUNet(network)(images, dt_s)
        of_mirrored, _ = MirroredUNet(network)(images.flip(-1), dt_s)
        once, _ = network(images, dt_s)
    torch.testing.assert_close(of_mirrored.flip(-1), seen, atol=2e-3, rtol=0)
    assert (once - seen).abs().max() > 0.05


def test_the_answer_is_the_mean_of_both() -> None:
    network = make_network()
    images, dt_s = make_clip(12, 32, 48)
    with torch.no_grad():
        seen, _ = MirroredUNet(network)(images, dt_s)
        both = network(images, dt_s)[0] + network(images.flip(-1), dt_s)[0].flip(-1)
    torch.testing.assert_close(seen, both / 2, atol=2e-3, rtol=0)


@pytest.mark.parametrize("size", [(32, 48), (36, 44)])
def test_chunks_equal_the_whole_clip(size: tuple[int, int]) -> None:
    network = MirroredUNet(make_network())
    images, dt_s = make_clip(17, *size)
    state, parts = None, []
    with torch.no_grad():
        whole, _ = network(images, dt_s)
        for first in range(0, 17, 5):
            part, state = network(images[:, first : first + 5], dt_s[:, first : first + 5], state)
            parts.append(part)
    assert whole.shape == (1, 17, size[0] // 4, size[1] // 4)
    torch.testing.assert_close(torch.cat(parts, dim=1), whole, atol=1e-4, rtol=0)
