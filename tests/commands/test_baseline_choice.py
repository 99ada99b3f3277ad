from __future__ import annotations

import dataclasses

import pytest

from fascnet.commands.baseline_choice import build_baseline, list_baselines
from fascnet.commands.config import compose_config
from fascnet.errors import SettingError


def test_all_published_detectors_are_there():
    assert "network" not in list_baselines()
    names = ["farneback", "tongue", "kobe", "curl", "gmm", "klt", "bandpass", "difference"]
    assert {*names, *(f"{name}_tuned" for name in names), "never", "base_rate"} <= set(list_baselines())


@pytest.mark.parametrize("name", list_baselines())
def test_is_what_predict_runs(name):
    node = compose_config("predict", ["input=a", "output=b", f"detector={name}"])["detector"]
    detector = build_baseline(name)
    assert detector.settings() == {key: value for key, value in node.items() if key != "_target_"}


@pytest.mark.parametrize("name", [n for n in list_baselines() if f"{n}_tuned" in list_baselines()])
def test_the_defaults_are_those_of_the_published_configuration(name):
    published = build_baseline(name)
    assert published == type(published)()
    tuned = build_baseline(f"{name}_tuned")
    assert type(tuned) is type(published)
    assert dataclasses.fields(tuned) == dataclasses.fields(published)


def test_the_corrected_mixture_differs_in_its_three_defects():
    coded, corrected = build_baseline("gmm").settings(), build_baseline("gmm_corrected").settings()
    changed = {key for key in coded if coded[key] != corrected[key]}
    assert changed == {"pass_learning_rate", "bright_blobs", "burn_in_frames"}


def test_an_unknown_name_is_refused():
    with pytest.raises(SettingError, match="no baseline 'optical'; choose from bandpass"):
        build_baseline("optical")
