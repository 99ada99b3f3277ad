"""Errors of the measured kinematics on a phantom set, whose twitches are known exactly.

    python scripts/benchmark_kinematics.py FOLDER [time_error_s=0] [place_error_mm=0] [predictions=OUTPUT]

FOLDER is what `fascnet phantom` wrote; its clips are drawn once more from `phantom.json`, without rendering,
for the twitches' own courses and fields. Each twitch that no other overlaps is measured at its labelled
times and the middle of its region, shifted at random by up to the given errors (seeded), and compared.
With `predictions`, what `fascnet predict` wrote for the same clips, the onsets of the found events are
compared too: those of the heatmap and those of the waveform.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import cv2
import numpy as np
from key_values import read_key_values, read_number
from numpy.typing import NDArray
from phantom_recipe import read_recipe

from fascnet.data.recording.recordings import open_recording
from fascnet.errors import SettingError
from fascnet.inference.kinematics.field_shape import DIRECTION_LEVEL, FIELD_MM, MOVING_LEVEL
from fascnet.inference.kinematics.recording_pass import measure_events
from fascnet.inference.kinematics.separation import CORE_LEVEL
from fascnet.inference.kinematics.working_picture import WorkingPicture
from fascnet.inference.tables import read_tables
from fascnet.phantom.generate import make_scene
from fascnet.phantom.movement.motion import Twitch, find_peaks_mm
from fascnet.phantom.plan import plan_clips
from fascnet.phantom.scene import PhantomSettings, Scene
from fascnet.phantom.truth import find_times, make_twitch_event
from fascnet.types import Event, Kinematics, Point, Polygon

STEP_PX = 4
STEP_S = 0.0005
APART_S = 0.1
"""Twitches closer than this are not measured: their movements add up."""

RESAMPLES = 1000

QUANTITIES = (
    "contraction_s",
    "half_relaxation_s",
    "relaxation_s",
    "peak_mm",
    "peak_velocity_mm_per_s",
    "active_area_mm2",
    "moving_area_mm2",
    "anisotropy",
)


@dataclass(frozen=True)
class Case:
    """One twitch, its true and its measured kinematics."""

    clip_id: str
    fps: float
    mm_per_px: float
    truth: Kinematics
    measured: Kinematics


def know_twitch(scene: Scene, twitch: Twitch, event: Event) -> Kinematics:
    """Return a twitch's true kinematics within the picture, by the definitions of docs/kinematics.md."""
    frame, mm = scene.picture_frame, scene.subject.scan.mm_per_px
    x, y = np.meshgrid(np.arange(0, frame.width_px, STEP_PX), np.arange(0, frame.height_px, STEP_PX))
    places = (np.stack([x.ravel(), y.ravel()], axis=-1) * mm).astype(np.float32)
    modes = twitch.modes(places)[0].reshape(*x.shape, 2)
    size = np.hypot(modes[..., 0], modes[..., 1])
    row, column = np.unravel_index(int(size.argmax()), size.shape)
    share = size / size[row, column]
    near = (np.abs(x - x[row, column]) * mm <= FIELD_MM / 2) & (
        np.abs(y - y[row, column]) * mm <= FIELD_MM / 2
    )
    counted = near & (share >= DIRECTION_LEVEL)
    units = modes[counted] / size[counted][:, None]
    onset_s, peak_s, offset_s = find_times(twitch)
    times_s = np.arange(*twitch.active_s, STEP_S)
    course = twitch.course(times_s)
    top = int(course.argmax())
    peak_mm = float((event.peak_mm if event.peak_mm is not None else twitch.peak_mm) * size[row, column])
    cell_mm2 = (STEP_PX * mm) ** 2
    return Kinematics(
        quality=1.0,
        onset_s=event.onset_s,
        peak_s=event.peak_s,
        contraction_s=peak_s - onset_s,
        half_relaxation_s=float(np.argmax(course[top:] < 0.5)) * STEP_S,
        relaxation_s=offset_s - peak_s,
        peak_mm=peak_mm,
        peak_velocity_mm_per_s=peak_mm * float(np.gradient(course, STEP_S).max()),
        anisotropy=float(np.hypot(*units.mean(axis=0))),
        active_area_mm2=float(np.count_nonzero(share >= CORE_LEVEL) * cell_mm2),
        moving_area_mm2=float(np.count_nonzero(share >= MOVING_LEVEL) * cell_mm2),
        epicentre=Point(
            float(x[row, column] + frame.offset_px[0]), float(y[row, column] + frame.offset_px[1])
        ),
    )


def find_middle(polygon: Polygon) -> Point:
    """Return the centroid of an outline."""
    moments = cv2.moments(np.array(polygon.points, dtype=np.float32))
    return Point(moments["m10"] / moments["m00"], moments["m01"] / moments["m00"])


def list_twitches(scene: Scene) -> list[tuple[Twitch, Event]]:
    """Return the twitches of a scene that stand alone in time, with their labels."""
    twitches = scene.script.twitches
    pairs = [
        (twitch, event)
        for twitch, peak_mm in zip(twitches, find_peaks_mm(twitches), strict=True)
        if (event := make_twitch_event(scene.script, scene.picture_frame, twitch, peak_mm)) is not None
    ]
    return [
        (twitch, event)
        for twitch, event in pairs
        if isinstance(event.region, Polygon)
        and event.peak_s is not None
        and not any(
            other is not event and other.onset_s < event.offset_s and other.offset_s > event.onset_s - APART_S
            for _, other in pairs
        )
    ]


def measure_clip(
    clip: Path, scene: Scene, time_error_s: float, place_error_mm: float, rng: np.random.Generator
) -> tuple[list[Case], float]:
    """Measure a clip's twitches; returns them and the CPU seconds that it took, decoding included."""
    pairs = list_twitches(scene)
    mm, box = scene.subject.scan.mm_per_px, scene.picture_box
    given = []
    for _, event in pairs:
        assert isinstance(event.region, Polygon)
        middle = find_middle(event.region)
        early_s, late_s = rng.uniform(-time_error_s, time_error_s, 2)
        dx, dy = rng.uniform(-place_error_mm, place_error_mm, 2) / mm
        onset_s = max(event.onset_s + early_s, 0.0)
        given.append(
            Event(
                onset_s,
                max(event.offset_s + late_s, onset_s + 0.067),
                peak_s=event.peak_s,
                region=Point(middle.x + dx, middle.y + dy),
            )
        )
    began = time.process_time()
    found = measure_events(open_recording(clip, find_area=False), given, WorkingPicture(box, mm))
    spent = time.process_time() - began
    cases = [
        Case(clip.stem, scene.subject.fps, mm, know_twitch(scene, twitch, event), measured.kinematics)
        for (twitch, event), measured in zip(pairs, found, strict=True)
        if measured.kinematics is not None
    ]
    return cases, spent


def describe_errors(cases: Sequence[Case], rng: np.random.Generator) -> str:
    """Describe each quantity's relative errors.

    Returns:
        Lines with the median size of the error, its 95 % interval (clips resampled), the median error and how
        many twitches gave the quantity.
    """
    lines = []
    for name in QUANTITIES:
        errors = [
            (case.clip_id, float(value) / float(getattr(case.truth, name)) - 1)
            for case in cases
            if (value := getattr(case.measured, name)) is not None
        ]
        if not errors:
            lines.append(f"  {name:24s} none measured")
            continue
        values = np.array([error for _, error in errors])
        low, high = _resample([clip for clip, _ in errors], np.abs(values), np.median, rng)
        lines.append(
            f"  {name:24s} {np.median(np.abs(values)):4.0%} ({low:.0%} to {high:.0%}), "
            f"bias {np.median(values):+.0%}, n={len(values)}"
        )
    timed = [case for case in cases if case.measured.onset_s is not None and case.measured.peak_s is not None]
    for name in ("onset_s", "peak_s"):
        late = np.array(
            [(getattr(c.measured, name) - getattr(c.truth, name)) * c.fps for c in timed], dtype=np.float64
        )
        if late.size:
            lines.append(
                f"  {name:24s} within one frame {np.mean(np.abs(late) <= 1):.0%}, "
                f"median {np.median(late):+.2f} frames, n={late.size}"
            )
    return "\n".join(lines)


def _resample(
    clips: Sequence[str],
    values: NDArray[np.float64],
    figure: Callable[[NDArray[np.float64]], np.floating],
    rng: np.random.Generator,
) -> tuple[float, float]:
    names = sorted(set(clips))
    members = [np.array([i for i, clip in enumerate(clips) if clip == name]) for name in names]
    drawn = [
        float(figure(values[np.concatenate([members[k] for k in rng.integers(len(names), size=len(names))])]))
        for _ in range(RESAMPLES)
    ]
    low, high = np.percentile(drawn, [2.5, 97.5])
    return float(low), float(high)


def compare_onsets(scenes: dict[str, Scene], predictions: Path) -> str:
    """Compare both onsets of found events with the truth; an event belongs to the twitch it overlaps most."""
    heatmap, waveform, matched = [], [], 0
    for clip_id, found in read_tables(predictions).items():
        scene = scenes.get(clip_id)
        for _, twitch in list_twitches(scene) if scene is not None else ():
            shared = [
                (min(event.offset_s, twitch.offset_s) - max(event.onset_s, twitch.onset_s), event)
                for event in found.events
            ]
            overlap_s, event = max(shared, key=lambda pair: pair[0], default=(0.0, None))
            if event is None or overlap_s <= 0 or scene is None:
                continue
            matched += 1
            if event.kinematics is not None and event.kinematics.onset_s is not None:
                heatmap.append((event.onset_s - twitch.onset_s) * scene.subject.fps)
                waveform.append((event.kinematics.onset_s - twitch.onset_s) * scene.subject.fps)
    lines = [f"found events: {matched} on lone twitches, {len(waveform)} of them with kinematics"]
    for name, late in (("heatmap", np.array(heatmap)), ("waveform", np.array(waveform))):
        if late.size:
            lines.append(
                f"  onset of the {name:8s} within one frame {np.mean(np.abs(late) <= 1):.0%}, "
                f"median {np.median(late):+.2f} frames, median size {np.median(np.abs(late)):.2f}"
            )
    return "\n".join(lines)


def main(arguments: list[str]) -> int:
    """Measure and print."""
    if not arguments:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        given = read_key_values(
            arguments[1:], {"time_error_s": "0", "place_error_mm": "0", "predictions": ""}
        )
        time_error_s, place_error_mm = (read_number(given, key) for key in ("time_error_s", "place_error_mm"))
        folder = Path(arguments[0])
        recipe = read_recipe(folder, ("settings", "clips", "seed", "split_fractions"))
    except SettingError as error:
        print(f"benchmark_kinematics: {error}", file=sys.stderr)
        return 2
    predictions = given["predictions"]
    cv2.setNumThreads(1)
    settings = PhantomSettings.from_mapping(recipe["settings"])
    rng = np.random.default_rng(0)
    cases: list[Case] = []
    scenes: dict[str, Scene] = {}
    spent_s = 0.0
    for plan in plan_clips(recipe["clips"], recipe["seed"], settings, recipe["split_fractions"]):
        clips = sorted((folder / "clips").glob(f"{plan.clip_id}.*"))
        if not plan.has_twitches or not clips:
            continue
        scenes[plan.clip_id] = make_scene(plan, recipe["seed"], settings)
        found, seconds = measure_clip(clips[0], scenes[plan.clip_id], time_error_s, place_error_mm, rng)
        cases += found
        spent_s += seconds
    print(f"{len(cases)} lone twitches of {len(scenes)} clips, {spent_s / max(len(cases), 1):.2f} CPU s each")
    groups: list[tuple[str, Callable[[Case], bool]]] = [
        ("all", lambda _: True),
        ("below 0.15 mm", lambda case: (case.truth.peak_mm or 0.0) < 0.15),
        ("0.15-0.3 mm", lambda case: 0.15 <= (case.truth.peak_mm or 0.0) < 0.3),
        ("0.3 mm or more", lambda case: (case.truth.peak_mm or 0.0) >= 0.3),
        ("below 35 Hz", lambda case: case.fps < 35),
        ("35 Hz or more", lambda case: case.fps >= 35),
    ]
    for name, belongs in groups:
        chosen = [case for case in cases if belongs(case)]
        measured = sum(case.measured.onset_s is not None for case in chosen)
        print(f"\n{name}: {measured} of {len(chosen)} measured")
        if measured:
            print(describe_errors(chosen, rng))
    if predictions:
        print("\n" + compare_onsets(scenes, Path(predictions)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
