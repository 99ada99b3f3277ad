"""Gates: a fast answer that is a wrong answer is no result. They are tried before anything is timed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from fascnet.data.clip_set.manifest import read_manifest
from fascnet.data.labelling.labels import load_labels
from fascnet.data.labelling.targets import rasterise_truth
from fascnet.data.recording.recordings import open_recording
from fascnet.evaluation.farneback_bar import measure_farneback_bar
from fascnet.evaluation.figures.pixels import PixelHistogram
from fascnet.inference.network import NetworkPredictor, load_network_predictor
from fascnet.inference.streaming import stream_probabilities
from fascnet.models.preprocessing import CELL_PX
from fascnet.phantom.generate import generate_phantom
from fascnet.phantom.settings import PhantomSettings
from fascnet.types import ClipSource, Labels
from speed.candidate import Candidate, Map
from speed.frames import FPS, HeldRecording, Image

MOST_DIFFERENCE = 1e-5
"""Of probabilities in fp32: streaming, chunks of any size and the whole clip at once are the same sums."""

ALL_AT_ONCE = 100_000
"""Ticks in a chunk that holds any clip of this script whole."""

SPEED_MIDDLE = 0.1
"""Value that falls on the middle bin: v / (v + 0.1) keeps the order of any classical map (pixels a frame)."""


@dataclass(frozen=True)
class Gate:
    """One gate: what was asked, what came out, and whether it is passed."""

    name: str
    value: float
    limit: float
    passed: bool
    note: str = ""


def check_streaming(model: str | None, images: Sequence[Image]) -> list[Gate]:
    """Compare chunks of one and of four ticks with the whole clip in one call of the network."""
    predictor = load_network_predictor(model, "cpu")
    found = []
    # One look, however often the model looks: between two all of a clip has been seen.
    in_ones, whole_at_once = (stream_maps(predictor, images, size) for size in (1, ALL_AT_ONCE))
    pairs = [
        ("streaming = offline", in_ones, whole_at_once),
        ("chunk 1 = chunk 4", run_predictor(model, 1, images), run_predictor(model, 4, images)),
    ]
    for name, one, two in pairs:
        difference = float(np.abs(one - two).max()) if one.shape == two.shape else np.inf
        note = f"largest difference of probabilities, {len(images)} frames"
        found.append(Gate(name, difference, MOST_DIFFERENCE, difference <= MOST_DIFFERENCE, note))
    return found


def run_predictor(model: str | None, chunk_frames: int, images: Sequence[Image]) -> Map:
    """Return all heatmaps (T, h, w) of the shipped path."""
    predictor = load_network_predictor(model, "cpu", chunk_frames=chunk_frames)
    return np.concatenate(list(predictor.stream(HeldRecording(images)).chunks))


def stream_maps(predictor: NetworkPredictor, images: Sequence[Image], chunk_ticks: int) -> Map:
    """Return all heatmaps (T, h, w) of one look, in chunks of any length, also beyond a setting."""
    recording = HeldRecording(images)
    ticks = predictor.preprocessor.ticks(recording, predictor.preprocessor.plan(recording.info))
    network = predictor.model.network
    return np.concatenate(list(stream_probabilities(network, ticks, chunk_ticks, torch.device("cpu"))))


def make_phantom(
    folder: Path, clips: int, seconds: float, seed: int
) -> tuple[list[ClipSource], dict[str, Labels]]:
    """Simulate clips with twitches, one a subject, at 30 frames/s, else from the standard ranges."""
    standard = PhantomSettings()
    settings = replace(
        standard,
        clips_per_subject=1,
        duration_s=(seconds, seconds),
        scan=replace(standard.scan, fps=(FPS, FPS)),
        twitches=replace(standard.twitches, clip_share=1.0),
    )
    generate_phantom(folder, clips, seed, settings, {"test": 1.0})
    labels = {clip_id: next(iter(by.values())) for clip_id, by in load_labels(folder / "labels").items()}
    return read_manifest(folder), labels


def check_accuracy(clips: Sequence[ClipSource], labels: dict[str, Labels], model: str | None) -> Gate:
    """Compare the pixel average precision of the network with the best smoothed Farneback of these clips."""
    predictor = load_network_predictor(model, "cpu")
    histogram = PixelHistogram()
    for clip in clips:
        recording = open_recording(clip.path, fps=clip.fps, mm_per_px=clip.mm_per_px)
        stream = predictor.stream(recording)
        start = 0
        for chunk in stream.chunks:
            times_s = np.arange(start, start + len(chunk)) / stream.fps
            start += len(chunk)
            aspect = stream.pixel_aspect
            truth, valid = rasterise_truth(
                labels[clip.clip_id], times_s, stream.box, stream.shape, pixel_aspect=aspect
            )
            histogram.add(chunk, truth, valid)
    value = histogram.average_precision()
    ours = 0.0 if value is None else value
    table = measure_farneback_bar(clips, labels)
    best = table.iloc[0]
    bar = float(best["average_precision"])
    how = f"lag {best['lag']}, sigma {best['sigma_frames']:g}, {best['normalisation']}"
    note = (
        f"pixel AP of {len(clips)} phantom clips against the best of {len(table)} Farneback settings ({how})"
    )
    return Gate("AP >= best smoothed Farneback", ours, bar, ours >= bar, note)


def measure_accuracy(
    candidate: Candidate, clips: Sequence[ClipSource], labels: dict[str, Labels], model: str | None
) -> float | None:
    """Return the pixel average precision of a classical candidate as it is timed, on the network's grid."""
    preprocessor = load_network_predictor(model, "cpu").preprocessor
    histogram = PixelHistogram()
    for clip in clips:
        recording = open_recording(clip.path, fps=clip.fps, mm_per_px=clip.mm_per_px)
        grid = preprocessor.plan(recording.info)
        images = [tick.image for tick in preprocessor.ticks(recording, grid)]
        times_s = np.arange(len(images)) / grid.rate_hz
        truth, valid = rasterise_truth(
            labels[clip.clip_id], times_s, grid.box, grid.cells, pixel_aspect=grid.pixel_aspect
        )
        for index, found in enumerate(candidate.run(images)):
            cells = found.reshape(grid.cells[0], CELL_PX, grid.cells[1], CELL_PX).mean(axis=(1, 3))
            one = slice(index, index + 1)
            histogram.add((cells / (cells + SPEED_MIDDLE))[None], truth[one], valid[one])
    return histogram.average_precision()
