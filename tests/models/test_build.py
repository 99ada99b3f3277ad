from __future__ import annotations

from typing import Any

import pytest

from fascnet.errors import SettingError
from fascnet.models.build import NETWORKS, build_network
from fascnet.models.unet import FasciculationUNet


def test_builds_from_name_and_arguments() -> None:
    network = build_network("fasciculation_unet", {"widths": [4, 8], "dilations": [1, 2], "look_ahead": 2})
    assert isinstance(network, FasciculationUNet)
    assert network.look_ahead == 2


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(SettingError, match=r"no network 'resnet'.*fasciculation_unet"):
        build_network("resnet", {})
    assert list(NETWORKS) == ["fasciculation_unet"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"depth": 3}, "depth"),
        ({"widths": [4, 8], "dilations": [1]}, "dilations"),
        ({"widths": [4], "dilations": [1]}, "give 2 to 4"),
        ({"widths": [4, 0], "dilations": [1, 1]}, "widths"),
        ({"widths": [4, 8.5], "dilations": [1, 1]}, "widths"),
        ({"widths": "ab", "dilations": [1, 1]}, "widths"),
        ({"widths": 8}, ""),
        ({"deep_dilations": [0]}, "deep_dilations"),
        ({"ignore": ["displacment"]}, "displacment is none of velocity"),
        ({"look_ahead": -1}, "give 0 to 8"),
        ({"look_ahead": 9}, "give 0 to 8"),
        ({"dilations": [1, 1, -1]}, "dilations"),
    ],
)
def test_wrong_arguments_are_named(arguments: dict[str, Any], told: str) -> None:
    with pytest.raises(SettingError, match=f"network fasciculation_unet: .*{told}"):
        build_network("fasciculation_unet", arguments)
