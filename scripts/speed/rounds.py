"""Timing in rounds: every candidate in every round, in a new order, and ratios within a round only."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from speed.candidate import Candidate
from speed.frames import Image

WINDOW_S = 0.4
"""Calls are repeated until a window is this long: the clock and the scheduler are coarse."""

WARM_UP_CALLS = 2
SLOW_ROUNDS = 3
NOISY, TOO_NOISY = 1.3, 2.0
"""Largest over smallest time of the anchor: above the first it is said, above the second no verdict."""


@dataclass(frozen=True)
class Window:
    """One timed window of one candidate: seconds per frame of this process's CPU and by the clock."""

    cpu_s: float
    wall_s: float


Windows = Mapping[str, Sequence[Window | None]]
"""Candidate -> a window for each round, None where it sat out."""


@dataclass(frozen=True)
class Ratio:
    """A ratio over rounds: median and quartiles, and how many rounds."""

    median: float
    low: float
    high: float
    rounds: int


def time_rounds(
    candidates: Sequence[Candidate], images: Mapping[str, Sequence[Image]], rounds: int, seed: int
) -> dict[str, list[Window | None]]:
    """Warm every candidate up and time all of them in rounds of shuffled order.

    Args:
        candidates: to be timed; slow ones sit out the later rounds.
        images: frames by size.
        rounds: how many.
        seed: of the order.
    """
    for candidate in candidates:
        few = images[candidate.size][: min(candidate.n_frames, 16)]
        # Slow candidates have one call of their own length to warm up in.
        for _ in range(WARM_UP_CALLS if candidate.rounds > SLOW_ROUNDS else 1):
            for _ in candidate.run(few):
                pass
    rng = random.Random(seed)
    found: dict[str, list[Window | None]] = {candidate.name: [] for candidate in candidates}
    for number in range(rounds):
        order = list(candidates)
        rng.shuffle(order)
        for candidate in order:
            part = images[candidate.size][: candidate.n_frames]
            takes_part = number < candidate.rounds
            found[candidate.name].append(time_window(candidate, part) if takes_part else None)
    return found


def time_window(candidate: Candidate, images: Sequence[Image]) -> Window:
    """Call a candidate until the window is full."""
    cpu, wall, count = time.process_time(), time.perf_counter(), 0
    while True:
        for _ in candidate.run(images):
            count += 1
        count -= candidate.n_free
        elapsed_s = time.perf_counter() - wall
        if elapsed_s >= WINDOW_S:
            return Window((time.process_time() - cpu) / count, elapsed_s / count)


def compare(windows: Windows, anchor: str, candidate: str, by_clock: bool) -> Ratio | None:
    """Return how many times the anchor's frames per second a candidate does: median of the rounds' ratios.

    Args:
        windows: from `time_rounds`.
        anchor: its time is the numerator.
        candidate: its time is the denominator.
        by_clock: use the clock instead of CPU time (more than one thread).
    """
    ratios = [
        pick(theirs, by_clock) / pick(ours, by_clock)
        for theirs, ours in zip(windows[anchor], windows[candidate], strict=True)
        if theirs is not None and ours is not None
    ]
    return summarise(ratios)


def summarise(values: Sequence[float]) -> Ratio | None:
    """Return median and quartiles; None without values, the range in place of quartiles below three."""
    if not values:
        return None
    if len(values) < SLOW_ROUNDS:
        return Ratio(statistics.median(values), min(values), max(values), len(values))
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return Ratio(middle, low, high, len(values))


def measure_per_frame(windows: Sequence[Window | None], by_clock: bool) -> float:
    """Return the median seconds per frame."""
    return statistics.median(pick(window, by_clock) for window in windows if window is not None)


def measure_spread(windows: Sequence[Window | None], by_clock: bool) -> float:
    """Return the largest over the smallest time: how noisy the machine was."""
    times = [pick(window, by_clock) for window in windows if window is not None]
    return max(times) / min(times)


def pick(window: Window, by_clock: bool) -> float:
    """Return the seconds per frame that count."""
    return window.wall_s if by_clock else window.cpu_s
