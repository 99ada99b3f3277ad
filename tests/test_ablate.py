"""What `scripts/ablate.py` trains with; the table itself is made by hand."""

from __future__ import annotations

import importlib

import numpy as np
import pytest
import torch

from fascnet.data.array_writer import write_array
from fascnet.data.training_input.dataset import WindowSettings
from fascnet.data.training_input.motion_cache import MotionClip
from fascnet.data.training_input.transforms import Augmentation

pytestmark = pytest.mark.usefixtures("scripts_on_path")


def test_the_boundary_loss_falls_as_probability_nears_the_truth():
    compute = importlib.import_module("ablation.boundary").compute_boundary_loss
    truth = torch.zeros(1, 2, 12, 12)
    truth[0, 0, 4:8, 4:8] = 1
    known = torch.ones(1, 2, 12, 12, dtype=torch.bool)
    near, far = torch.roll(truth, 2, dims=3), torch.roll(truth, 4, dims=3)
    losses = [compute((2 * map_ - 1) * 9, truth, known).item() for map_ in (truth, near, far)]
    assert losses == sorted(losses) and losses[0] < 0 < losses[2]
    # Sixteen cells of a square of four: twelve lie half a cell inside its edge, four lie one and a half.
    expected = -(12 * 0.5 + 4 * 1.5) / 5 / (2 * 144)
    certain = compute(torch.where(truth > 0, 99.0, -99.0), truth, known)
    assert certain.item() == pytest.approx(expected, rel=1e-5)


def test_the_boundary_loss_is_silent_without_a_twitch_and_in_unknown_cells():
    compute = importlib.import_module("ablation.boundary").compute_boundary_loss
    logits, truth = torch.zeros(1, 2, 6, 6), torch.zeros(1, 2, 6, 6)
    known = torch.ones(1, 2, 6, 6, dtype=torch.bool)
    assert compute(logits, truth, known) == 0
    truth[0, 1, :3] = 1
    assert compute(logits, truth, known) == 0.0  # as probable on either side
    known[0, 1, 3:] = False
    assert compute(logits, truth, known) < 0


def test_a_mirror_image_of_pixels_is_what_the_mirrored_clip_shows(tmp_path):
    pixels = importlib.import_module("ablation.pixels")
    images = np.random.default_rng(0).integers(0, 256, (16, 32, 32)).astype(np.uint8)
    codes = np.zeros((24, 8, 8), np.uint8)
    codes[3, 1, 2] = 1
    clips = []
    for name, shown in (("as_it_is", images), ("mirrored", images[:, ::-1, ::-1])):
        paths = tmp_path / f"{name}.motion.npy", tmp_path / f"{name}.codes.npy"
        with write_array(paths[0]) as motion, write_array(paths[1]) as codes_file:
            for part in pixels.PixelSight().show([(np.ascontiguousarray(shown), np.full(16, 1 / 30))]):
                motion.append(part)
            codes_file.append(codes if name == "as_it_is" else np.ascontiguousarray(codes[:, ::-1, ::-1]))
        clips.append(MotionClip(*paths, np.zeros((0, 3), np.int64)))
    window = WindowSettings(n_ticks=24, size_px=32, event_fraction=0.0, warm_up_ticks=0)
    always = Augmentation(flip_p=1.0, upside_down_p=1.0)
    never = Augmentation(flip_p=0.0, upside_down_p=0.0)
    flipped = pixels.PixelWindows(clips[:1], window, always, 0)[0]
    expected = pixels.PixelWindows(clips[1:], window, never, 0)[0]
    assert expected["target"].sum() == 1
    for key in ("motion", "target", "valid"):
        torch.testing.assert_close(flipped[key], expected[key])


def test_the_learned_front_end_sees_a_clip_in_pieces_as_a_whole():
    pixels = importlib.import_module("ablation.pixels")
    small = importlib.import_module("ablation.variants").SMALL
    torch.manual_seed(0)
    network = pixels.PixelUNet(**small)
    clip = torch.rand(1, pixels.CHUNK_TICKS + 5, pixels.N_PIXELS, 8, 8)
    with torch.inference_mode():
        in_pieces = network.eval().judge_motion(clip, {})
        network.training = True  # itself only: the layers within go on as they are
        whole = network.judge_motion(clip, {})
    assert whole.shape == (1, pixels.CHUNK_TICKS + 5, 8, 8)
    torch.testing.assert_close(in_pieces, whole)


def test_windows_are_as_large_and_long_at_every_pitch_and_rate():
    variants = importlib.import_module("ablation.variants").VARIANTS
    assert variants["all"].shape_window(0.5) == WindowSettings(96, 128, 0.5, 12, 0.08)
    assert variants["60 ticks a second"].shape_window(0.5) == WindowSettings(192, 128, 0.5, 24, 0.08)
    assert variants["0.1 mm a pixel"].shape_window(0.5) == WindowSettings(96, 192, 0.5, 12, 0.08)
    assert variants["0.2 mm a pixel"].shape_window(0.5) == WindowSettings(96, 96, 0.5, 12, 0.08)


def test_every_variant_is_a_network_and_differs_from_all_the_others():
    variants = importlib.import_module("ablation.variants").VARIANTS
    unet = importlib.import_module("fascnet.models.unet")
    for variant in variants.values():
        unet.FasciculationUNet(**variant.arguments)
    assert len({repr(variant) for variant in variants.values()}) == len(variants)
