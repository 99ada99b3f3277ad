"""Label files, `LABELS_DIR/<clip_id>.<rater>.json`, format `fascnet-labels/1`: read, write, find, check.

The form of a file is in `fascnet/data/labelling/label_format.py`; this module is about the files.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from fascnet.data.clip_set.manifest import is_clip_id
from fascnet.data.labelling.label_format import format_labels, parse_labels
from fascnet.data.labelling.regions import read_mask
from fascnet.data.whole_file import write_whole
from fascnet.errors import LabelError
from fascnet.types import Box, Interval, Labels, MaskFile, Polygon, Region

_RATER = re.compile(r"[A-Za-z0-9_-]+")

TIME_SLACK_S = 0.1
"""How far a time may lie past a clip's end: tools round, and count the last frame's own duration or not."""

SPACE_SLACK_PX = 1.0
"""How far an outline may lie past the image: drawing tools put corners on the outer edge of border pixels."""


def read_labels(path: Path) -> Labels:
    """Read one label file.

    Returns:
        The labels; a `MaskFile` holds the mask's full path.

    Raises:
        LabelError: the file is missing, is not JSON, breaks the format, or its name disagrees with it.
    """
    clip_id, rater = split_file_name(path)
    try:
        tree = json.loads(
            path.read_text(encoding="utf-8-sig"),
            parse_constant=_refuse_constant,
            object_pairs_hook=_refuse_double_keys,
        )
    except OSError as error:
        raise LabelError(f"{path}: cannot be read ({error.strerror}); check the file") from error
    except UnicodeDecodeError as error:
        raise LabelError(f"{path}: is not UTF-8 text; save it as UTF-8") from error
    except RecursionError as error:
        raise LabelError(f"{path}: is nested too deeply to be a label file; write it again") from error
    except ValueError as error:
        raise LabelError(f"{path}: is not valid JSON ({error}); mend it or write it again") from error
    labels = parse_labels(tree, path)
    if (labels.clip_id, labels.rater) != (clip_id, rater):
        raise LabelError(
            f"{path}: speaks of clip '{labels.clip_id}' and rater '{labels.rater}' but is named for "
            f"'{clip_id}' and '{rater}'; rename it or mend the two keys"
        )
    return labels


def write_labels(folder: Path, labels: Labels) -> Path:
    """Write `<clip_id>.<rater>.json` into a folder, whole or not at all.

    A detector's own fields of an event (score, areas) are not part of the format and are left out.

    Returns:
        The file's path.

    Raises:
        LabelError: the labels break the format, as `read_labels` would say.
        OutputError: the file cannot be written.
    """
    if not is_clip_id(labels.clip_id) or _RATER.fullmatch(labels.rater) is None:
        raise LabelError(
            f"'{labels.clip_id}.{labels.rater}' cannot name a label file; use letters, digits, '_' and '-'"
        )
    path = folder / f"{labels.clip_id}.{labels.rater}.json"
    text = format_labels(labels, path)
    with write_whole(path) as part:
        part.write_text(text, encoding="utf-8")
    return path


def find_labels(folder: Path) -> dict[str, dict[str, Path]]:
    """List a folder's label files as clip_id -> rater -> file, sorted. Hidden files are skipped.

    Raises:
        LabelError: no such folder, or a `.json` file whose name is not `<clip_id>.<rater>.json`.
    """
    if not folder.is_dir():
        raise LabelError(
            f"{folder}: there is no such folder of labels; name the one with <clip_id>.<rater>.json files"
        )
    found: dict[str, dict[str, Path]] = {}
    for path in list_label_files(folder):
        clip_id, rater = split_file_name(path)
        found.setdefault(clip_id, {})[rater] = path
    return found


def list_label_files(folder: Path) -> list[Path]:
    """List a folder's visible `.json` files, sorted by name."""
    return sorted(path for path in folder.glob("*.json") if not path.name.startswith(".") and path.is_file())


def load_labels(folder: Path) -> dict[str, dict[str, Labels]]:
    """Read all of a folder's label files as clip_id -> rater -> labels.

    Raises:
        LabelError: the first file that is wrong, or no such folder.
    """
    return {
        clip_id: {rater: read_labels(path) for rater, path in files.items()}
        for clip_id, files in find_labels(folder).items()
    }


def split_file_name(path: Path) -> tuple[str, str]:
    """Split `<clip_id>.<rater>.json` into (clip_id, rater). A clip_id may hold dots, a rater may not.

    Raises:
        LabelError: the name has another form.
    """
    clip_id, _, rater = path.name.removesuffix(".json").rpartition(".")
    if path.suffix != ".json" or not is_clip_id(clip_id) or _RATER.fullmatch(rater) is None:
        raise LabelError(f"{path}: a label file is named <clip_id>.<rater>.json; rename it or move it away")
    return clip_id, rater


def check_against_clip(labels: Labels, duration_s: float, width: int, height: int) -> None:
    """Refuse labels that lie outside their clip.

    Args:
        labels: of the clip.
        duration_s: length of the clip in seconds.
        width: columns of the recording as stored.
        height: rows of the recording as stored.

    Raises:
        LabelError: the first examined interval or event past the end, or region past the image.
    """
    for problem in find_clip_problems(labels, duration_s, width, height):
        raise LabelError(problem)


def find_clip_problems(labels: Labels, duration_s: float, width: int, height: int) -> list[str]:
    """Describe all that lies outside the clip, a line each. Arguments as `check_against_clip`."""
    name = f"{labels.clip_id}.{labels.rater}.json"
    problems: list[str] = []

    def check_interval(interval: Interval, what: str) -> None:
        if interval[1] > duration_s + TIME_SLACK_S:
            problems.append(
                f"{name}: {what} {interval[0]:g}-{interval[1]:g} s lies outside the clip, which lasts "
                f"{duration_s:.3f} s; check the clip, its fps, or the label"
            )

    for interval in labels.examined:
        check_interval(interval, "examined")
    for number, event in enumerate(labels.events):
        check_interval((event.onset_s, event.offset_s), f"events[{number}]")
        for key, region in (("region", event.region), ("ignore_region", event.ignore_region)):
            try:
                problem = None if region is None else _describe_outside(region, width, height)
            except LabelError as error:
                problems.append(f"{error}")
                continue
            if problem is not None:
                problems.append(f"{name}: events[{number}].{key} {problem}; give pixels as stored")
    return problems


def _describe_outside(region: Region, width: int, height: int) -> str | None:
    if isinstance(region, MaskFile):
        rows, columns = read_mask(region.path).shape
        if (rows, columns) != (height, width):
            return f"'{region.path.name}' is {columns}x{rows} pixels, the image {width}x{height}"
        return None
    corners: tuple[tuple[float, float], ...]
    if isinstance(region, Polygon):
        corners = region.points
    elif isinstance(region, Box):
        corners = ((region.x0, region.y0), (region.x1, region.y1))
    else:
        corners = ((region.x, region.y),)
    # Pixel centres are whole numbers: the image spans -0.5 ... width - 0.5; half-open boxes end at width.
    low = -0.5 - SPACE_SLACK_PX
    for x, y in corners:
        if not (low <= x <= width - 0.5 + SPACE_SLACK_PX and low <= y <= height - 0.5 + SPACE_SLACK_PX):
            return f"reaches ({x:g}, {y:g}), outside the image of {width}x{height}"
    return None


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not a number")


def _refuse_double_keys(pairs: list[tuple[str, object]]) -> dict[str, object]:
    tree = dict(pairs)
    if len(tree) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"key '{next(n for n in names if names.count(n) > 1)}' stands twice")
    return tree
