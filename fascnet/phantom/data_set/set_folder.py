"""The folder of a set that is made clip by clip: whose it is, which clips are done, what they hold.

A clip is done when its row stands in `clips.csv`; the row is written after the clip's files, and the table
appears whole each time, so that a run that was stopped goes on without a damaged or repeated clip.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

from fascnet import __version__
from fascnet.data.recording.video_writer import Codec
from fascnet.data.whole_file import write_whole
from fascnet.errors import OutputError, SettingError

TABLE_FILE = "clips.csv"

Row = dict[str, str]


def check_codec(codec: str) -> None:
    """Refuse a codec that clips cannot be written with.

    Raises:
        SettingError: an unknown name.
    """
    if codec not in get_args(Codec):
        raise SettingError(f"codec={codec}: choose from {', '.join(get_args(Codec))}")


def check_run(workers: object, **flags: object) -> None:
    """Refuse processes and flags of a command that are none.

    Raises:
        SettingError: not a whole number of processes, or a flag that is neither true nor false.
    """
    if isinstance(workers, bool) or not isinstance(workers, int) or workers < 1:
        raise SettingError(f"workers={workers}: give a whole number of 1 or more")
    for name, value in flags.items():
        # Any text would count as true.
        if not isinstance(value, bool):
            raise SettingError(f"{name}={value}: give true or false")


def find_video(output: Path, clip_id: str, codec: str) -> Path:
    """Return where a set keeps a clip."""
    return output / "clips" / f"{clip_id}{'.avi' if codec == 'ffv1' else '.mp4'}"


def find_label(output: Path, clip_id: str, rater: str) -> Path:
    """Return where a set keeps a clip's label file."""
    return output / "labels" / f"{clip_id}.{rater}.json"


class SetFolder:
    """A folder with a recipe file and a table of the clips that are done.

    Args:
        output: the folder.
        recipe_file: name of the file that tells how the set is made.
        patterns: files that a run writes, as glob patterns below the folder; only these are ever removed.
    """

    def __init__(self, output: Path, recipe_file: str, patterns: tuple[str, ...]) -> None:
        self._output = output
        self._recipe_path = output / recipe_file
        self._patterns = patterns
        self._rows: dict[str, Row] = {}

    def prepare(self, recipe: Mapping[str, Any], overwrite: bool) -> None:
        """Make the folder ready: new, the same set to be continued, or another set to be replaced.

        Raises:
            OutputError: it holds something else, or a set of another recipe and `overwrite` is off.
        """
        output, path = self._output, self._recipe_path
        if output.exists() and not output.is_dir():
            raise OutputError(f"{output}: is a file; name a folder")
        self._sweep()
        if path.exists():
            found = self._read_recipe()
            made_by = found.pop("made_by", None)
            if found == recipe and made_by is not None:
                self._rows = self._read_table()
                return
            if not overwrite:
                differing = [key for key, value in recipe.items() if found.get(key) != value]
                raise OutputError(
                    f"{output}: holds a set made with another {' and '.join(differing)}; "
                    "choose another output or set overwrite=true"
                )
            self._remove()
        elif output.exists() and any(output.iterdir()):
            raise OutputError(f"{output}: is not empty and holds no such set; choose another output")
        with write_whole(path) as part:
            text = json.dumps({**recipe, "made_by": f"fascnet {__version__}"}, indent=1)
            part.write_text(f"{text}\n", encoding="utf-8")

    @property
    def rows(self) -> Mapping[str, Row]:
        """Rows of the clips that are done, by clip_id."""
        return self._rows

    def is_done(self, clip_id: str, files: Sequence[Path]) -> bool:
        """Return whether a clip has its row and all of its files."""
        return clip_id in self._rows and all(file.is_file() for file in files)

    def add(self, row: Row, order: Mapping[str, int]) -> None:
        """Add a clip's row and write the table, in the plan's order.

        Args:
            row: its cells; `clip_id` names the clip.
            order: place of each clip_id in the plan.
        """
        self._rows[row["clip_id"]] = row
        rows = sorted(self._rows.values(), key=lambda cells: order[cells["clip_id"]])
        text = io.StringIO()
        writer = csv.DictWriter(text, list(row), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        with write_whole(self._output / TABLE_FILE) as part:
            part.write_text(text.getvalue(), encoding="utf-8", newline="")

    def _read_recipe(self) -> dict[str, Any]:
        try:
            found = json.loads(self._recipe_path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise OutputError(f"{self._recipe_path}: cannot be read; choose another output folder") from error
        return found if isinstance(found, dict) else {}

    def _read_table(self) -> dict[str, Row]:
        path = self._output / TABLE_FILE
        if not path.exists():
            return {}
        try:
            with path.open(encoding="utf-8", newline="") as file:
                return {row["clip_id"]: row for row in csv.DictReader(file)}
        except (OSError, ValueError, KeyError, csv.Error) as error:
            raise OutputError(f"{path}: cannot be read; remove it to make its clips again") from error

    def _sweep(self) -> None:
        """Remove what a killed run left half written, see `write_whole`."""
        for pattern in (*self._patterns, TABLE_FILE, self._recipe_path.name):
            folder, slash, name = pattern.rpartition("/")
            for file in self._output.glob(f"{folder}{slash}.{name}.*.part"):
                file.unlink()

    def _remove(self) -> None:
        """Remove what a run writes, the table first, and nothing else."""
        (self._output / TABLE_FILE).unlink(missing_ok=True)
        for pattern in self._patterns:
            for file in self._output.glob(pattern):
                file.unlink()
        self._recipe_path.unlink()
