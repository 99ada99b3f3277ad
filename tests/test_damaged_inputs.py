"""A small share of `scripts/damage_inputs.py`, on recordings made here; the whole is run by hand."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from fascnet.data.recording.video_writer import VideoWriter
from fascnet.errors import FascnetError

SCRIPT = Path(__file__).resolve().parents[1] / "scripts" / "damage_inputs.py"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("damage_inputs", SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def write_recordings(folder: Path) -> Path:
    rng = np.random.default_rng(0)
    for name, codec in (("a.avi", "ffv1"), ("b.mp4", "h264")):
        with VideoWriter(folder / name, 64, 96, 25.0, codec=codec) as writer:
            for _ in range(12):
                writer.write(rng.integers(0, 255, (64, 96), dtype=np.uint8))
    return folder


def test_damage_is_read_or_refused_in_one_line_and_seeded(script: ModuleType, tmp_path: Path) -> None:
    folder = write_recordings(tmp_path / "real")
    home = tmp_path / "home"
    home.mkdir()
    words, digests = [], []
    for path, kind in script.make_inputs(folder, 60, 1, home):
        digests.append((kind, hash(path.read_bytes())))
        try:
            script.read_input(path)
            words.append("read")
        except FascnetError as error:
            assert "\n" not in str(error)
            assert path.name in str(error) or path.parent.name in str(error)
            words.append("refused")
    assert len(words) == 60 and {"read", "refused"} == set(words)
    again = [(kind, hash(path.read_bytes())) for path, kind in script.make_inputs(folder, 60, 1, home)]
    assert again == digests
