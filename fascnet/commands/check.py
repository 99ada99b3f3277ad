"""`fascnet check data.root=…`: list a data set's problems."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fascnet.errors import SettingError


def run(config: dict[str, Any]) -> int:
    """Print each problem on a line, then a summary.

    Args:
        config: `configs/check.yaml`, resolved.

    Returns:
        1 when there is any problem, 0 when there is none.

    Raises:
        SettingError: a folder that is named does not exist.
    """
    from fascnet.data.clip_set.check import check_data_set  # noqa: PLC0415 - `--help` must not pay for video readers

    data = config["data"]
    root = Path(data["root"])
    labels = None if data["labels"] is None else Path(data["labels"])
    for key, folder in (("data.root", root), ("data.labels", labels)):
        if folder is not None and not folder.is_dir():
            raise SettingError(f"{key}={folder}: there is no such folder; check the path")
    problems = check_data_set(root, labels)
    for problem in problems:
        print(problem)
    count = len(problems)
    found = "no problems" if count == 0 else "1 problem" if count == 1 else f"{count} problems"
    print(f"checked {root}: {found}")
    return 1 if problems else 0
