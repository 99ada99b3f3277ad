"""`fascnet check data.root=…`: list a data set's problems, draw it on a page, deal out folds."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fascnet.commands.whole_numbers import check_whole
from fascnet.errors import ManifestError, SettingError

if TYPE_CHECKING:
    from fascnet.data.clip_set.check import Review

_LINE_EVERY = 100


def run(config: dict[str, Any]) -> int:
    """Print each problem on a line, errors first, then a summary; write what was asked for.

    Args:
        config: `configs/check.yaml`, resolved.

    Returns:
        1 when there is any error, 0 when there is none; warnings and notes do not count.

    Raises:
        SettingError: a folder that is named does not exist, or a value is out of its range.
        SplitError: more folds than subjects.
        ManifestError: subject ids that name patients would stand in the fold table.
        OutputError: the output cannot be written.
    """
    root, labels, output = _check_settings(config)
    from fascnet.data.clip_set.check import review_data_set  # noqa: PLC0415 - `--help` must not pay for video readers

    workers = config["workers"]
    with _show_progress() as on_clip:
        review = review_data_set(
            root, labels, workers=workers, thumbnails=output is not None, on_clip=on_clip
        )
    for problem in review.problems:
        print(f"{problem.severity}: {problem}")
    if output is not None:
        _write(review, output, config["folds"], config["seed"])
    print(f"checked {root}: {_summarise(review)}")
    return 1 if review.count("error") else 0


def _check_settings(config: dict[str, Any]) -> tuple[Path, Path | None, Path | None]:
    data = config["data"]
    root = Path(data["root"])
    labels = None if data["labels"] is None else Path(data["labels"])
    for key, folder in (("data.root", root), ("data.labels", labels)):
        if folder is not None and not folder.is_dir():
            raise SettingError(f"{key}={folder}: there is no such folder; check the path")
    check_whole("check: workers", config["workers"], 0, 64)
    check_whole("check: seed", config["seed"], 0, 2**32 - 1)
    if config["folds"] is not None:
        check_whole("check: folds", config["folds"], 3, 1000)
        if config["output"] is None:
            raise SettingError(f"check: folds={config['folds']} are written to a folder; give output=FOLDER")
    output = config["output"]
    if output is not None and (not isinstance(output, str) or not output):
        raise SettingError(f"check: output={output} must be a folder")
    return root, labels, None if output is None else Path(output)


def _write(review: Review, output: Path, n_folds: int | None, seed: int) -> None:
    from fascnet.data.clip_set.check_page import write_page  # noqa: PLC0415
    from fascnet.data.clip_set.check_tables import write_check  # noqa: PLC0415
    from fascnet.data.clip_set.folds import FOLDS_FILE, draw_folds, write_folds  # noqa: PLC0415
    from fascnet.data.clip_set.manifest import FILE_NAME  # noqa: PLC0415

    # Refused before anything is written.
    folds = None
    if n_folds is not None:
        folds = draw_folds(review.clips, review.labels, n_folds, seed, review.same_person)
        named = sum("subject_id" in one.patient.named_in for one in review.facts.values())
        if named:
            raise ManifestError(
                f"{review.root / FILE_NAME}: subject_id names the patient in {named} rows, and folds.csv "
                "would pass it on; use pseudonyms"
            )
    write_check(review, output)
    page = write_page(review, output)
    if folds is not None:
        print(f"folds: {write_folds(output / FOLDS_FILE, folds)}")
    print(f"page: {page}")


def _summarise(review: Review) -> str:
    counts = {severity: review.count(severity) for severity in ("error", "warning", "note")}
    parts = [f"{n} {severity}{'' if n == 1 else 's'}" for severity, n in counts.items() if n]
    return ", ".join(parts) if parts else "no problems"


@contextmanager
def _show_progress() -> Iterator[Callable[[int, int], None]]:
    """Give a function to tell of each clip done: a bar on a terminal, else a line now and then, on stderr."""
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import Progress  # noqa: PLC0415

    console = Console(stderr=True, highlight=False)
    if not console.is_terminal:

        def tell(done: int, total: int) -> None:
            if done % _LINE_EVERY == 0:
                print(f"{done} of {total} clips", file=sys.stderr, flush=True)

        yield tell
        return
    with Progress(console=console, transient=True) as bar:
        task = bar.add_task("clips", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
