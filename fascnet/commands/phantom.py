"""`fascnet phantom`: simulate clips with known twitches."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fascnet.phantom.data_set.frozen_set import FrozenComparison


def run(config: dict[str, Any]) -> int:
    """Write a phantom data set and return the exit code.

    Args:
        config: the composed `configs/phantom.yaml`; keys are arguments of `generate_phantom`; the group
            `phantom` holds the fields of `PhantomSettings`.
    """
    from rich.console import Console  # noqa: PLC0415 - `--help` must be instant
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn  # noqa: PLC0415

    from fascnet.phantom.generate import generate_phantom  # noqa: PLC0415
    from fascnet.phantom.settings import PhantomSettings  # noqa: PLC0415

    arguments = dict(config)
    settings = PhantomSettings.from_mapping(arguments.pop("phantom"))
    output = Path(arguments.pop("output"))
    started_s = time.monotonic()
    columns = ("clips", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty()) as progress:
        bar = progress.add_task("clips", total=arguments["clips"])
        result = generate_phantom(
            output,
            settings=settings,
            on_clip=lambda done, total: progress.update(bar, completed=done, total=total),
            **arguments,
        )
    seconds = time.monotonic() - started_s
    print(f"phantom: {arguments['clips']} clips in {seconds:.0f} s: {result.manifest}")
    if result.comparison is None:
        return 0
    return _report_comparison(arguments["frozen"], result.comparison)


def _report_comparison(name: str, comparison: FrozenComparison) -> int:
    print(
        f"{name}: {len(comparison.identical)} clips identical, {len(comparison.rounded)} equal but for "
        f"rounding, {len(comparison.different)} different, {len(comparison.missing)} missing"
    )
    if comparison.is_sound:
        return 0
    first = ", ".join([*comparison.different, *comparison.missing][:5])
    print(
        f"fascnet: this is not {name} (see {first}); results on it must not be given its name",
        file=sys.stderr,
    )
    return 1
