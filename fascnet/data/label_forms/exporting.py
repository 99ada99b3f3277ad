"""Exports labels and predictions in a form that other tools read, so that labelling goes on from there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from fascnet.data.label_forms.cvat_export import export_cvat
from fascnet.data.label_forms.export_clip import ExportClip
from fascnet.data.label_forms.label_studio_export import export_label_studio
from fascnet.data.label_forms.table_export import export_tables
from fascnet.errors import LabelError, SettingError

Exporter = Callable[[Sequence[ExportClip], Path, str], list[Path]]

EXPORT_FORMS: dict[str, tuple[str, Exporter]] = {
    "cvat": ("CVAT for video XML 1.1, a file a clip", lambda clips, output, _: export_cvat(clips, output)),
    "label_studio": ("Label Studio tasks", export_label_studio),
    "csv": ("events.csv and scores.csv", lambda clips, output, _: export_tables(clips, output)),
}
"""Form -> what it is, and its exporter."""


def export_clips(clips: Sequence[ExportClip], form: str, output: Path, url_prefix: str = "") -> list[Path]:
    """Write clips in a form.

    Args:
        clips: at least one.
        form: one of `EXPORT_FORMS`.
        output: the folder; made when missing.
        url_prefix: for Label Studio: what stands before a recording's file name in the address of its video.

    Returns:
        The files written.

    Raises:
        SettingError: there is no such form.
        LabelError: there is nothing to write, or something that the form cannot hold.
        OutputError: a file cannot be written.
    """
    if form not in EXPORT_FORMS:
        raise SettingError(f"form={form} must be one of {', '.join(EXPORT_FORMS)}")
    if not clips:
        raise LabelError(f"{output}: there is nothing to export; check input and manifest")
    return EXPORT_FORMS[form][1](clips, output, url_prefix)
