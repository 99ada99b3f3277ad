"""Fixtures for every test."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import pytest
import torch
from hypothesis import settings

# A busy machine is no fault of the code: no test has a time limit.
settings.register_profile("untimed", settings(), deadline=None)
settings.load_profile("untimed")

# Many small tensors: one thread is faster than two.
torch.set_num_threads(1)
cv2.setNumThreads(1)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of real recordings; the test is skipped where there is none."""
    named = os.environ.get("FASCNET_REAL_DATA")
    candidates = (
        [Path(named)] if named else [p / "shared/data/real" for p in Path(__file__).resolve().parents[1:3]]
    )
    for folder in candidates:
        if (folder / "muscle").is_dir():
            return folder
    pytest.skip("the real recordings are not here; name their folder with FASCNET_REAL_DATA")


@pytest.fixture(scope="module")
def scripts_on_path() -> Iterator[None]:
    """Let a module import what lies in `scripts/`."""
    folder = str(Path(__file__).resolve().parents[1] / "scripts")
    sys.path.insert(0, folder)
    yield
    sys.path.remove(folder)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip tests that need a GPU where there is none."""
    if item.get_closest_marker("gpu") is not None and not torch.cuda.is_available():
        pytest.skip("no CUDA device")
