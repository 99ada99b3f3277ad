"""What each part of the network's input and design is worth: many short trainings on one data set.

    python scripts/ablate.py data.root=FOLDER [steps=300] [seeds=3] [val_clips=12] [cache=FOLDER]
        ['variants=all,no blur']

Each clip's motion is measured once (`data/training_input/motion_cache.py`); a small network is then trained
for some steps per variant (`ablation/variants.py`) and seed, on windows of the same size, and judged on whole
validation clips. Prints a Markdown table of mean and span over the seeds: pixel average precision, and event
F1 at the best of some onset thresholds (chosen on these very clips: compare rows, do not quote them).
"""

from __future__ import annotations

import os
import sys

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import functools
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import torch
from ablation.boundary import compute_boundary_loss
from ablation.pixels import PixelSight, PixelUNet, PixelWindows
from ablation.variants import VARIANTS, Variant
from key_values import read_key_values, read_whole
from torch.utils.data import DataLoader

from fascnet.commands.config import compose_config, instantiate_node
from fascnet.data.labelling.targets import TWITCH, UNKNOWN
from fascnet.data.training_input.datamodule import FasciculationDataModule
from fascnet.data.training_input.dataset import WindowSampler
from fascnet.data.training_input.motion_cache import MotionClip, MotionWindowDataset, measure_clip
from fascnet.data.training_input.sight import FirstSight, Sight
from fascnet.data.training_input.working_clip import WorkingClip
from fascnet.errors import FascnetError, SettingError
from fascnet.evaluation.figures.events import f1
from fascnet.evaluation.figures.pixels import PixelHistogram
from fascnet.models.unet import FasciculationUNet
from fascnet.training.losses import compute_loss
from fascnet.training.module import schedule_rate
from fascnet.training.validation import count_events, start_finder
from fascnet.types import EventDefinition

_DEFAULTS = {
    "data.root": "",
    "steps": "300",
    "seeds": "3",
    "val_clips": "12",
    "cache": "",
    "variants": ",".join(VARIANTS),
}
THRESHOLDS = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)


def main(arguments: Sequence[str]) -> int:
    """Train and judge every variant, and print the table row by row."""
    torch.set_num_threads(1)
    try:
        settings = read_key_values(arguments, _DEFAULTS, needed=("data.root",))
        chosen = settings["variants"].split(",")
        if unknown := sorted(set(chosen) - set(VARIANTS)):
            raise SettingError(f"variants: no {', '.join(unknown)}; choose from {', '.join(VARIANTS)}")
        sizes = {key: read_whole(settings, key, least=1) for key in ("steps", "seeds", "val_clips")}
        with tempfile.TemporaryDirectory() as folder:
            run(settings["data.root"], settings["cache"] or folder, sizes, chosen)
    except FascnetError as error:
        print(f"ablate: {error}", file=sys.stderr)
        return 2
    return 0


def run(root: str, cache: str, sizes: Mapping[str, int], chosen: Sequence[str]) -> None:
    """Train every variant, on clips that are prepared and measured once for all that see them alike."""
    print("| variant | pixel AP | event F1 |\n| --- | --- | --- |", flush=True)
    for name in chosen:
        figures = run_variant(VARIANTS[name], root, cache, sizes)
        cells = [f"{m:.3f} ({low:.3f}-{high:.3f})" for m, low, high in _span(figures)]
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


@functools.cache
def open_data(root: str, cache: str, pitch_mm: float, rate_hz: float) -> FasciculationDataModule:
    """Prepare the clips on a working grid, once for all variants that share it."""
    overrides = ["experiment=shipped", f"data.root={root}", f"data.cache_dir={cache}", "output=none"]
    overrides += [f"data.preprocessor.pitch_mm={pitch_mm}", f"data.preprocessor.rate_hz={rate_hz}"]
    data: FasciculationDataModule = instantiate_node(compose_config("train", overrides)["data"], "data")
    data.setup()
    return data


def run_variant(
    variant: Variant, root: str, cache: str, sizes: Mapping[str, int]
) -> list[tuple[float, float]]:
    """Return what `judge` says after each seed's training."""
    data = open_data(root, cache, variant.pitch_mm, variant.rate_hz)
    # Spread over the subjects, which follow one another.
    val = data.val_clips[:: max(1, len(data.val_clips) // sizes["val_clips"])]
    window = variant.shape_window(data.window.event_fraction)
    sight: Sight = PixelSight()
    if not variant.learned_front_end:
        sight = FirstSight(FasciculationUNet(**variant.arguments).front_end)
    kept = data.cache_dir, data.seed, sight
    measured = [measure_clip(clip, 0, data.augmentation, window, *kept) for clip in data.train_clips]
    judged = [(clip, measure_clip(clip, 0, None, data.window, *kept)) for clip in val]
    figures = []
    for seed in range(sizes["seeds"]):
        torch.manual_seed(seed)
        if variant.learned_front_end:
            network: FasciculationUNet | PixelUNet = PixelUNet(**variant.arguments)
            draw: type[MotionWindowDataset] = PixelWindows
        else:
            network = FasciculationUNet(**variant.arguments)
            draw = MotionWindowDataset
        windows = draw(measured, window, data.augmentation, seed)
        train(network, windows, variant, sizes["steps"])
        figures.append(judge(network, judged))
    return figures


def train(
    network: FasciculationUNet | PixelUNet, windows: MotionWindowDataset, variant: Variant, steps: int
) -> None:
    """Train as `fascnet train` does, but for the length."""
    network.to(memory_format=torch.channels_last).train()
    optimiser = torch.optim.AdamW(network.parameters(), lr=3e-3, weight_decay=1e-4)
    delay = network.look_ahead
    for step, batch in enumerate(DataLoader(windows, 4, sampler=WindowSampler(4 * steps))):
        for group in optimiser.param_groups:
            group["lr"] = 3e-3 * schedule_rate(step / steps, 0.05)
        with torch.autocast("cpu", torch.bfloat16):
            logits = network.judge_motion(batch["motion"], {})
        n_ticks = logits.shape[1]
        answers = logits[:, delay:].float()
        truth = (batch["target"][:, : n_ticks - delay], batch["valid"][:, : n_ticks - delay])
        total, _ = compute_loss(answers, *truth, variant.loss)
        if variant.boundary_weight > 0:
            total = total + variant.boundary_weight * compute_boundary_loss(answers, *truth)
        optimiser.zero_grad()
        torch.autograd.backward(total)
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()


def judge(
    network: FasciculationUNet | PixelUNet, clips: Sequence[tuple[WorkingClip, MotionClip]]
) -> tuple[float, float]:
    """Return pixel average precision and the best event F1 over the onset thresholds."""
    network.eval()
    pixels = PixelHistogram()
    counts = np.zeros((len(THRESHOLDS), 4))
    for clip, measured in clips:
        motion = torch.from_numpy(np.load(measured.motion_path)).float()[None]
        codes = np.load(measured.codes_path)
        height, width = motion.shape[-2:]
        stride = network.stride // 4
        padding = (0, -width % stride, 0, -height % stride)
        padded = torch.nn.functional.pad(motion.flatten(0, 1), padding, mode="replicate")[None]
        with torch.inference_mode():
            logits = network.judge_motion(padded, {})[0, network.look_ahead :, :height, :width]
        n_ticks = len(clip.dt_s)
        heatmaps = torch.sigmoid(logits)[:n_ticks].numpy()
        pixels.add(heatmaps, codes[:n_ticks] == TWITCH, codes[:n_ticks] != UNKNOWN)
        for index, threshold in enumerate(THRESHOLDS):
            finder = start_finder(clip, EventDefinition(threshold, 0.6 * threshold, 0.1, 0.034))
            found = [event for heatmap in heatmaps for event in finder.push(heatmap)]
            counts[index] += count_events(clip, found + finder.finish())
    precision = pixels.average_precision()
    return (float("nan") if precision is None else precision), float(np.nanmax([f1(row) for row in counts]))


def _span(figures: Sequence[tuple[float, float]]) -> list[tuple[float, float, float]]:
    columns = np.asarray(figures).T
    return [(float(c.mean()), float(c.min()), float(c.max())) for c in columns]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
