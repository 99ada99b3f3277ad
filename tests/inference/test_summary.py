from __future__ import annotations

import os
import subprocess
import sys

import cv2
import numpy as np
import pytest

from fascnet.inference.summary import write_summary
from fascnet.types import Event, Point, Prediction


def draw(path, events=(), box=(0, 0, 64, 48), mean=None):
    t = np.arange(30) / 30.0
    highest = np.zeros((6, 8), np.uint8)
    highest[2, 3] = 250
    write_summary(
        path,
        Prediction("clip", "ok", events=tuple(events), score=0.9, scored_s=1.0, box=box),
        mean_frame=np.full((48, 64), 80.0) if mean is None else mean,
        highest=highest,
        course=(t, np.exp(-(((t - 0.5) / 0.1) ** 2))),
        threshold=0.5,
    )
    return cv2.imread(str(path))


def test_is_a_picture_that_changes_with_events(tmp_path):
    plain = draw(tmp_path / "a.png")
    marked = draw(tmp_path / "b.png", [Event(0.4, 0.6, 0.5, region=Point(30.0, 20.0), score=0.9)])
    assert plain.shape == marked.shape
    assert plain.shape[1] == 1440
    assert (plain != marked).any()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.png", "b.png"]


@pytest.mark.parametrize("box", [(0, 0, 64, 10), (0, 0, 10, 48), (3, 5, 60, 41)])
def test_any_box_and_many_events(tmp_path, box):
    events = [Event(k / 100, k / 100 + 0.02, region=Point(5.0, 6.0), score=0.5) for k in range(90)]
    assert draw(tmp_path / "a.png", [*events, Event(0.1, 0.2)], box) is not None


def test_needs_no_display_and_no_pyplot(tmp_path):
    code = (
        "import sys, numpy as np; from pathlib import Path\n"
        "from fascnet.inference.summary import write_summary; from fascnet.types import Prediction\n"
        "p = Prediction('c', 'ok', score=0.1, scored_s=1.0, box=(0, 0, 8, 8))\n"
        "write_summary(Path(sys.argv[1]), p, mean_frame=np.zeros((8, 8)), highest=np.zeros((2, 2), 'u1'),\n"
        "              course=(np.zeros(1), np.zeros(1)), threshold=0.5)\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
    )
    env = {key: value for key, value in os.environ.items() if key not in {"DISPLAY", "MPLBACKEND"}}
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "s.png")], check=True, env=env)
    assert (tmp_path / "s.png").stat().st_size > 1000
