"""`fascnet import-labels`: reads labels of other tools into label files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fascnet.commands.whole_numbers import check_whole
from fascnet.errors import SettingError

if TYPE_CHECKING:
    from fascnet.data.label_forms.importing import ImportReport

_MOST_NOTES = 20


def run(config: dict[str, Any]) -> int:
    """Import labels and say what was read as what.

    Args:
        config: `configs/import_labels.yaml`, resolved.

    Returns:
        0.

    Raises:
        FascnetError: a wrong setting, file or recording; nothing was written then.
    """
    from fascnet.data.label_forms.clip_names import ClipNames  # noqa: PLC0415 - `--help` must be instant
    from fascnet.data.label_forms.importing import ImportSettings, import_labels  # noqa: PLC0415
    from fascnet.data.label_forms.label_words import LabelWords  # noqa: PLC0415
    from fascnet.data.label_forms.recognise import FormContext  # noqa: PLC0415
    from fascnet.data.label_forms.settle import SettleSettings  # noqa: PLC0415
    from fascnet.data.recording.find_clips import find_clips  # noqa: PLC0415

    words = {} if config["labels"] is None else config["labels"]
    if not isinstance(words, Mapping):
        raise SettingError(f"labels={words} must be a mapping: labels={{twitch: fasciculation}}")
    moment = {key: _take_number(f"moment.{key}", value) for key, value in config["moment"].items()}
    meaning = LabelWords({str(word): str(label) for word, label in words.items()})
    settling = SettleSettings(examined=str(config["examined"]), words=meaning, **moment)
    settings = ImportSettings(
        form=str(config["form"]),
        rater=None if config["rater"] is None else str(config["rater"]),
        unknown_clips=str(config["unknown_clips"]),
        unlisted=str(config["unlisted"]),
        absent_grades=_list_grades(config["absent_grades"]),
        overwrite=_take_switch("overwrite", config["overwrite"]),
    )
    first_frame, layout = config["first_frame"], str(config["layout"])
    check_whole("first_frame", first_frame, 0, 10**6)
    if layout not in {"auto", "thw", "hwt", "wht"}:
        raise SettingError(f"layout={layout} must be auto, thw, hwt or wht")
    context = FormContext(
        ClipNames(find_clips(config["manifest"])), meaning, first_frame=first_frame, layout=layout
    )
    output = Path(config["output"])
    report = import_labels(Path(config["input"]), output, context, settling, settings)
    _print_report(report, output)
    return 0


def _list_grades(grades: object) -> tuple[str, ...]:
    if not isinstance(grades, list | tuple):
        raise SettingError(f"absent_grades={grades} must be a list: absent_grades=[0]")
    return tuple(str(grade) for grade in grades)


def _take_number(key: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise SettingError(f"{key}={value} must be a number of seconds")
    return float(value)


def _take_switch(key: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise SettingError(f"{key}={value} must be true or false")
    return value


def _print_report(report: ImportReport, output: Path) -> None:
    for path, form in report.forms:
        print(f"{path}: read as {form}")
    for note in report.notes[:_MOST_NOTES]:
        print(f"left out: {note}")
    if len(report.notes) > _MOST_NOTES:
        print(f"left out: {len(report.notes) - _MOST_NOTES} more")
    print(f"{output}: {len(report.labels)} label files with {report.n_events} events")
    if report.clip_labels is not None:
        print(
            f"{report.clip_labels}: what was said about whole clips; counts have no times and label no frame"
        )
