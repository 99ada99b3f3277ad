from __future__ import annotations

from collections.abc import Sequence

import pytest

from fascnet.phantom.data_set.difficulty import describe_difficulty
from fascnet.types import Event, Labels

from ..tiny import make_script

QUIET, MEDIUM, NOISY = -35.0, -25.0, -10.0


def describe(
    sizes: list[float | None], names: Sequence[str] = (), noise_db: float | None = QUIET, **changes: object
) -> dict[str, str]:
    twitches = [Event(0.1 * k, 0.1 * k + 0.2, peak_mm=size) for k, size in enumerate(sizes)]
    others = [Event(0.2, 0.4, label=name) for name in names]
    labels = Labels("clip", "truth", ((0.0, 2.0),), (*twitches, *others))
    return describe_difficulty(make_script(**changes), labels, noise_db)


def test_numbers_are_those_of_the_labels() -> None:
    found = describe([0.4, 0.1, 0.2], ["freeze", "breathing", "freeze"], MEDIUM, codec=(42.4, 12, False))
    assert found == {
        "n_twitches": "3",
        "peak_mm_min": "0.100",
        "peak_mm_median": "0.200",
        "peak_mm_max": "0.400",
        "amplitude": "medium",
        "confounders": "breathing+freeze",
        "n_confounders": "2",
        "noise_db": "-25.0",
        "noise": "medium",
        "lossy_codec": "42",
        "difficulty": "medium",
    }


def test_a_clip_without_twitches_has_empty_cells() -> None:
    found = describe([])
    assert found["n_twitches"] == "0"
    assert found["peak_mm_min"] == found["peak_mm_median"] == found["peak_mm_max"] == ""
    assert found["amplitude"] == "none" and found["lossy_codec"] == "" and found["confounders"] == ""


@pytest.mark.parametrize(
    ("size", "amplitude"), [(0.149, "small"), (0.15, "medium"), (0.299, "medium"), (0.3, "large")]
)
def test_classes_of_amplitude(size: float, amplitude: str) -> None:
    assert describe([size])["amplitude"] == amplitude


@pytest.mark.parametrize(
    ("noise_db", "noise"), [(-30.1, "quiet"), (-30.0, "medium"), (-18.1, "medium"), (-18.0, "noisy")]
)
def test_classes_of_noise(noise_db: float, noise: str) -> None:
    assert describe([0.5], noise_db=noise_db)["noise"] == noise


def test_noise_of_a_real_recording_has_no_number() -> None:
    found = describe([0.5], noise_db=None)
    assert (found["noise_db"], found["noise"], found["difficulty"]) == ("", "recorded", "easy")


@pytest.mark.parametrize(
    ("sizes", "names", "noise_db", "difficulty"),
    [
        ([0.5], [], QUIET, "easy"),
        ([], ["breathing"], QUIET, "easy"),
        ([0.5], ["breathing", "freeze"], QUIET, "medium"),
        ([0.2], [], QUIET, "medium"),
        ([0.5], [], MEDIUM, "medium"),
        ([0.1], [], QUIET, "hard"),
        ([0.5], ["breathing", "freeze", "probe_motion"], QUIET, "hard"),
        ([0.5], [], NOISY, "hard"),
        ([], [], NOISY, "hard"),
    ],
)
def test_classes_of_difficulty(
    sizes: list[float | None], names: list[str], noise_db: float, difficulty: str
) -> None:
    assert describe(sizes, names, noise_db)["difficulty"] == difficulty
