from __future__ import annotations

import json

import pytest

from fascnet.errors import SettingError
from fascnet.phantom.settings import PhantomSettings


def test_survives_json() -> None:
    settings = PhantomSettings(duration_s=(2.0, 3.0))
    assert PhantomSettings.from_mapping(json.loads(json.dumps(settings.to_mapping()))) == settings


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("fps", [60.0, 25.0]),
        ("fps", [0.0, 25.0]),
        ("fps", 30.0),
        ("fps", "ab"),
        ("mm_per_px", [0.1, float("nan")]),
        ("jolt_share", 1.2),
        ("jolt_share", True),
        ("clips_per_subject", 0),
        ("clips_per_subject", 2.5),
        ("duration_s", [1.0, None]),
        ("twich_peak_mm", [0.1, 0.2]),
    ],
)
def test_refuses_by_name(key: str, value: object) -> None:
    with pytest.raises(SettingError, match=rf"phantom\.{key}"):
        PhantomSettings.from_mapping({key: value})
