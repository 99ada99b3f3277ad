"""What `scripts/benchmark_kinematics.py` says of folders that it cannot measure."""

from __future__ import annotations

import importlib

import pytest

pytestmark = pytest.mark.usefixtures("scripts_on_path")


@pytest.mark.parametrize(
    ("recipe", "message"),
    [
        (None, "phantom.json: [Errno 2] No such file"),
        ("{", "phantom.json: Expecting"),
        ("[]", "phantom.json: holds no clips, seed, settings, split_fractions"),
        ('{"clips": 2, "seed": 0}', "phantom.json: holds no settings, split_fractions"),
    ],
)
def test_a_folder_that_is_no_phantom_is_refused_in_one_line(tmp_path, capsys, recipe, message):
    if recipe is not None:
        (tmp_path / "phantom.json").write_text(recipe, encoding="utf-8")
    assert importlib.import_module("benchmark_kinematics").main([str(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert message in said and said.count("\n") == 1 and str(tmp_path) in said
