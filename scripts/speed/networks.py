"""Networks as candidates: the model that ships, RAFT, and the usual segmentation networks where installed.

Anchors have random weights: speed does not depend on them. None of them has its batch norms folded.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from torchvision.models.optical_flow import raft_small

from fascnet.inference.network import NetworkPredictor, load_network_predictor
from speed.candidate import Candidate, Map, Missing
from speed.classical import measure_residual
from speed.frames import HeldRecording, Image

DEFAULT_CHUNK = 8
"""As in configs/predict.yaml."""

PER_FRAME_BATCH = 8
MONAI_FRAMES = 96
"""Five windows of 32 frames at an overlap of a half; longer clips cost MONAI up to 20 % more a frame."""
MONAI_WINDOW = 32
DYNUNET_TILE = 16


def load_at_its_slowest(model: str | None, chunk_frames: int) -> NetworkPredictor:
    """Load a model; one that looks at clips twice then looks at every tick twice.

    In the generated recordings nothing twitches: it would not look again at all.
    """
    loaded = load_network_predictor(model, "cpu", chunk_frames=chunk_frames)
    second = loaded.model.spec.second_look
    if second is None:
        return loaded
    spec = replace(loaded.model.spec, second_look=replace(second, noticed=0.0))
    return NetworkPredictor(replace(loaded.model, spec=spec), loaded.device, chunk_frames)


def make_network(
    name: str, predictor: NetworkPredictor, n_frames: int, size: str, note: str = ""
) -> Candidate:
    """Make a candidate of the model: lead-in, look-ahead and upsampling to the input's size included."""

    def run(images: Sequence[Image]) -> Iterator[Map]:
        width_height = images[0].shape[::-1]
        for chunk in predictor.stream(HeldRecording(images)).chunks:
            for heatmap in chunk:
                yield np.asarray(cv2.resize(heatmap, width_height), dtype=np.float32)

    return Candidate(name, run, n_frames, size, note=note)


def list_network_candidates(model: str | None, quick: bool) -> list[Candidate]:
    """List the model in the chunks of `predict`, by four frames and by one, and on a large picture.

    One that looks twice works in chunks of its own; it is listed with a second look at everything, and with
    none.
    """
    frames = 120 if quick else 300
    default = load_at_its_slowest(model, DEFAULT_CHUNK)
    twice = default.model.spec.second_look is not None
    predictors = {DEFAULT_CHUNK: default}
    if not quick and not twice:
        predictors |= {size: load_at_its_slowest(model, size) for size in (4, 1)}
    found = [
        make_network(
            f"network, chunk {size}", predictor, frames, "256x256", "the default" if not index else ""
        )
        for index, (size, predictor) in enumerate(predictors.items())
    ]
    large = make_network(
        f"network 480x640, chunk {DEFAULT_CHUNK}", predictors[DEFAULT_CHUNK], 90 if quick else 240, "480x640"
    )
    if twice:
        once = load_network_predictor(model, "cpu", chunk_frames=DEFAULT_CHUNK)
        note = "as where nothing is noticed"
        found.append(make_network("network, nothing looked at twice", once, frames, "256x256", note))
    # Many seconds a call: few rounds are enough. Short clips would be mostly lead-in.
    return [*found, replace(large, rounds=1 if quick else 3)]


def list_anchor_networks() -> list[Candidate | Missing]:
    """List the anchors that are networks; what is not installed is named."""
    builders = (
        ("RAFT-small", "torchvision", make_raft),
        ("MONAI UNet3D, sliding window", "monai", make_monai),
        ("DynUNet, tile", "monai", make_dynunet),
        ("SMP Unet resnet18", "segmentation_models_pytorch", make_smp),
    )
    return [
        build(name) if importlib.util.find_spec(module) else Missing(name, "not installed")
        for name, module, build in builders
    ]


def make_raft(name: str) -> Candidate:
    """RAFT-small with 12 iterations."""
    network = raft_small(weights=None).eval()

    def run(images: Sequence[Image]) -> Iterator[Map]:
        yield np.zeros(images[0].shape, np.float32)
        for index in range(len(images) - 1):
            before, after = (
                torch.from_numpy(images[k])[None, None].expand(1, 3, -1, -1) / 127.5 - 1
                for k in (index, index + 1)
            )
            with torch.inference_mode():
                flow = network(before, after)[-1][0].permute(1, 2, 0).numpy()
            yield measure_residual(flow)

    return Candidate(name, run, 5, rounds=3, n_free=1, note=f"12 iterations, {count_weights(network)}")


def make_monai(name: str) -> Candidate:
    """MONAI's residual 3D U-Net over windows of 32 frames that overlap by half."""
    unet = importlib.import_module("monai.networks.nets").UNet
    slide: Callable[..., Tensor] = importlib.import_module("monai.inferers").sliding_window_inference
    network = unet(3, 1, 1, (32, 64, 128, 256), (2, 2, 2), num_res_units=2).eval()

    def run(images: Sequence[Image]) -> Iterator[Map]:
        volume = to_volume(images)
        with torch.inference_mode():
            roi = (MONAI_WINDOW, *images[0].shape)
            yield from torch.sigmoid(slide(volume, roi, 1, network, overlap=0.5))[0, 0].numpy()

    note = f"window {MONAI_WINDOW} frames, overlap 0.5, {count_weights(network)}"
    return Candidate(name, run, MONAI_FRAMES, rounds=3, note=note)


def make_dynunet(name: str) -> Candidate:
    """nnU-Net's 3D network (MONAI's DynUNet, its six stages) on one tile of 16 frames, without overlap."""
    strides = [[1, 1, 1], [1, 2, 2], [2, 2, 2], [2, 2, 2], [2, 2, 2], [1, 2, 2]]
    dynunet = importlib.import_module("monai.networks.nets").DynUNet
    network = dynunet(3, 1, 1, [[3, 3, 3]] * 6, strides, strides[1:]).eval()

    def run(images: Sequence[Image]) -> Iterator[Map]:
        with torch.inference_mode():
            yield from torch.sigmoid(network(to_volume(images)))[0, 0].numpy()

    note = f"tile of {DYNUNET_TILE} frames, no overlap, {count_weights(network)}"
    return Candidate(name, run, DYNUNET_TILE, rounds=3, note=note)


def make_smp(name: str) -> Candidate:
    """U-Net with a ResNet-18 encoder, frame by frame, eight at once."""
    package = importlib.import_module("segmentation_models_pytorch")
    network: nn.Module = package.Unet("resnet18", encoder_weights=None, in_channels=1, classes=1).eval()

    def run(images: Sequence[Image]) -> Iterator[Map]:
        for start in range(0, len(images), PER_FRAME_BATCH):
            batch = torch.from_numpy(np.stack(images[start : start + PER_FRAME_BATCH]))[:, None] / 255
            with torch.inference_mode():
                yield from torch.sigmoid(network(batch))[:, 0].numpy()

    return Candidate(name, run, 16, rounds=3, note=f"batches of 8, {count_weights(network)}")


def to_volume(images: Sequence[Image]) -> Tensor:
    """Stack frames into (1, 1, T, H, W), normalised to mean 0 and deviation 1."""
    volume = torch.from_numpy(np.stack(images))[None, None].float()
    return (volume - volume.mean()) / volume.std()


def count_weights(network: nn.Module) -> str:
    """Say how many weights there are."""
    return f"{sum(p.numel() for p in network.parameters()) / 1e6:.2f} M weights"
