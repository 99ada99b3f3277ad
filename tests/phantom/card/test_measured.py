from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from fascnet.phantom.card.measured import (
    hold_against_published,
    measure_course,
    measure_rates,
    measure_twitch,
    measure_twitches,
)
from fascnet.phantom.card.published import PUBLISHED
from fascnet.phantom.card.ranking import INFORMATIVE, INSIDE, OUTSIDE
from fascnet.phantom.scan.acquisition import ScanSettings
from fascnet.phantom.settings import PhantomSettings

SCAN = ScanSettings(height_px=300, width_px=400, mm_per_px=0.1)


@dataclass(frozen=True)
class PlainTwitch:
    """A Gaussian ellipse that moves along x, or outward from its centre: a triangle in time."""

    centre_mm: tuple[float, float] = (20.0, 15.0)
    long_mm: float = 5.0
    short_mm: float = 2.0
    peak_mm: float = 0.4
    start_s: float = 1.0
    outward: bool = False
    second_delay_s: float | None = None

    @property
    def active_s(self) -> tuple[float, float]:
        return (self.start_s, self.start_s + 0.3)

    def modes(self, positions_mm: np.ndarray) -> np.ndarray:
        place = positions_mm - np.array(self.centre_mm, np.float32)
        level = np.exp(-np.log(2) * ((place[:, 0] / self.long_mm) ** 2 + (place[:, 1] / self.short_mm) ** 2))
        angle = np.arctan2(place[:, 1], place[:, 0]) if self.outward else np.zeros(len(place))
        return (level[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=-1))[None].astype(np.float32)

    def courses(self, t_s: float) -> np.ndarray:
        since = t_s - self.start_s
        return np.array([self.peak_mm * np.interp(since, [0, 0.1, 0.3], [0, 1, 0])])


def test_a_known_twitch_gives_back_its_figures() -> None:
    values = measure_twitch(PlainTwitch(), SCAN)
    assert values["peak_displacement_mm"] == pytest.approx([0.4], rel=0.01)
    assert values["core_area_mm2"] == pytest.approx([np.pi * 5 * 2], rel=0.03)
    assert values["core_long_mm"] == pytest.approx([10.0], rel=0.04)
    assert values["core_short_mm"] == pytest.approx([4.0], rel=0.06)
    assert values["anisotropy"] == pytest.approx([1.0], abs=1e-3)
    # Level 15 % lies at 1.654 times the half-level ellipse, which the field cuts at 8 mm on either side.
    grid = np.stack(np.meshgrid(np.linspace(-8, 8, 400), np.linspace(-8, 8, 400)))
    inside = (grid[0] / 5) ** 2 + (grid[1] / 2) ** 2 <= np.log(1 / 0.15) / np.log(2)
    assert values["moving_share"] == pytest.approx([inside.mean()], rel=0.04)
    assert values["contraction_ms"] == pytest.approx([95.0], abs=1.5)
    assert values["half_relaxation_ms"] == pytest.approx([100.0], abs=2)
    assert values["total_ms"] == pytest.approx([275.0], abs=2.5)
    assert values["peak_velocity_mm_s"] == pytest.approx([4.0], rel=0.02)
    assert values["lobe_height_ratio"] == pytest.approx([0.5], rel=0.02)


def test_outward_movement_has_no_common_direction() -> None:
    assert measure_twitch(PlainTwitch(outward=True), SCAN)["anisotropy"][0] < 0.05


def test_the_field_stays_in_the_tissue_of_the_picture() -> None:
    shallow = measure_twitch(PlainTwitch(centre_mm=(1.0, 3.0)), SCAN)
    grid = np.stack(np.meshgrid(np.linspace(0, 16, 400), np.linspace(0, 16, 400)))
    inside = ((grid[0] - 1) / 5) ** 2 + ((grid[1] - 3) / 2) ** 2 <= np.log(1 / 0.15) / np.log(2)
    assert shallow["moving_share"] == pytest.approx([inside.mean()], rel=0.06)


def test_times_of_a_doublet_are_left_out() -> None:
    values = measure_twitch(PlainTwitch(second_delay_s=0.1), SCAN)
    assert "contraction_ms" not in values and "peak_velocity_mm_s" in values


def test_times_are_measured_from_the_levels() -> None:
    times = np.arange(0, 1, 0.001)
    course = np.where(times < 0.2, np.sin(times / 0.2 * np.pi / 2) ** 2, np.exp(-(times - 0.2) / 0.1))
    values = measure_course(times, course, is_single=True)
    # sin² passes 5 % at 14.4 % of the rise; exp falls to half at 69 ms and to 10 % at 230 ms.
    assert values["contraction_ms"] == pytest.approx([171.3], abs=1.5)
    assert values["half_relaxation_ms"] == pytest.approx([69.3], abs=1.5)
    assert values["total_ms"] == pytest.approx([171.3 + 230.3], abs=2.5)


def test_rates_count_windows_gaps_and_places() -> None:
    starts = [1.0, 5.0, 9.0, 30.0, 70.0]
    places = [(10.0, 10.0), (10.5, 10.0), (25.0, 12.0), (24.0, 12.5), (35.0, 8.0)]
    twitches = [
        PlainTwitch(start_s=s, centre_mm=p, second_delay_s=0.1 if s == 30.0 else None)
        for s, p in zip(starts, places, strict=True)
    ]
    values = measure_rates(twitches, 120.0)
    assert values["count_20_s"] == [3, 1, 0, 1, 0, 0]
    assert values["events_per_min"] == [2.5]
    assert values["longest_gap_s"] == [50.0]
    assert values["two_in_60_s"] == [1, 0]
    assert sum(values["doublet_share"]) == 1
    assert values["repeating_foci"] == [2]


def test_a_clip_without_twitches_has_rates_too() -> None:
    values = measure_rates([], 120.0)
    assert values["longest_gap_s"] == [120.0] and values["events_per_min"] == [0]


def test_verdicts() -> None:
    values = {published.name: [] for published in PUBLISHED}
    values |= {
        "contraction_ms": [100.0, 110.0],
        "total_ms": [700.0],
        "moving_share": [0.2],
        "doublet_share": [0.0],
    }
    held = {each.published.name: each for each in hold_against_published(values)}
    assert set(held) == {"contraction_ms", "total_ms", "moving_share", "doublet_share"}
    assert held["contraction_ms"].verdict == INSIDE and held["contraction_ms"].inside_share == 1
    assert held["total_ms"].verdict == OUTSIDE and "100 ms above" in held["total_ms"].reason
    assert held["moving_share"].verdict == INFORMATIVE and "tracking window" in held["moving_share"].reason
    assert held["doublet_share"].verdict == INFORMATIVE


def test_every_figure_has_a_source_and_an_order() -> None:
    assert len({published.name for published in PUBLISHED}) == len(PUBLISHED)
    for published in PUBLISHED:
        assert published.low < published.high
        assert published.source and published.stated and published.rule


def test_the_phantom_gives_every_figure_and_the_same_ones_again() -> None:
    one, other = (measure_twitches(PhantomSettings(), 3, seed=4) for _ in range(2))
    assert one == other
    assert all(one[published.name] for published in PUBLISHED)
    assert len(hold_against_published(one)) == len(PUBLISHED)
