"""Tells on stderr how a study goes: a bar on a terminal, a line a clip in a log."""

from __future__ import annotations

import time
from types import TracebackType

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from fascnet.types import Prediction


class StudyProgress:
    """Shows clips done, the clip at work and its frames per second.

    Args:
        total: clips of the input.
        kept: how many of them an earlier run had finished.
        show: False is silent.
        console: where to; stderr unless a test gives another.
    """

    def __init__(self, total: int, kept: int, show: bool, console: Console | None = None) -> None:
        self._console = Console(stderr=True, highlight=False) if console is None else console
        self._show = show
        self._on_terminal = show and self._console.is_terminal
        self._total = total
        self._at = kept
        self._frames = 0
        self._began = time.perf_counter()
        self._bar = Progress(
            TextColumn("[bold]{task.description}"),
            BarColumn(),
            TextColumn("{task.completed:.0f}/{task.total:.0f} clips"),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
            console=self._console,
            disable=not self._on_terminal,
            transient=True,
        )
        self._task = self._bar.add_task("", total=total, completed=kept, rate="")

    def __enter__(self) -> StudyProgress:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def begin(self, clip_id: str) -> None:
        """Begin with a clip."""
        self._frames = 0
        self._began = time.perf_counter()
        self._bar.update(self._task, description=escape(clip_id), rate="")

    def count(self, n_frames: int) -> None:
        """So many frames of the clip are decoded."""
        self._frames = n_frames
        if self._on_terminal and n_frames % 10 == 0:
            self._bar.update(self._task, rate=f"frame {n_frames}, {self._rate():.0f} frames/s")

    def end(self, prediction: Prediction) -> None:
        """End with a clip."""
        self._at += 1
        self._bar.update(self._task, completed=self._at)
        if self._show and not self._on_terminal:
            # One line, whatever its length: a log that wraps cannot be searched.
            line = f"[{self._at}/{self._total}] {describe_outcome(prediction)}, {self._rate():.0f} frames/s"
            self._console.print(line, markup=False, soft_wrap=True)

    def _rate(self) -> float:
        return self._frames / max(1e-9, time.perf_counter() - self._began)


def describe_outcome(prediction: Prediction) -> str:
    """Say in a few words what became of a clip."""
    if prediction.status == "failed":
        return f"{prediction.clip_id}: failed ({prediction.reason})"
    n = len(prediction.fasciculations())
    score = "no score" if prediction.score is None else f"score {prediction.score:.2f}"
    score += f" ({prediction.verdict})" if prediction.verdict else ""
    words = f"{prediction.clip_id}: {score}, {n} event{'' if n == 1 else 's'}"
    if prediction.not_scored:
        words += f", {prediction.not_scored_s:.1f} of {prediction.duration_s:.1f} s not scored"
    return words if prediction.status == "ok" else f"{words}, partial ({prediction.reason})"
