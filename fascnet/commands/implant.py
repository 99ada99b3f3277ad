"""`fascnet implant`: move real recordings and stills by known twitches."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fascnet.phantom.implant.implant_plan import ImplantSettings
    from fascnet.phantom.implant.implant_set import ImplantResult


def run(config: dict[str, Any]) -> int:
    """Write a set of implanted clips.

    Args:
        config: the composed `configs/implant.yaml`: `input` and the arguments of `implant_set`; all other
            keys are fields of `ImplantSettings`.

    Returns:
        0, or 1 when a recording or still could not be used; those are listed.

    Raises:
        FascnetError: a wrong setting, input or output.
    """
    from rich.console import Console  # noqa: PLC0415 - `--help` must be instant
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn  # noqa: PLC0415

    from fascnet.phantom.implant.implant_set import implant_set  # noqa: PLC0415

    arguments = dict(config)
    settings = read_settings(arguments)
    labels = arguments.pop("labels")
    started_s = time.monotonic()
    columns = ("clips", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty()) as progress:
        bar = progress.add_task("clips", total=None)
        result = implant_set(
            arguments.pop("input"),
            Path(arguments.pop("output")),
            settings=settings,
            labels=None if labels is None else Path(labels),
            on_clip=lambda done, total: progress.update(bar, completed=done, total=total),
            **arguments,
        )
    _print_result(result, time.monotonic() - started_s)
    return 1 if result.failed else 0


def read_settings(arguments: dict[str, Any]) -> ImplantSettings:
    """Take the fields of `ImplantSettings` out of a config and build them.

    Raises:
        SettingError: a value is outside its bounds; it names the key.
    """
    from dataclasses import fields  # noqa: PLC0415

    from fascnet.phantom.implant.background import BackgroundSettings  # noqa: PLC0415
    from fascnet.phantom.implant.implant_plan import ImplantSettings  # noqa: PLC0415
    from fascnet.phantom.ranges import read_group  # noqa: PLC0415
    from fascnet.phantom.settings import ConfounderRanges, TwitchRanges  # noqa: PLC0415

    groups: dict[str, Any] = {
        "background": read_group(BackgroundSettings, arguments.pop("background"), "background"),
        "twitches": read_group(TwitchRanges, arguments.pop("twitches"), "twitches"),
        "confounders": read_group(ConfounderRanges, arguments.pop("confounders"), "confounders"),
    }
    own = {spec.name: arguments.pop(spec.name) for spec in fields(ImplantSettings) if spec.name not in groups}
    return ImplantSettings(**own, **groups)


def _print_result(result: ImplantResult, seconds: float) -> None:
    for path, reason in result.failed:
        print(f"failed: {path}: {reason.removeprefix(f'{path}: ')}", file=sys.stderr)
    for path, reason in result.skipped:
        print(f"left out: {path}: {reason}", file=sys.stderr)
    for path, speed in result.moving:
        print(f"moves by itself: {path}: up to {speed:.0f} mm/s, as fast as twitches", file=sys.stderr)
    if result.assumed:
        print(
            f"pixel spacing assumed for {result.assumed} backgrounds (backgrounds.csv); "
            "give background.mm_per_px=… or a manifest",
            file=sys.stderr,
        )
    print(f"implant: {result.clips} clips in {seconds:.0f} s: {result.manifest}")
