"""How far twitches stand out from everything else that moves, before any network has looked.

    python scripts/measure_contrast.py data.root=FOLDER [cache=FOLDER] [taken_away=none,shift,affine]
        [motion=lucas_kanade,phase,matching] [blur_taps=1,3,5] [pitch_mm=0.15] [rate_hz=30]

`data.root` is a phantom whose subjects are in the validation split. For each twitch the front end's residual
motion is averaged over the cells that twitch: the contrast is its largest length in the third of a second
after onset over the root mean square of the same average while nothing twitches. Prints a Markdown table of
the medians by amplitude: of velocity, of displacement over a tenth of a second, over a sixth, and over a
tenth less that of the tenth before, for every way to measure motion (`contrast/estimates.py`), every blur
before it and everything that is taken away as the motion of the whole picture; and how many twitches are
clear in one of these, knowing their very cells as no detector does.
"""

from __future__ import annotations

import os
import sys

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import tempfile
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from itertools import pairwise, product
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import torch
from contrast.estimates import ESTIMATES
from key_values import read_key_values
from numpy.typing import NDArray

from fascnet.commands.config import compose_config, instantiate_node
from fascnet.data.labelling.targets import TWITCH
from fascnet.data.training_input.cell_targets import pool_cells
from fascnet.data.training_input.front_end_run import FrontEndRun
from fascnet.data.training_input.motion_cache import CHUNK_TICKS
from fascnet.data.training_input.working_clip import WorkingClip
from fascnet.errors import FascnetError, SettingError
from fascnet.models.global_motion import GLOBAL_MOTIONS
from fascnet.models.motion import BLUR_TAPS, MotionFrontEnd
from fascnet.types import FASCICULATION

AMPLITUDE_CUTS_MM = (0.0, 0.08, 0.15, 0.3, np.inf)
COURSES = ("velocity", "0.1 s", "0.17 s", "0.1 s less the 0.1 before")
SHORT_S, LONG_S = 0.1, 1 / 6
CLEAR = 5.0
"""Contrast from which a twitch is clear: noise of a normal distribution gets there once in a million."""
SEARCHED_S = 1 / 3
BEFORE_S, AFTER_S = 0.2, 1.2
"""Around a movement these seconds are not quiet: tissue takes longer to come back than the label lasts."""
LASTING_S = 3.0
"""Movements that last longer are part of the background that a twitch must stand out from."""
MIN_QUIET_S = 4 / 3
START_S = 0.5
"""Not quiet either: the noise level is not known yet."""

_DEFAULTS = {
    "data.root": "",
    "cache": "",
    "taken_away": ",".join(GLOBAL_MOTIONS),
    "motion": "lucas_kanade",
    "blur_taps": "3",
    "pitch_mm": "0.15",
    "rate_hz": "30",
}


def main(arguments: Sequence[str]) -> int:
    """Measure every twitch and print the table."""
    torch.set_num_threads(1)
    try:
        settings = read_key_values(arguments, _DEFAULTS, needed=("data.root",))
        motions = read_choices(settings, "motion", ESTIMATES)
        blurs = read_choices(settings, "blur_taps", [str(n_taps) for n_taps in BLUR_TAPS])
        taken_away = read_choices(settings, "taken_away", GLOBAL_MOTIONS)
        with tempfile.TemporaryDirectory() as folder:
            overrides = [
                f"data.root={settings['data.root']}",
                f"data.cache_dir={settings['cache'] or folder}",
                *(f"data.preprocessor.{key}={settings[key]}" for key in ("pitch_mm", "rate_hz")),
            ]
            data = instantiate_node(compose_config("train", [*overrides, "output=none"])["data"], "data")
            data.setup("validate")
            print_table(data.val_clips, list(product(motions, map(int, blurs), taken_away)))
    except FascnetError as error:
        print(f"measure_contrast: {error}", file=sys.stderr)
        return 2
    return 0


def read_choices(settings: Mapping[str, str], key: str, names: Collection[str]) -> list[str]:
    """Return the names that a setting lists.

    Raises:
        SettingError: one of them is none of `names`.
    """
    chosen = settings[key].split(",")
    if unknown := sorted(set(chosen) - set(names)):
        raise SettingError(f"{key}: no {', '.join(unknown)}; choose from {', '.join(names)}")
    return chosen


def print_table(clips: Sequence[WorkingClip], ways: Sequence[tuple[str, int, str]]) -> None:
    """Measure all clips in each way (motion, taps of the blur, taken away) and print medians by amplitude."""
    found: dict[tuple[str, int, str, int], list[NDArray[np.float64]]] = defaultdict(list)
    for clip in clips:
        for motion, blur_taps, kind in ways:
            front_end = ESTIMATES[motion](global_motion=kind, blur_taps=blur_taps)
            for peak_mm, contrasts in measure_contrasts(clip, front_end):
                amplitude = int(np.searchsorted(AMPLITUDE_CUTS_MM, peak_mm, side="right"))
                found[motion, blur_taps, kind, amplitude].append(contrasts)
    print(f"| twitches | motion | blur | taken away | {' | '.join(COURSES)} | from {CLEAR:g} up |")
    print(f"| --- {'| --- ' * (len(COURSES) + 4)}|")
    for index, (low, high) in enumerate(pairwise(AMPLITUDE_CUTS_MM), start=1):
        for motion, blur_taps, kind in ways:
            rows = found[motion, blur_taps, kind, index]
            if rows:
                cells = [f"{value:.1f}" for value in np.median(rows, axis=0)]
                cells.append(f"{100 * np.mean(np.max(rows, axis=1) >= CLEAR):.0f} %")
                way = f"{motion} | {blur_taps} | {kind}"
                print(f"| {len(rows)} of {low:g}-{high:g} mm | {way} | {' | '.join(cells)} |")


def measure_contrasts(
    clip: WorkingClip, front_end: MotionFrontEnd
) -> list[tuple[float, NDArray[np.float64]]]:
    """Return peak displacement (mm) of every twitch and its contrasts, one for each of `COURSES`."""
    residual = measure_residual(clip, front_end)
    rate_hz = clip.grid.rate_hz
    short, long = round(SHORT_S * rate_hz), round(LONG_S * rate_hz)
    quiet = find_quiet(clip, len(residual))
    stencils = clip.cut_stencils()
    twitches = clip.labels.fasciculations()
    contrasts = []
    for event, stencil in zip(twitches, stencils, strict=True):
        onset = round(stencil.onset_s * rate_hz)
        cells = pool_cells(stencil.place[None])[0] == TWITCH
        if (
            event.peak_mm is None
            or not cells.any()
            or onset < START_S * rate_hz
            or quiet.sum() < MIN_QUIET_S * rate_hz
        ):
            continue
        velocity = residual[:, :, cells].mean(axis=-1)
        courses = [velocity, add_up(velocity, short), add_up(velocity, long)]
        courses.append(courses[1] - np.concatenate([np.zeros((short, 2)), courses[1][:-short]]))
        lengths = [np.hypot(course[:, 0], course[:, 1]) for course in courses]
        last = onset + round(SEARCHED_S * rate_hz)
        contrasts.append(
            (
                event.peak_mm,
                np.array([n[onset:last].max() / np.sqrt(np.square(n[quiet]).mean()) for n in lengths]),
            )
        )
    return contrasts


def measure_residual(clip: WorkingClip, front_end: MotionFrontEnd) -> NDArray[np.float64]:
    """Return the residual velocity at the fine scale, (T, 2, h, w) pixels per 1/30 s."""
    running = FrontEndRun(front_end)
    pieces = []
    for first in range(0, len(clip.dt_s), CHUNK_TICKS):
        part = slice(first, first + CHUNK_TICKS)
        # In memory: torch does not take the read-only pictures that lie on disk.
        channels = running.measure(np.array(clip.frames[part]), clip.dt_s[part])
        pieces.append(channels[:, MotionFrontEnd.GROUPS["velocity"]].astype(np.float64))
    shown = np.concatenate(pieces)
    # What `compress(4 x)` made of it.
    residual: NDArray[np.float64] = np.copysign(np.expm1(np.abs(shown)), shown) / 4.0
    return residual


def find_quiet(clip: WorkingClip, n_ticks: int) -> NDArray[np.bool_]:
    """Return (T,): nothing twitches, and no other short movement is labelled."""
    quiet = np.ones(n_ticks, bool)
    quiet[: round(START_S * clip.grid.rate_hz)] = False
    for event in clip.labels.events:
        if event.label == FASCICULATION or event.offset_s - event.onset_s < LASTING_S:
            start_s, end_s = event.onset_s - BEFORE_S, event.offset_s + AFTER_S
            quiet[max(0, int(start_s * clip.grid.rate_hz)) : int(end_s * clip.grid.rate_hz)] = False
    return quiet


def add_up(velocity: NDArray[np.float64], n_ticks: int) -> NDArray[np.float64]:
    """Return the displacement over the last `n_ticks`, (T, 2)."""
    total: NDArray[np.float64] = np.cumsum(np.concatenate([np.zeros((n_ticks, 2)), velocity]), axis=0)
    return total[n_ticks:] - total[:-n_ticks]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
