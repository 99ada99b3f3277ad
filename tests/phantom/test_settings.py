from __future__ import annotations

import json
from dataclasses import fields

import pytest

from fascnet.errors import SettingError
from fascnet.phantom.ranges import Range
from fascnet.phantom.settings import PhantomSettings

GROUPS = PhantomSettings().to_mapping()
KEYS = [f"{group}.{key}" for group, values in GROUPS.items() if isinstance(values, dict) for key in values]


def nest(key: str, value: object) -> dict[str, object]:
    group, dot, name = key.rpartition(".")
    return {group: {name: value}} if dot else {name: value}


def test_survives_json() -> None:
    settings = PhantomSettings.from_mapping({"duration_s": [2.0, 3.0], "scan": {"fps": [30.0, 30.0]}})
    assert settings.scan.fps == (30.0, 30.0)
    assert PhantomSettings.from_mapping(json.loads(json.dumps(settings.to_mapping()))) == settings
    assert settings != PhantomSettings()


def test_what_is_left_out_keeps_its_default() -> None:
    settings = PhantomSettings.from_mapping({"twitches": {"clip_share": 1.0}})
    assert settings.twitches.clip_share == 1.0
    assert settings.twitches.peak_mm == PhantomSettings().twitches.peak_mm
    assert settings.scan == PhantomSettings().scan


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("value", [-1000.0, 1e9, "x", None, [2.0, 1.0], [float("nan"), 1.0], [1.0]])
def test_every_key_refuses_nonsense_by_its_full_name(key: str, value: object) -> None:
    with pytest.raises(SettingError, match=rf"^phantom\.{key}="):
        PhantomSettings.from_mapping(nest(key, value))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("twitches.peak_mm", [0.0, 0.2]),
        ("twitches.peak_mm", [0.2, 0.1]),
        ("twitches.rate_per_min", [6.0, 400.0]),
        ("twitches.foci", [0, 3]),
        ("scan.fps", [60.0, 25.0]),
        ("scan.fps", [5.0, 25.0]),
        ("scan.fps", 30.0),
        ("scan.height_px", [32, 64]),
        ("scan.mm_per_px", [0.1, float("inf")]),
        ("scan.persistence", [0.0, 1.0]),
        ("body.disease", [0.0, 1.5]),
        ("confounders.jolt_share", 1.2),
        ("confounders.jolt_share", True),
        ("recording.codec_quality", [0.0, 50.0]),
        ("recording.keyframe_period", [1, 50]),
        ("clips_per_subject", 0),
        ("clips_per_subject", 2.5),
        ("duration_s", [1.0, None]),
        ("duration_s", [0.5, 2.0]),
    ],
)
def test_refuses_by_name(key: str, value: object) -> None:
    with pytest.raises(SettingError, match=rf"^phantom\.{key}="):
        PhantomSettings.from_mapping(nest(key, value))


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"twitches": {"peek_mm": [0.1, 0.2]}}, r"phantom\.twitches\.peek_mm: .*did you mean peak_mm\?"),
        ({"twiches": {}}, r"phantom\.twiches: .*did you mean twitches\?"),
        ({"peak_mm": [0.1, 0.2]}, r"phantom\.peak_mm: there is no such setting"),
        ({"scan": 3}, r"phantom\.scan=3: give a mapping"),
        ({"scan": None}, r"phantom\.scan=None: give a mapping"),
    ],
)
def test_a_misplaced_key_is_named(values: dict[str, object], told: str) -> None:
    with pytest.raises(SettingError, match=told):
        PhantomSettings.from_mapping(values)


def test_the_name_of_another_node_can_be_given() -> None:
    with pytest.raises(SettingError, match=r"^mine\.scan\.fps="):
        PhantomSettings.from_mapping({"scan": {"fps": 3}}, "mine")


def test_shapes_of_cores_share_at_most_all_foci() -> None:
    with pytest.raises(SettingError, match=r"^phantom\.twitches\.crescent_share=0\.8: .*split_share=0\.3"):
        PhantomSettings.from_mapping({"twitches": {"crescent_share": 0.8, "split_share": 0.3}})


def test_every_share_may_be_none_or_all() -> None:
    for key in KEYS:
        if key.endswith("_share") and "crescent" not in key and "split" not in key:
            for share in (0, 0.0, 1, 1.0):
                PhantomSettings.from_mapping(nest(key, share))


def test_every_field_is_documented() -> None:
    for spec in fields(PhantomSettings):
        group = getattr(PhantomSettings(), spec.name)
        if hasattr(group, "__dataclass_fields__"):
            documented = type(group).__doc__
            assert documented is not None
            assert [f.name for f in fields(group) if f"\n        {f.name}: " not in documented] == []


def test_the_defaults_of_a_range_lie_in_order() -> None:
    found: list[Range] = [
        tuple(value)
        for values in GROUPS.values()
        if isinstance(values, dict)
        for value in values.values()
        if isinstance(value, list)
    ]
    assert found
    assert all(low <= high for low, high in found)
