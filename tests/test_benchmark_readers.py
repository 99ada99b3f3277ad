"""What `scripts/benchmark_readers.py` says of what it cannot measure."""

from __future__ import annotations

import importlib
import sys

import pytest

pytestmark = pytest.mark.usefixtures("scripts_on_path")


@pytest.mark.parametrize(
    ("more", "message"),
    [([], "absent: there is no such file or folder"), (["rounds=0"], "rounds=0: give a whole number")],
)
def test_what_cannot_be_measured_is_refused_in_one_line(tmp_path, monkeypatch, more, message):
    script = importlib.import_module("benchmark_readers")
    monkeypatch.setattr(sys, "argv", ["benchmark_readers.py", str(tmp_path / "absent"), *more])
    with pytest.raises(SystemExit) as refused:
        script.main()
    said = str(refused.value)
    assert said.startswith("benchmark_readers: ") and message in said and "\n" not in said
