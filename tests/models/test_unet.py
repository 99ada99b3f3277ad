from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from fascnet.models.motion import END_OF_CLIP, MotionFrontEnd
from fascnet.models.preprocessing import CELL_PX
from fascnet.models.unet import FasciculationUNet, pad_to_stride


def make_network(look_ahead: int = 2, widths: tuple[int, ...] = (4, 8)) -> FasciculationUNet:
    """A small network whose weights and statistics are random, so that every path matters."""
    torch.manual_seed(0)
    dilations = (1, 2, 1, 1)[: len(widths)]
    network = FasciculationUNet(widths, look_ahead=look_ahead, dilations=dilations)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            assert module.running_mean is not None and module.running_var is not None
            module.running_mean.normal_(0, 0.3)
            module.running_var.uniform_(0.5, 2.0)
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if name.endswith("taps"):
                parameter.normal_(0, 0.3)
    return network.eval()


def make_clip(n_ticks: int, height: int = 32, width: int = 40, seed: int = 0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    images = torch.randint(0, 256, (1, n_ticks, height, width), generator=generator, dtype=torch.uint8)
    dt_s = torch.full((1, n_ticks), 1 / 30)
    dt_s[:, 0] = 0.0
    return images, dt_s


@settings(max_examples=12)
@given(
    cuts=st.sets(st.integers(1, 17), max_size=17),
    held=st.sets(st.integers(1, 17), max_size=6),
    size=st.sampled_from([(32, 40), (36, 44), (44, 60)]),
    widths=st.sampled_from([(4, 8), (4, 6, 8)]),
)
def test_any_chunking_equals_the_whole_clip(
    cuts: set[int], held: set[int], size: tuple[int, int], widths: tuple[int, ...]
) -> None:
    network = make_network(widths=widths)
    images, dt_s = make_clip(18, *size)
    for tick in sorted(held):
        images[:, tick] = images[:, tick - 1]
        dt_s[:, tick] = 0.0
    dt_s[:, -2:] = END_OF_CLIP
    with torch.no_grad():
        whole, _ = network(images, dt_s)
        bounds = [0, *sorted(cuts), 18]
        state, parts = None, []
        for start, end in pairwise(bounds):
            part, state = network(images[:, start:end], dt_s[:, start:end], state)
            parts.append(part)
    assert torch.allclose(torch.cat(parts, dim=1), whole, atol=1e-5, rtol=0)
    assert whole.std() > 1e-3


def test_what_comes_later_changes_nothing_before() -> None:
    network = make_network()
    images, dt_s = make_clip(16)
    other = images.clone()
    other[:, 9:] = make_clip(16, seed=1)[0][:, 9:]
    with torch.no_grad():
        first, second = network(images, dt_s)[0], network(other, dt_s)[0]
    assert torch.equal(first[:, :9], second[:, :9])
    assert (first[:, 9] - second[:, 9]).abs().max() > 1e-3


def test_clips_of_a_batch_do_not_mix() -> None:
    network = make_network()
    (a, dt_s), (b, _) = make_clip(8), make_clip(8, seed=1)
    with torch.no_grad():
        both, _ = network(torch.cat([a, b]), dt_s.repeat(2, 1))
        alone, _ = network(b, dt_s)
    assert torch.allclose(both[1:], alone, atol=1e-5)


def test_the_given_state_is_not_changed() -> None:
    network = make_network()
    images, dt_s = make_clip(8)
    with torch.no_grad():
        _, state = network(images[:, :4], dt_s[:, :4])
        kept = {key: value.clone() for key, value in state.items()}
        again = [network(images[:, 4:], dt_s[:, 4:], state)[0] for _ in range(2)]
    assert torch.equal(*again)
    assert all(torch.equal(state[key], value) for key, value in kept.items())
    assert state.keys() == kept.keys()


@pytest.mark.parametrize("widths", [(4, 8), (4, 6, 8), (4, 4, 4, 4)])
@pytest.mark.parametrize("size", [(32, 32), (36, 52), (60, 44)])
def test_one_logit_per_cell_at_any_size(widths: tuple[int, ...], size: tuple[int, int]) -> None:
    images, dt_s = make_clip(3, *size)
    with torch.no_grad():
        logits, _ = make_network(widths=widths)(images, dt_s)
    assert logits.shape == (1, 3, size[0] // CELL_PX, size[1] // CELL_PX)
    assert torch.isfinite(logits).all()


def test_gradient_reaches_every_parameter() -> None:
    network = make_network(widths=(4, 6, 8)).train()
    images, dt_s = make_clip(12, 32, 48)
    logits, _ = network(images, dt_s)
    logits.square().mean().backward()
    silent = [n for n, p in network.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert silent == []


def test_floats_and_bytes_are_the_same_image() -> None:
    network = make_network()
    images, dt_s = make_clip(4)
    with torch.no_grad():
        assert torch.equal(network(images, dt_s)[0], network(images.float(), dt_s)[0])


def test_a_new_network_expects_few_twitches() -> None:
    torch.manual_seed(0)
    images, dt_s = make_clip(4)
    with torch.no_grad():
        logits, _ = FasciculationUNet((4, 8), dilations=(1, 1)).eval()(images, dt_s)
    assert 0.001 < torch.sigmoid(logits).mean() < 0.1


def test_padding_repeats_the_edge() -> None:
    grey = torch.arange(12.0).reshape(1, 1, 3, 4)
    padded = pad_to_stride(grey, 4)
    assert padded.shape == (1, 1, 4, 4)
    assert torch.equal(padded[0, 0, 3], padded[0, 0, 2])
    assert pad_to_stride(padded, 4) is padded


def test_groups_that_are_ignored_change_nothing() -> None:
    network = FasciculationUNet((4, 8), (1, 1), (), ignore=["displacement", "grey"]).eval()
    motion = torch.randn(1, 3, MotionFrontEnd.N_CHANNELS, 8, 8)
    other = motion.clone()
    for group in ("displacement", "grey"):
        other[:, :, MotionFrontEnd.GROUPS[group]] += 1.0
    seen = motion.clone()
    seen[:, :, MotionFrontEnd.GROUPS["velocity"]] += 1.0
    with torch.inference_mode():
        judged, same, different = (network.judge_motion(m, {}) for m in (motion, other, seen))
    assert torch.equal(judged, same)
    assert not torch.equal(judged, different)


def test_the_groups_name_every_channel_once() -> None:
    named = [
        index for part in MotionFrontEnd.GROUPS.values() for index in range(MotionFrontEnd.N_CHANNELS)[part]
    ]
    assert named == list(range(MotionFrontEnd.N_CHANNELS))


def test_motion_of_any_size_is_judged_as_if_its_edges_went_on() -> None:
    network = make_network().eval()
    block = network.stride // CELL_PX
    motion = torch.randn(1, 6, MotionFrontEnd.N_CHANNELS, 2 * block, 3 * block)
    motion[..., -2:, :] = motion[..., -3:-2, :]
    with torch.inference_mode():
        whole = network.judge_motion(motion, {})
        part = network.judge_motion(motion[..., :-2, :], {})
    assert part.shape == (1, 6, 2 * block - 2, 3 * block)
    torch.testing.assert_close(part, whole[..., :-2, :])
