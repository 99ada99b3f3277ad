"""Tables with a point and a frame an event: the tongue tool's clicks and Kobe's peaks, Kobe's landmarks.

Columns as written by shaheerfaruqi/tongue-fasciculation-detection (src/manual_annotation.py) and
kobe-neuromuscular-lab/fasciculation-kinematics (scripts/locate.py, scripts/mark_landmarks.py).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from fascnet.data.label_forms.rater_events import FormContents, FormEvent, FrameSpan, Moment, RaterEvents
from fascnet.data.label_forms.tables import Row, Table, read_table, require_columns
from fascnet.types import Point

TONGUE_COLUMNS = ("video_path", "frame_idx", "x", "y")
PEAK_COLUMNS = ("recording", "fps", "peak_s", "x", "y")
LANDMARKS = ("start_frame", "peak_contraction_frame", "reversal_frame", "peak_relaxation_frame", "end_frame")
LANDMARK_COLUMNS = ("segment", *LANDMARKS)

PEAKS_FILE = "peaks.csv"
LANDMARKS_FILE = "landmarks.csv"

_FRAMES_BEFORE_PEAK = 7
"""Kobe's segments begin 7 frames before the peak frame, or with the recording (fasckin/segment.py)."""

_SEGMENT = re.compile(r"(.+)_(\d{5,})")
"""Kobe names a segment `<recording>_<peak in ms, at least five digits>` (fasckin/segment.py)."""


@dataclass(frozen=True, slots=True)
class _Peak:
    """A row of Kobe's peaks."""

    row: Row
    recording: str
    source: str
    frame: int
    place: Point


def read_tongue_points(path: Path) -> FormContents:
    """Read clicks: `video_path, frame_idx` (from 0)`, time_sec, x, y, note`.

    The rater went through the whole video, so that silence means no twitch. `time_sec` is the frame over the
    player's rate; the frame is what was clicked, and decides.

    Raises:
        LabelError: a row is wrong.
    """
    table = read_table(path)
    require_columns(table, TONGUE_COLUMNS)
    events: dict[str, list[FormEvent]] = {}
    for row in table.rows:
        event = FormEvent(
            Moment(row.whole_number("frame_idx")),
            row.where,
            Point(row.number("x", -1e5, 1e5), row.number("y", -1e5, 1e5)),
        )
        events.setdefault(row.needed_text("video_path"), []).append(event)
    return FormContents(
        tuple(RaterEvents((name,), f"{path}", tuple(found)) for name, found in events.items())
    )


def read_kobe(path: Path) -> FormContents:
    """Read Kobe's `peaks.csv` and `landmarks.csv`, whichever is named, the other from beside it.

    With landmarks an event lasts from Start to End, and Reversal, where the velocity passes through zero
    between contraction and relaxation, is the largest displacement. A peak without landmarks is a moment: its
    frame has the largest velocity, which is not the largest displacement. Recordings were screened for events
    worth measuring, so that silence means nothing.

    Raises:
        LabelError: a row is wrong, or landmarks name no peak's segment.
    """
    table = read_table(path)
    is_peaks = set(PEAK_COLUMNS) <= set(table.columns)
    other = path.parent / (LANDMARKS_FILE if is_peaks else PEAKS_FILE)
    beside = read_table(other) if other.is_file() and other.name != path.name else None
    peaks = _read_peaks(table if is_peaks else beside)
    landmarks = beside if is_peaks else table
    events: dict[tuple[str, ...], list[FormEvent]] = {}
    marked: set[str] = set()
    for row in () if landmarks is None else landmarks.rows:
        require_columns(landmarks if landmarks is not None else table, LANDMARK_COLUMNS)
        segment = row.needed_text("segment")
        names, event = _read_landmarks(row, segment, peaks.get(segment))
        events.setdefault(names, []).append(event)
        marked.add(segment)
    for segment, peak in peaks.items():
        if segment not in marked:
            names = (peak.source, peak.recording) if peak.source else (peak.recording,)
            events.setdefault(names, []).append(FormEvent(Moment(peak.frame), peak.row.where, peak.place))
    return FormContents(
        tuple(RaterEvents(names, f"{path}", tuple(found), whole=False) for names, found in events.items())
    )


def _read_peaks(table: Table | None) -> dict[str, _Peak]:
    if table is None:
        return {}
    require_columns(table, PEAK_COLUMNS)
    peaks: dict[str, _Peak] = {}
    for row in table.rows:
        recording, peak_s = row.needed_text("recording"), row.number("peak_s", 0, 1e6)
        frame = round(peak_s * row.number("fps", 0.1, 1e5))
        place = Point(row.number("x", -1e5, 1e5), row.number("y", -1e5, 1e5))
        segment = f"{recording}_{int(peak_s * 1000):05d}"
        peaks[segment] = _Peak(row, recording, row.text("source"), frame, place)
    return peaks


def _read_landmarks(row: Row, segment: str, peak: _Peak | None) -> tuple[tuple[str, ...], FormEvent]:
    frames = [row.number(name, -1e3, 1e6) for name in LANDMARKS]
    if frames != sorted(frames) or frames[0] == frames[-1]:
        raise row.refuse("the five landmarks are not in order of time; mend them")
    names: tuple[str, ...]
    if peak is not None:
        names = (peak.source, peak.recording) if peak.source else (peak.recording,)
        peak_frame = peak.frame
    else:
        parts = _SEGMENT.fullmatch(segment)
        total_ms = row.number_or_none("total_ms", 1e-3, 1e6)
        if parts is None or total_ms is None:
            raise row.refuse(
                f"segment '{segment}' is not in {PEAKS_FILE}; put {PEAKS_FILE} beside {row.path.name}"
            )
        names = (parts.group(1),)
        fps = 1000.0 * (frames[-1] - frames[0]) / total_ms
        # The name holds whole milliseconds, cut off: half of one nearer to the truth on average.
        peak_frame = round((int(parts.group(2)) + 0.5) / 1000.0 * fps)
    first = max(0, peak_frame - _FRAMES_BEFORE_PEAK)
    start, _, reversal, _, end = (first + frame for frame in frames)
    place = None if peak is None else peak.place
    return names, FormEvent(FrameSpan(max(0.0, start), end), row.where, place, peak=reversal)
