"""What is wrong with one recording: too short, at a wrong rate, without scale, frozen, with gaps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from fascnet.data.clip_set.clip_facts import ClipFacts
from fascnet.data.clip_set.problem import Problem, list_clips, take_apart
from fascnet.types import ClipSource

LEAST_DURATION_S = 1.0
"""A shorter clip holds hardly more than one fasciculation (0.1-0.6 s) and no rest to compare it with."""

RATE_TOLERANCE = 0.02
"""Rates that differ by more than this share contradict each other (30 against 29.97 does not)."""

SCALE_TOLERANCE = 0.05
"""Spacings that differ by more than this share contradict each other; a ruler read by hand is 2 % off."""

LEAST_AREA_CONFIDENCE = 0.5
"""An imaging area below is more likely wrong than right."""

UNEVEN = 0.05
"""Steps between frames that vary by more than this share (standard deviation over mean) are uneven; 29.97 Hz
in whole milliseconds varies by 1.4 %."""

GAP_STEPS = 2.5
"""A step this many times as long as the mean has lost frames."""

GAP_S = 0.1
"""And it is a gap only when it hides the shortest fasciculation (0.1 s, design of this project)."""

FREEZE_S = 0.3
"""A picture that stands still for so long hides most fasciculations (0.1-0.6 s) from onset to end."""


def find_clip_problems(clip: ClipSource, facts: ClipFacts, manifest: Path) -> Iterator[Problem]:
    """Yield what is wrong with a recording and with what the manifest says of it.

    Args:
        clip: the manifest's row.
        facts: what decoding showed.
        manifest: for messages.
    """
    file, ids = f"{clip.path}", (clip.clip_id,)
    if facts.status != "ok":
        yield take_apart(facts.reason, clip.path, "unreadable", ids)
    if facts.status == "failed":
        return
    if facts.status == "ok" and round(facts.duration_s, 2) < LEAST_DURATION_S:
        what = f"lasts {facts.duration_s:.2f} s, less than {LEAST_DURATION_S:g} s"
        yield Problem(file, what, "record longer or remove the clip", "too_short", ids)
    announced = facts.announced
    if announced is not None and facts.n_frames > announced * (1 + RATE_TOLERANCE) + 1:
        what = f"announces {announced} frames but holds {facts.n_frames}"
        yield Problem(file, what, "export it again", "frame_count", ids)
    yield from _find_rate_problems(clip, facts, manifest)
    yield from _find_time_problems(clip, facts)
    own = facts.own_mm_per_px
    if clip.mm_per_px is not None and own is not None and _differ(clip.mm_per_px, own, SCALE_TOLERANCE):
        says = "the ruler on the screen of " if facts.own_mm_per_px_from == "ruler" else ""
        what = f"clip '{clip.clip_id}' has mm_per_px {clip.mm_per_px:g}, but {says}{clip.path} says {own:.4f}"
        yield Problem(f"{manifest}", what, "correct the mm_per_px cell or leave it empty", "scale", ids)
    yield from _find_screen_problems(facts, file)
    for note in facts.notes:
        yield Problem(file, note, "nothing to do, if it is what you expect", "reader_note", ids)
    if facts.patient.named_in:
        what = f"a name or number of its own DICOM header stands in {', '.join(facts.patient.named_in)}"
        remedy = "rename the file and use pseudonyms; paths and ids appear in outputs"
        yield Problem(file, what, remedy, "names_patient", ids)


def _find_screen_problems(facts: ClipFacts, file: str) -> Iterator[Problem]:
    ids = (facts.clip_id,)
    # A picture that fills the frame is often dark at its foot: unsure, but nothing was cut off.
    is_whole = facts.box == (0, 0, facts.width, facts.height)
    nothing_found = facts.area_from == "whole" and facts.area_confidence == 0
    if nothing_found or (facts.area_confidence < LEAST_AREA_CONFIDENCE and facts.area_from and not is_whole):
        what = f"its imaging area is unsure (confidence {facts.area_confidence:.2f})"
        if nothing_found:
            what = "no imaging area was found, and the whole frame is kept"
        remedy = "look at its picture; give the area in the manifest's column box: x0 y0 x1 y1"
        yield Problem(file, what, remedy, "unsure_area", ids)
    if facts.mm_per_px is not None and facts.mm_per_px_from == "ruler":
        sure = f"confidence {facts.scale_confidence:.2f}"
        what = f"its scale, {facts.mm_per_px:.4f} mm/px, is read off the ruler on the screen ({sure})"
        yield Problem(file, what, "compare it once with the depth that the scanner shows", "ruler", ids)


def find_scale_problems(
    clips: Sequence[ClipSource], facts: Mapping[str, ClipFacts], manifest: Path
) -> Iterator[Problem]:
    """Yield, in one line, the readable clips whose pixels have no known size, not even by a ruler."""
    ids = tuple(
        clip.clip_id
        for clip in clips
        if facts[clip.clip_id].status != "failed" and facts[clip.clip_id].mm_per_px is None
    )
    if ids:
        of = f"clip '{ids[0]}' has" if len(ids) == 1 else f"{list_clips(ids)} have"
        what = f"{of} no mm_per_px, neither here nor in the file, nor a ruler that can be read"
        remedy = "fill in mm_per_px (depth in mm / rows of the image); until then areas in mm are unknown"
        yield Problem(f"{manifest}", what, remedy, "no_scale", ids)


def _find_rate_problems(clip: ClipSource, facts: ClipFacts, manifest: Path) -> Iterator[Problem]:
    own, measured = facts.own_fps, facts.measured_fps
    if own is None:
        return
    if measured is not None and _differ(measured, own, RATE_TOLERANCE):
        what = f"announces {own:.2f} frames/s but its frames come at {measured:.2f}"
        remedy = "export it again, or give the true rate in the fps column"
        yield Problem(f"{clip.path}", what, remedy, "rate", (clip.clip_id,))
    if clip.fps is not None and _differ(clip.fps, own, RATE_TOLERANCE):
        what = f"clip '{clip.clip_id}' has fps {clip.fps:g}, but {clip.path} says {own:.2f}"
        remedy = "correct the fps cell or leave it empty"
        yield Problem(f"{manifest}", what, remedy, "rate", (clip.clip_id,))


def _find_time_problems(clip: ClipSource, facts: ClipFacts) -> Iterator[Problem]:
    file, ids = f"{clip.path}", (clip.clip_id,)
    mean_s = facts.duration_s / max(1, facts.n_frames)
    if facts.longest_step_s > max(GAP_STEPS * mean_s, GAP_S):
        what = f"a frame is followed by the next after {facts.longest_step_s:.2f} s, usually {mean_s:.3f} s"
        yield Problem(file, what, "export it again; no twitch can be seen in the gap", "gap", ids)
    if facts.uneven > UNEVEN:
        low, high = 1000 * facts.shortest_step_s, 1000 * facts.longest_step_s
        what = f"has a variable frame rate, {low:.0f}-{high:.0f} ms from frame to frame"
        yield Problem(file, what, "nothing to do: the frames' own times are used", "variable_rate", ids)
    if facts.longest_freeze_s >= FREEZE_S - 1e-9:
        what = f"stands still for {facts.longest_freeze_s:.2f} s, frame after frame the same"
        remedy = "export it again, or leave those seconds out of `examined`"
        yield Problem(file, what, remedy, "frozen", ids)
    elif facts.doubled:
        rate = "" if facts.picture_rate_hz is None else f"; {facts.picture_rate_hz:.1f} pictures/s differ"
        what = f"{facts.doubled} of {facts.n_frames} frames repeat the one before{rate}"
        remedy = "export at the scanner's own rate where you can"
        yield Problem(file, what, remedy, "doubled", ids)


def _differ(one: float, other: float, tolerance: float) -> bool:
    return abs(one - other) > tolerance * other
