from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest

from fascnet.baselines.robust_score import score_against_clip
from fascnet.data.spool import Spool
from fascnet.errors import OutputError
from fascnet.inference.movement.trace import MovementTrace
from fascnet.inference.pooled_course import PooledCourse
from fascnet.training.heatmap_spool import HeatmapSpool

FULL = Path("/dev/full")


def test_bytes_come_back_from_their_place_and_clearing_forgets():
    with Spool("numbers") as spool:
        assert [spool.append(b"abc"), spool.append(b"de")] == [0, 3]
        assert spool.read(2, 2) == b"cd" and spool.append(b"f") == 5
        assert spool.read(4, 100) == b"ef" and spool.read(6, 1) == b""
        spool.clear()
        assert spool.read(0, 9) == b"" and spool.append(b"g") == 0


@pytest.fixture
def full_disk(monkeypatch):
    if not FULL.exists():
        pytest.skip("no /dev/full here")
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda: FULL.open("w+b"))


def fill_scores() -> None:
    with PooledCourse() as course:
        for _ in range(20_000):
            course.append(0.5)


def fill_movement() -> None:
    with MovementTrace((40, 40)) as trace:
        for k in range(10):
            trace.append(float(k), np.zeros((40, 40, 2), np.float32))


def fill_heatmaps() -> None:
    with HeatmapSpool() as spool:
        spool.begin((200, 200))
        for _ in range(3):
            spool.append(np.full((2, 200, 200), 0.5, np.float32))


def fill_maps() -> None:
    list(score_against_clip([np.ones((200, 200), np.float32)] * 3, (200, 200), 5.0, 0.1))


@pytest.mark.usefixtures("full_disk")
@pytest.mark.parametrize("fill", [fill_scores, fill_movement, fill_heatmaps, fill_maps])
def test_a_full_folder_for_temporary_files_is_told_in_one_line(fill):
    with pytest.raises(OutputError, match=r"cannot be kept there \(No space left on device\); .* TMPDIR"):
        fill()


@pytest.mark.usefixtures("full_disk")
def test_closing_asks_nothing_of_a_full_disk():
    with Spool("numbers") as spool:
        spool.append(b"abc")
