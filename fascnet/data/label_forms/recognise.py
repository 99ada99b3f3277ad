"""Which form a file of labels has: found by content, and each with its reader."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from fascnet.data.label_forms.clip_names import ClipNames
from fascnet.data.label_forms.clip_tables import is_clip_table, read_clip_table, read_event_table
from fascnet.data.label_forms.coco import is_coco, read_coco
from fascnet.data.label_forms.cvat_xml import read_cvat
from fascnet.data.label_forms.file_limits import read_json
from fascnet.data.label_forms.frame_clock import FrameClock, read_frame_clock
from fascnet.data.label_forms.label_studio import is_label_studio, read_label_studio
from fascnet.data.label_forms.label_words import LabelWords
from fascnet.data.label_forms.mask_stacks import NIFTI_SUFFIXES, find_nifti_name, read_nifti, read_png_masks
from fascnet.data.label_forms.point_tables import (
    LANDMARK_COLUMNS,
    PEAK_COLUMNS,
    TONGUE_COLUMNS,
    read_kobe,
    read_tongue_points,
)
from fascnet.data.label_forms.rater_events import FormContents
from fascnet.data.label_forms.tables import TABLE_SUFFIXES, Table, read_table
from fascnet.data.label_forms.tagawa_tables import (
    CSV_COLUMNS,
    EXCEL_COLUMNS,
    read_tagawa_csv,
    read_tagawa_excel,
)
from fascnet.data.labelling.label_format import FORMAT
from fascnet.errors import LabelError, SettingError
from fascnet.types import ClipSource


@dataclass(slots=True)
class FormContext:
    """What readers need beside the file.

    Attributes:
        clips: the recordings.
        words: what the form's words mean.
        first_frame: the number that file names give to a recording's first frame.
        layout: order of the axes of a volume: `auto`, `thw`, `hwt` or `wht`.
        clocks: clocks already read, by clip_id.
    """

    clips: ClipNames
    words: LabelWords
    first_frame: int = 0
    layout: str = "auto"
    clocks: dict[str, FrameClock] = field(default_factory=dict)

    def clock_of(self, clip: ClipSource) -> FrameClock:
        """Return a recording's clock; it is decoded once.

        Raises:
            RecordingError: it cannot be opened.
        """
        if clip.clip_id not in self.clocks:
            self.clocks[clip.clip_id] = read_frame_clock(clip)
        return self.clocks[clip.clip_id]

    def needed_clock(self, name: str, where: str) -> FrameClock:
        """Return the clock of the recording that a file is named for.

        Raises:
            LabelError: no clip has the name.
        """
        clip = self.clips.find((name,), where)
        if clip is None:
            raise LabelError(
                f"{where}: no clip is called '{name}'; name the masks after a clip_id or recording"
            )
        return self.clock_of(clip)


Reader = Callable[[Path, FormContext], FormContents]

FORMS: dict[str, tuple[str, Reader]] = {
    "tongue": ("clicks: video_path, frame_idx, x, y", lambda path, _: read_tongue_points(path)),
    "tagawa_csv": (
        "boxes: event, video, start_frame, end_frame, xmin ...",
        lambda path, _: read_tagawa_csv(path),
    ),
    "tagawa_excel": (
        "boxes: Main_Video, Fasciculation_Interval, ROI_xmin ...",
        lambda path, _: read_tagawa_excel(path),
    ),
    "kobe": ("peaks.csv and landmarks.csv", lambda path, _: read_kobe(path)),
    "counts": ("clip_id with count, grade or present", lambda path, _: read_clip_table(path)),
    "events": ("clip_id, onset_s, offset_s, as predict writes", lambda path, _: read_event_table(path)),
    "cvat": ("CVAT for video or images, XML 1.1 or its ZIP", lambda path, _: read_cvat(path)),
    "label_studio": ("Label Studio JSON", lambda path, _: read_label_studio(path)),
    "coco": ("COCO or YouTube-VIS JSON", lambda path, context: read_coco(path, context.first_frame)),
    "nifti": (
        "NIfTI volume of event numbers",
        lambda path, context: read_nifti(
            path, context.needed_clock(find_nifti_name(path), f"{path}"), context.layout, context.words.words
        ),
    ),
    "png_masks": (
        "folder of PNG pictures of event numbers",
        lambda path, context: read_png_masks(
            path, context.needed_clock(path.name, f"{path}"), context.first_frame, context.words.words
        ),
    ),
}
"""Form -> what it is, and its reader."""

_BY_COLUMNS = (
    ("tongue", TONGUE_COLUMNS),
    ("tagawa_csv", CSV_COLUMNS),
    ("tagawa_excel", EXCEL_COLUMNS),
    ("kobe", PEAK_COLUMNS),
    ("kobe", LANDMARK_COLUMNS),
    ("events", ("onset_s", "offset_s")),
)

_SIDE_FILES = frozenset(
    {
        *("manifest.csv", "scores.csv", "run.json"),  # a data set's and predict's
        *("spatial.csv", "durations.csv", "config_used.json"),  # Kobe's
        *("cvat_labels.json", "label_studio_interface.xml"),  # export-labels'
    }
)
"""Files that lie beside labels and hold none."""


def list_label_inputs(path: Path) -> list[Path]:
    """List the files, or folders of mask pictures, that an input names.

    Args:
        path: a file; a folder of files; a folder of mask pictures, or of such folders.

    Raises:
        LabelError: nothing there.
    """
    if not path.exists():
        raise LabelError(f"{path}: there is no such file or folder; check the input")
    if path.is_file() or _holds_pictures(path):
        return [path]
    found = [one for one in sorted(path.iterdir()) if not one.name.startswith(".") and _may_hold_labels(one)]
    # Kobe's two tables are read together.
    if any(one.name == "peaks.csv" for one in found):
        found = [one for one in found if one.name != "landmarks.csv"]
    if not found:
        raise LabelError(
            f"{path}: holds no file of labels (csv, xlsx, json, xml, zip, nii, or folders of png)"
        )
    return found


def recognise(path: Path) -> str:
    """Return the form of a file by its content.

    Raises:
        LabelError: it has none that is known; one line that says what was looked for.
    """
    name = path.name.lower()
    if path.is_dir():
        return "png_masks"
    if name.endswith(NIFTI_SUFFIXES):
        return "nifti"
    if name.endswith((".xml", ".zip")):
        return "cvat"
    if name.endswith(".json"):
        return _recognise_json(path)
    if not name.endswith(TABLE_SUFFIXES):
        raise LabelError(f"{path}: has no form that is known; give form=… ({', '.join(FORMS)})")
    table = read_table(path)
    form = _recognise_table(table)
    if form is None:
        listed = ", ".join(table.columns[:8])
        raise LabelError(f"{path}: the columns {listed} are those of no known form; see docs/labels.md")
    return form


def read_form(path: Path, form: str, context: FormContext) -> tuple[str, FormContents]:
    """Read a file and return its form and what it says.

    Args:
        path: a file, or a folder of mask pictures.
        form: one of `FORMS`, or `auto`.
        context: what readers need beside it.

    Raises:
        SettingError: there is no such form.
        LabelError: the file is wrong.
        RecordingError: a recording that its masks need cannot be opened.
    """
    if form != "auto" and form not in FORMS:
        raise SettingError(f"form={form} must be auto or one of {', '.join(FORMS)}")
    chosen = recognise(path) if form == "auto" else form
    if path.is_dir() and chosen != "png_masks":
        raise LabelError(f"{path}: is a folder; form={chosen} is a file")
    return chosen, FORMS[chosen][1](path, context)


def _recognise_table(table: Table) -> str | None:
    for form, columns in _BY_COLUMNS:
        if set(columns) <= set(table.columns):
            return form
    return "counts" if is_clip_table(table) else None


def _recognise_json(path: Path) -> str:
    tree = read_json(path)
    if isinstance(tree, dict) and tree.get("format") == FORMAT:
        raise LabelError(f"{path}: is a label file already; copy it to the folder of labels")
    if is_coco(tree):
        return "coco"
    if is_label_studio(tree):
        return "label_studio"
    raise LabelError(
        f"{path}: is JSON of no known form (Label Studio, COCO, YouTube-VIS); see docs/labels.md"
    )


def _holds_pictures(folder: Path) -> bool:
    return any(one.suffix.lower() == ".png" and not one.name.startswith(".") for one in folder.iterdir())


def _may_hold_labels(path: Path) -> bool:
    if path.is_dir():
        return _holds_pictures(path)
    suffixes = (*TABLE_SUFFIXES, *NIFTI_SUFFIXES, ".json", ".xml", ".zip")
    return path.name.lower().endswith(suffixes) and path.name not in _SIDE_FILES
