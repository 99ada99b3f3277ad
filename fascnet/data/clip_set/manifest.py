"""The manifest of a data set, `ROOT/manifest.csv`: which clips, whose, and what is known about them."""

from __future__ import annotations

import csv
import difflib
import io
import math
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fascnet.data.clip_set.splits import SPLITS, check_splits, find_split_problems
from fascnet.data.whole_file import write_whole
from fascnet.errors import ManifestError, SplitError
from fascnet.types import ClipSource, PixelBox

REQUIRED = ("clip_id", "path", "subject_id")
OPTIONAL = ("muscle", "side", "fps", "mm_per_px", "split", "box")
COLUMNS = REQUIRED + OPTIONAL
FILE_NAME = "manifest.csv"

_CLIP_ID = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]*")


@dataclass(frozen=True, slots=True)
class ManifestScan:
    """A manifest's clips as far as they are sound, and everything that is wrong with it, a line each."""

    clips: tuple[ClipSource, ...]
    problems: tuple[str, ...]


def read_manifest(root: Path) -> list[ClipSource]:
    """Read `ROOT/manifest.csv`.

    Args:
        root: folder of the data set; `path` cells are relative to it.

    Returns:
        Clips in the order of the rows, `path` joined to `root`. Whether recordings exist is not looked at.

    Raises:
        ManifestError: the file is missing, empty or wrong; one line that names the row.
        SplitError: a subject stands in two splits.
    """
    return read_manifest_file(root / FILE_NAME)


def read_manifest_file(path: Path) -> list[ClipSource]:
    """Read a manifest of any name; paths are relative to its folder. Otherwise as `read_manifest`."""
    scan = scan_manifest(path)
    for problem in scan.problems:
        raise ManifestError(problem)
    for problem in find_split_problems(scan.clips):
        raise SplitError(f"{path}: {problem}")
    return list(scan.clips)


def scan_manifest(path: Path) -> ManifestScan:
    """Read a manifest and collect everything that is wrong with it, except subjects in two splits.

    Raises:
        ManifestError: nothing can be read at all (missing file or column, not UTF-8, no rows).
    """
    rows = _read_rows(path)
    clips: list[ClipSource] = []
    problems: list[str] = []
    row_of: dict[str, int] = {}
    for number, cells in rows:
        try:
            clip = _parse_row(cells, path, number)
            if clip.clip_id in row_of:
                raise ManifestError(
                    f"{path} row {number}: clip_id '{clip.clip_id}' is already in row "
                    f"{row_of[clip.clip_id]}; rename one"
                )
        except ManifestError as error:
            problems.append(str(error))
            continue
        row_of[clip.clip_id] = number
        clips.append(clip)
    return ManifestScan(tuple(clips), tuple(problems))


def write_manifest(root: Path, clips: Sequence[ClipSource]) -> Path:
    """Write `ROOT/manifest.csv`, whole or not at all.

    Args:
        root: folder of the data set; every clip must lie under it.
        clips: its clips.

    Returns:
        The manifest's path.

    Raises:
        ManifestError: a clip outside `root`, or anything else that `read_manifest` would refuse.
        OutputError: the file cannot be written.
        SplitError: a subject stands in two splits.
    """
    path = root / FILE_NAME
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    # Where no clip has a box, the table stays as earlier versions wrote it.
    columns = COLUMNS if any(clip.box is not None for clip in clips) else COLUMNS[:-1]
    writer.writerow(columns)
    seen: set[str] = set()
    for number, clip in enumerate(clips, start=2):
        cells = dict(zip(COLUMNS, _list_cells(root, clip), strict=True))
        _parse_row(cells, path, number)
        if clip.clip_id in seen:
            raise ManifestError(f"{path} row {number}: clip_id '{clip.clip_id}' occurs twice; rename one")
        seen.add(clip.clip_id)
        writer.writerow([cells[name] for name in columns])
    check_splits(clips)
    with write_whole(path) as part:
        part.write_text(text.getvalue(), encoding="utf-8", newline="")
    return path


def is_clip_id(text: str) -> bool:
    """Whether a text can be a clip_id: letters, digits, `_`, `.`, `-`, not starting with a dot."""
    return _CLIP_ID.fullmatch(text) is not None


def _list_cells(root: Path, clip: ClipSource) -> list[str]:
    # Lexical, not resolved: links inside ROOT to recordings elsewhere are common.
    relative = os.path.relpath(os.path.abspath(clip.path), os.path.abspath(root))  # noqa: PTH100
    fps = "" if clip.fps is None else repr(float(clip.fps))
    mm_per_px = "" if clip.mm_per_px is None else repr(float(clip.mm_per_px))
    split = "" if clip.split is None else clip.split
    return [
        clip.clip_id,
        Path(relative).as_posix(),
        clip.subject_id,
        clip.muscle,
        clip.side,
        fps,
        mm_per_px,
        split,
        "" if clip.box is None else " ".join(map(str, clip.box)),
    ]


def _read_rows(path: Path) -> list[tuple[int, dict[str, str]]]:
    """Return (line number, cells by column); every cell stays text, so that "007" and "NA" survive."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ManifestError(
            f"{path}: cannot be read ({error.strerror}); a data set needs one with {', '.join(REQUIRED)}"
        ) from error
    except UnicodeDecodeError as error:
        raise ManifestError(f"{path}: is not UTF-8 text; save it as 'CSV UTF-8'") from error
    try:
        lines = [
            (number, row)
            for number, row in enumerate(csv.reader(io.StringIO(text), strict=True), start=1)
            if any(row)
        ]
    except csv.Error as error:
        raise ManifestError(f"{path}: is not well-formed CSV ({error}); save it again as CSV") from error
    if not lines:
        raise ManifestError(
            f"{path}: is empty; give it the columns {', '.join(REQUIRED)} and a row for each clip"
        )
    header = [cell.strip() for cell in lines[0][1]]
    _check_header(header, path)
    if len(lines) == 1:
        raise ManifestError(f"{path}: has no rows; give it a row for each clip")
    rows: list[tuple[int, dict[str, str]]] = []
    for number, row in lines[1:]:
        # A row of another length would shift cells under wrong columns.
        if len(row) != len(header):
            raise ManifestError(
                f"{path} row {number}: has {len(row)} cells where the header has {len(header)}; mend the row"
            )
        rows.append((number, {name: cell.strip() for name, cell in zip(header, row, strict=True)}))
    return rows


def _check_header(header: list[str], path: Path) -> None:
    if len(header) == 1 and ";" in header[0]:
        raise ManifestError(f"{path}: cells are separated by ';'; save it with commas")
    double = sorted({name for name in header if header.count(name) > 1})
    if double:
        raise ManifestError(f"{path}: the column '{double[0]}' occurs twice; remove one")
    missing = [name for name in REQUIRED if name not in header]
    if missing:
        raise ManifestError(f"{path}: lacks the column {', '.join(missing)}; it needs {', '.join(REQUIRED)}")
    for name in header:
        near = difflib.get_close_matches(name.lower(), OPTIONAL, n=1, cutoff=0.75)
        if name not in COLUMNS and near:
            raise ManifestError(f"{path}: there is no column '{name}'; did you mean '{near[0]}'?")


def _parse_row(cells: dict[str, str], path: Path, number: int) -> ClipSource:
    where = f"{path} row {number}"
    for name in REQUIRED:
        if cells[name] == "" or cells[name].lower() == "nan":
            raise ManifestError(f"{where}: {name} is empty; fill it in or remove the row")
    clip_id = cells["clip_id"]
    if not is_clip_id(clip_id):
        raise ManifestError(
            f"{where}: clip_id '{clip_id}' may hold letters, digits, '_', '-' and '.' (not first); rename it"
        )
    relative = os.path.normpath(cells["path"])
    if Path(relative).is_absolute() or Path(relative).parts[:1] == ("..",):
        raise ManifestError(
            f"{where}: path '{cells['path']}' leads out of {path.parent}; give it relative to that folder"
        )
    side = cells.get("side", "")
    if side not in {"", "L", "R"}:
        raise ManifestError(f"{where}: side '{side}' must be L, R or empty")
    split = cells.get("split", "")
    if split not in {"", *SPLITS}:
        raise ManifestError(f"{where}: split '{split}' must be {', '.join(SPLITS)} or empty")
    return ClipSource(
        clip_id=clip_id,
        path=path.parent / relative,
        subject_id=cells["subject_id"],
        muscle=cells.get("muscle", ""),
        side=side,
        fps=_parse_positive(cells.get("fps", ""), "fps", where),
        mm_per_px=_parse_positive(cells.get("mm_per_px", ""), "mm_per_px", where),
        split=split if split else None,
        box=_parse_box(cells.get("box", ""), where),
    )


def _parse_positive(text: str, name: str, where: str) -> float | None:
    if text == "":
        return None
    try:
        value = float(text)
    except ValueError as error:
        raise ManifestError(
            f"{where}: {name} '{text}' is not a number; give one above 0 or leave it empty"
        ) from error
    if not (math.isfinite(value) and value > 0):
        raise ManifestError(f"{where}: {name} '{text}' must be a number above 0; leave it empty when unknown")
    return value


def _parse_box(text: str, where: str) -> PixelBox | None:
    if text == "":
        return None
    edges = text.split()
    if len(edges) == 4 and all(edge.isascii() and edge.isdigit() and len(edge) < 6 for edge in edges):
        x0, y0, x1, y1 = map(int, edges)
        if x0 < x1 and y0 < y1:
            return x0, y0, x1, y1
    raise ManifestError(
        f"{where}: box '{text}' must be 'x0 y0 x1 y1' in whole pixels, x1 > x0 and y1 > y0, or empty"
    )
