"""What can be wrong with a data set: the kinds of problems, and how bad each is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

SEVERITIES = ("error", "warning", "note")
"""`error`: stops `train` or makes a figure wrong. `warning`: look at it. `note`: known and dealt with."""


class Kind(NamedTuple):
    """A kind of problem: how bad it is, and what it says in general."""

    severity: str
    meaning: str


KINDS = {
    "manifest": Kind("error", "the manifest or a row of it cannot be read"),
    "two_splits": Kind("error", "a subject stands in two splits"),
    "missing_split": Kind("error", "a labelled clip without a split while others have one"),
    "unreadable": Kind("error", "a recording cannot be opened or decoded to its end"),
    "no_labels_folder": Kind("error", "the folder of labels is not there"),
    "label_file": Kind("error", "a label file or `clip_labels.csv` cannot be read"),
    "unknown_clip": Kind("error", "labels of a clip that the manifest lacks"),
    "outside": Kind("error", "a label outside its clip's time or picture"),
    "copy_across": Kind("error", "one recording under two subjects or in two splits"),
    "copy": Kind("warning", "one recording twice for the same subject"),
    "one_patient": Kind("warning", "two subject ids that are probably one person"),
    "two_patients": Kind("warning", "one subject id on recordings of several DICOM patients"),
    "names_patient": Kind("warning", "a path or id that holds a name or number of its own DICOM header"),
    "too_short": Kind("warning", "a clip too short to hold a twitch and rest beside it"),
    "rate": Kind("warning", "frame rates of manifest, header and frames contradict each other"),
    "frame_count": Kind("warning", "a file announces fewer frames than it holds"),
    "scale": Kind("warning", "pixel spacings of manifest and file contradict each other"),
    "no_scale": Kind("warning", "nothing says how large a pixel is"),
    "unsure_area": Kind("warning", "an imaging area that may be wrong: tissue cut off, or text left in"),
    "gap": Kind("warning", "frames are missing in the middle"),
    "frozen": Kind("warning", "the picture stands still for so long that a twitch could hide"),
    "no_labels": Kind("warning", "a clip without labels"),
    "not_examined": Kind("warning", "a label file that says nothing was examined"),
    "unexamined_event": Kind("warning", "an event outside the examined seconds"),
    "contradiction": Kind("warning", "a count or presence in `clip_labels.csv` that the rater's events deny"),
    "unlikely_count": Kind("warning", "a count in `clip_labels.csv` that nobody can see"),
    "overlap": Kind("warning", "one rater's fasciculation entered twice"),
    "unknown_label": Kind("warning", "a label word that nobody knows"),
    "no_positives": Kind("warning", "a split without any labelled fasciculation"),
    "variable_rate": Kind("note", "frames come at uneven times; the times are used"),
    "doubled": Kind("note", "frames that repeat the one before"),
    "reader_note": Kind("note", "what the reader had to decide"),
    "ruler": Kind("note", "a scale that was read off the ruler on the screen"),
    "event_length": Kind("note", "a fasciculation of unlikely length"),
    "alike": Kind("note", "two clips of a subject that overlap or move alike, as those of `implant` do"),
    "spelling": Kind("note", "one muscle written in two ways"),
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: in which file, what, and how to mend it.

    Attributes:
        file: the file.
        what: what is wrong with it.
        remedy: what to do.
        kind: one of `KINDS`.
        clip_ids: the clips it is about; none when it is about the whole set.
    """

    file: str
    what: str
    remedy: str
    kind: str
    clip_ids: tuple[str, ...] = ()

    @property
    def severity(self) -> str:
        """How bad it is, one of `SEVERITIES`."""
        return KINDS[self.kind].severity

    def __str__(self) -> str:
        return f"{self.file}: {self.what} -> {self.remedy}"


def take_apart(message: object, file: object, kind: str, clip_ids: tuple[str, ...] = ()) -> Problem:
    """Make a problem of an error's line, which is always written `file: what; remedy`."""
    place, colon, rest = f"{message}".partition(": ")
    what, semicolon, remedy = rest.rpartition("; ")
    if not colon or not semicolon:
        return Problem(f"{file}", f"{message}", "see the message", kind, clip_ids)
    return Problem(place, what, remedy, kind, clip_ids)


def list_clips(clip_ids: Sequence[str]) -> str:
    """Name the first of many clips: `17 clips ('a', 'b', 'c' and 14 more)`."""
    shown = ", ".join(f"'{clip_id}'" for clip_id in clip_ids[:3])
    more = f" and {len(clip_ids) - 3} more" if len(clip_ids) > 3 else ""
    return f"{len(clip_ids)} clips ({shown}{more})"
