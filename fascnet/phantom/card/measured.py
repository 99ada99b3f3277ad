"""Measures the generated twitches themselves, without rendering: times, sizes, shapes, rates."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from fascnet.phantom.card.published import PUBLISHED, Published
from fascnet.phantom.card.ranking import INFORMATIVE, INSIDE, OUTSIDE
from fascnet.phantom.chance import make_rng
from fascnet.phantom.movement.motion import Twitch
from fascnet.phantom.scan.acquisition import ScanSettings
from fascnet.phantom.scene import draw_scene, draw_subject
from fascnet.phantom.settings import PhantomSettings

WATCHED_S = 120.0
"""Length of the clips whose rates are measured; twice the recording time that has the best support, 60 s."""

FIELD_MM = 16.0
"""Side of the square around the epicentre (240 px of 68.5 micrometres, Kobe)."""

PLACE_MM = 3.0
"""Events within this distance come from one focus. Model choice, below the length of a core."""

TWITCHES_PER_CLIP = 3
_STREAM = 12
_GRID_MM = 0.25
_TIME_STEP_S = 0.001
_CORE_LEVEL, _RING_LEVEL, _MOVING_LEVEL = 0.5, 0.15, 0.05
_ONSET_LEVEL, _OFFSET_LEVEL = 0.05, 0.10

Values = dict[str, list[float]]


@dataclass(frozen=True, slots=True)
class Held:
    """One published figure and the phantom's.

    Attributes:
        published: the figure.
        median: of the phantom; the mean for counts and shares; the 90th percentile for the longest gap.
        low: 10th percentile.
        high: 90th percentile.
        n: how many twitches, windows or clips.
        inside_share: share of the phantom's values within the published range.
        verdict: `inside` when the compared figure lies within the range, else `outside`, or `informative`.
        reason: why, in words.
    """

    published: Published
    median: float
    low: float
    high: float
    n: int
    inside_share: float
    verdict: str
    reason: str


def measure_twitches(settings: PhantomSettings, clips: int, seed: int) -> Values:
    """Draw clips with twitches and measure them; returns each quantity's values, keys as in `PUBLISHED`.

    Args:
        settings: what to draw from; the clips' length is replaced by `WATCHED_S`.
        clips: how many, >= 1, each of its own subject.
        seed: seed of everything.
    """
    longer = replace(settings, duration_s=(WATCHED_S, WATCHED_S))
    values: Values = {published.name: [] for published in PUBLISHED}
    for index in range(clips):
        rng = make_rng(_STREAM, seed, index)
        subject = draw_subject(longer, f"phantom_{index:03d}", rng)
        script = draw_scene(longer, subject, True, rng).script
        _add(values, measure_rates(script.twitches, script.duration_s))
        # Twitches of one focus are alike: a few, spread over the clip, stand for all.
        chosen = np.unique(np.linspace(0, len(script.twitches) - 1, TWITCHES_PER_CLIP).astype(int))
        for place in chosen if script.twitches else ():
            _add(values, measure_twitch(script.twitches[int(place)], subject.scan))
    return values


def measure_twitch(twitch: Twitch, scan: ScanSettings) -> Values:
    """Measure one twitch: its field at its peak on a grid, its course at the epicentre."""
    times = np.arange(twitch.active_s[0], twitch.active_s[1] + _TIME_STEP_S, _TIME_STEP_S)
    course = np.stack([twitch.courses(float(t)) for t in times])
    peak = int(np.argmax(np.abs(course).sum(axis=1)))
    places, shape = _lay_grid(twitch)
    field = np.tensordot(course[peak], twitch.modes(places).astype(np.float64), axes=1)
    size = np.hypot(field[:, 0], field[:, 1])
    epicentre = int(np.argmax(size))
    direction = field[epicentre] / max(size[epicentre], 1e-12)
    point = twitch.modes(places[epicentre : epicentre + 1])[:, 0].astype(np.float64)
    values = measure_course(times, course @ (point @ direction), is_single=twitch.second_delay_s is None)
    values["peak_displacement_mm"] = [float(size[epicentre])]
    share = size / size[epicentre]
    core = (share >= _CORE_LEVEL).reshape(shape)
    values |= _measure_core(core)
    near = _cut_field(places, places[epicentre], scan)
    moving = near & (share >= _MOVING_LEVEL)
    units = field[moving] / np.maximum(size[moving], 1e-12)[:, None]
    values["anisotropy"] = [float(np.hypot(*units.mean(axis=0)))]
    values["moving_share"] = [float((share[near] >= _RING_LEVEL).mean())]
    return values


def measure_course(
    times_s: NDArray[np.float64], displacement_mm: NDArray[np.float64], *, is_single: bool
) -> Values:
    """Measure times and velocities of a displacement (n,) over evenly spaced moments (n,).

    Args:
        times_s: moments.
        displacement_mm: displacement along the direction of the peak.
        is_single: not a doublet; a doublet's times are no single pulse's and are left out.
    """
    peak = int(np.argmax(displacement_mm))
    level = displacement_mm / displacement_mm[peak]
    step_s = times_s[1] - times_s[0]
    speed = np.gradient(displacement_mm, step_s)
    values: Values = {"peak_velocity_mm_s": [float(speed.max())]}
    if not is_single:
        return values
    onset = int(np.flatnonzero(level >= _ONSET_LEVEL)[0])
    half = peak + int(np.argmax(level[peak:] < 0.5))
    offset = int(np.flatnonzero(level >= _OFFSET_LEVEL)[-1]) + 1
    rise_s, fall_s = (peak - onset) * step_s, (offset - peak) * step_s
    values["contraction_ms"] = [1000 * rise_s]
    values["half_relaxation_ms"] = [1000 * (half - peak) * step_s]
    values["total_ms"] = [1000 * (rise_s + fall_s)]
    values["lobe_height_ratio"] = [float(-speed.min() / speed.max())]
    values["lobe_length_ratio"] = [fall_s / max(rise_s, step_s)]
    return values


def measure_rates(twitches: Sequence[Twitch], duration_s: float) -> Values:
    """Measure how often and where a clip's twitches come; they are in order of start."""
    starts = np.array([twitch.start_s for twitch in twitches])
    bounds = np.concatenate([[0.0], starts, [duration_s]])
    return {
        "count_20_s": _count_windows(starts, duration_s, 20.0),
        "events_per_min": [60 * len(starts) / duration_s],
        "longest_gap_s": [float(np.diff(bounds).max())],
        "two_in_60_s": [float(count >= 2) for count in _count_windows(starts, duration_s, 60.0)],
        "doublet_share": [float(twitch.second_delay_s is not None) for twitch in twitches],
        "repeating_foci": [float(_count_places([twitch.centre_mm for twitch in twitches]))],
    }


def hold_against_published(values: Values) -> tuple[Held, ...]:
    """Give a verdict on each published figure that there are values for, in the order of `PUBLISHED`."""
    return tuple(
        _hold(published, values[published.name]) for published in PUBLISHED if values[published.name]
    )


def _hold(published: Published, values: list[float]) -> Held:
    data = np.array(values)
    low, middle, high = (float(value) for value in np.percentile(data, [10, 50, 90]))
    word = "median"
    if published.name in ("count_20_s", "two_in_60_s", "doublet_share"):
        middle, word = float(data.mean()), "mean"
    elif published.name == "longest_gap_s":
        middle, word = high, "90th percentile"
    inside = published.low <= middle <= published.high
    verdict = INSIDE if inside else OUTSIDE
    reason = f"{word} within the published range"
    if not inside:
        bound = published.low if middle < published.low else published.high
        side = "below" if middle < published.low else "above"
        reason = f"{word} is {abs(middle - bound):.3g} {published.unit} {side} the published range".replace(
            "  ", " "
        )
    if published.caution and (not inside or published.caution == "no published figure"):
        verdict, reason = INFORMATIVE, f"{reason}; {published.caution}" if not inside else published.caution
    share = float(((data >= published.low) & (data <= published.high)).mean())
    return Held(published, middle, low, high, len(data), share, verdict, reason)


def _lay_grid(twitch: Twitch) -> tuple[NDArray[np.float32], tuple[int, int]]:
    """Lay a grid over the tissue of and around the picture, wide enough for the field and the core."""
    reach = FIELD_MM
    x = np.arange(twitch.centre_mm[0] - reach, twitch.centre_mm[0] + reach, _GRID_MM)
    z = np.arange(max(twitch.centre_mm[1] - reach, 0.0), twitch.centre_mm[1] + reach, _GRID_MM)
    columns, rows = np.meshgrid(x, z)
    places = np.stack([columns.ravel(), rows.ravel()], axis=-1).astype(np.float32)
    return places, (len(z), len(x))


def _cut_field(
    places: NDArray[np.float32], epicentre: NDArray[np.float32], scan: ScanSettings
) -> NDArray[np.bool_]:
    """Return which places lie in the field; it is moved to stay inside the picture, as Kobe does."""
    sides = (scan.width_px * scan.mm_per_px, scan.height_px * scan.mm_per_px)
    inside = np.ones(len(places), dtype=bool)
    for axis, side in enumerate(sides):
        half = FIELD_MM / 2
        middle = float(epicentre[axis])
        if side > FIELD_MM:
            middle = min(max(middle, half), side - half)
        inside &= np.abs(places[:, axis] - middle) <= half
        inside &= (places[:, axis] >= 0) & (places[:, axis] <= side)
    return inside


def _measure_core(core: NDArray[np.bool_]) -> Values:
    rows, columns = np.nonzero(core)
    area = len(rows) * _GRID_MM**2
    _, sides, _ = cv2.minAreaRect(np.stack([columns, rows], axis=-1).astype(np.float32))
    # Points stand for cells, so a row of n points is n cells long.
    long = (max(sides) + 1) * _GRID_MM
    return {
        "core_area_mm2": [area],
        "core_long_mm": [float(long)],
        "core_short_mm": [float(4 * area / (math.pi * long))],
    }


def _count_windows(starts: NDArray[np.float64], duration_s: float, window_s: float) -> list[float]:
    edges = np.arange(0.0, duration_s - window_s + 1e-6, window_s)
    return [float(np.count_nonzero((starts >= edge) & (starts < edge + window_s))) for edge in edges]


def _count_places(centres: Sequence[tuple[float, float]]) -> int:
    """Count places with two or more events; an event joins the first place within `PLACE_MM`."""
    places: list[tuple[float, float]] = []
    counts: list[int] = []
    for x, z in centres:
        for index, (px, pz) in enumerate(places):
            if math.hypot(x - px, z - pz) <= PLACE_MM:
                counts[index] += 1
                break
        else:
            places.append((x, z))
            counts.append(1)
    return sum(count >= 2 for count in counts)


def _add(values: Values, more: Values) -> None:
    for name, each in more.items():
        values[name] += each
