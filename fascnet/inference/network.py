"""The network as a `Predictor`: model file and device in, heatmaps out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict

import numpy as np
import torch
from numpy.typing import NDArray

from fascnet.errors import DeviceError, SettingError
from fascnet.inference.model_file import Model, find_model, load_model
from fascnet.inference.second_look import look_twice
from fascnet.inference.streaming import stream_probabilities
from fascnet.models.blocks import fold_norms
from fascnet.models.preprocessing import Preprocessor, Tick, WorkingGrid
from fascnet.types import ClipCalibration, EventDefinition, HeatmapStream, Recording


class NetworkPredictor:
    """Streams recordings through a trained network.

    Args:
        model: the loaded model.
        device: where to run it.
        chunk_frames: ticks per call of the network, 1-256; changes speed and memory, never the result. Where
            the model looks twice it has a number of its own.
        precision: `fp32`, or `bf16` on CUDA.
        compile: compile the network first; pays for long studies on CUDA.
    """

    def __init__(
        self,
        model: Model,
        device: torch.device,
        chunk_frames: int = 8,
        precision: str = "fp32",
        compile: bool = False,
    ) -> None:
        if not 1 <= chunk_frames <= 256:
            raise SettingError(f"chunk_frames is {chunk_frames}; give 1 to 256")
        if precision not in {"fp32", "bf16"}:
            raise SettingError(f"precision is '{precision}'; give fp32 or bf16")
        for wanted, key in ((precision != "fp32", "precision=bf16"), (compile, "compile=true")):
            if wanted and device.type != "cuda":
                raise SettingError(f"{key} needs device=cuda; on a CPU leave it out")
        self.model = model
        self.device = device
        self.chunk_frames = chunk_frames
        self.precision = precision
        self.preprocessor = Preprocessor(**model.spec.preprocessing)
        self._network = fold_norms(model.network).to(device)
        self._again = None if model.again is None else fold_norms(model.again).to(device)
        if compile and model.spec.second_look is None:
            self._network.compile(dynamic=True)
        elif compile:
            # Between the looks motion is kept on disk: the networks are not called as a whole.
            for network in (self._network, self._again):
                if network is not None:
                    judge = torch.compile(network.judge_motion, dynamic=True)
                    network.judge_motion = judge  # type: ignore[method-assign]
        self._compiled = compile

    @property
    def name(self) -> str:
        """Name in tables."""
        return self.model.spec.name

    @property
    def event_definition(self) -> EventDefinition:
        """The six numbers from the model file."""
        return self.model.spec.event_definition

    @property
    def calibration(self) -> ClipCalibration:
        """Calibration from the model file."""
        return self.model.spec.calibration

    @property
    def clip_threshold(self) -> float | None:
        """Operating point from the model file."""
        return self.model.spec.operating_point.get("clip_threshold")

    def stream(self, recording: Recording) -> HeatmapStream:
        """Start on a recording.

        Raises:
            RecordingError: its imaging area is no muscle image.
        """
        grid = self.preprocessor.plan(recording.info)
        chunks = self.look(self.preprocessor.ticks(recording, grid), grid)
        return HeatmapStream(
            grid.rate_hz,
            grid.box,
            grid.cells,
            grid.mm_per_px,
            grid.assumed_mm_per_px,
            map(grid.silence, chunks),
            grid.covered,
            grid.pixel_aspect,
        )

    def look(self, ticks: Iterable[Tick], grid: WorkingGrid) -> Iterator[NDArray[np.float32]]:
        """Yield heatmaps (t, h, w) of a working clip on its grid, looking as often as the model file says."""
        autocast = torch.bfloat16 if self.precision == "bf16" else None
        second = self.model.spec.second_look
        if second is None:
            return stream_probabilities(self._network, ticks, self.chunk_frames, self.device, autocast)
        return look_twice(self._network, ticks, self.device, second, grid, autocast, self._again)

    def describe(self) -> dict[str, object]:
        """Return what `run.json` says about the model."""
        spec = self.model.spec
        # A file that does not tell them apart says nothing, which is not "none".
        roles = {
            "training_subjects_sha256": list(spec.training_subjects_sha256),
            "tuning_subjects_sha256": list(spec.tuning_subjects_sha256),
            "tuned_on": spec.tuned_on,
        }
        return {
            "detector": "network",
            "name": spec.name,
            "model_file": self.model.path.name,
            "model_sha256": self.model.sha256,
            "network": spec.network,
            "preprocessing": spec.preprocessing,
            "event_definition": asdict(spec.event_definition),
            "second_look": None if spec.second_look is None else asdict(spec.second_look),
            "calibration": asdict(spec.calibration),
            "operating_point": spec.operating_point,
            "subjects_sha256": list(spec.subjects_sha256),
            "salt": spec.salt,
            **{key: value for key, value in roles.items() if value},
            "device": self.describe_device(),
            "precision": self.precision,
            "compile": self._compiled,
        }

    def describe_device(self) -> str:
        """Return the device in words."""
        return torch.cuda.get_device_name(self.device) if self.device.type == "cuda" else "cpu"


def choose_device(device: str) -> torch.device:
    """Turn `auto`, `cpu` or `cuda` into a device. `cuda` never falls back silently.

    Raises:
        DeviceError: `cuda` was asked for and there is none.
        SettingError: another word.
    """
    if device not in {"auto", "cpu", "cuda"}:
        raise SettingError(f"device is '{device}'; give auto, cpu or cuda")
    available = torch.cuda.is_available()
    if device == "cuda" and not available:
        raise DeviceError(
            "device=cuda, but torch finds no CUDA device; "
            "check the driver (nvidia-smi), or use device=auto or device=cpu"
        )
    return torch.device("cuda" if device != "cpu" and available else "cpu")


def load_network_predictor(
    model: str | None = None,
    device: str = "auto",
    chunk_frames: int = 8,
    precision: str = "fp32",
    compile: bool = False,
) -> NetworkPredictor:
    """Load a model onto a device; `model` is what `find_model` takes.

    Raises:
        ModelFileError: the file is missing or damaged.
        DeviceError: CUDA was asked for and is not there.
    """
    where = choose_device(device)
    loaded = load_model(find_model(model))
    return NetworkPredictor(loaded, where, chunk_frames, precision, compile)
