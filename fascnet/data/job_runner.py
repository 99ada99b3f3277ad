"""Runs jobs in worker processes: all or none (`run_jobs`), or each by itself (`run_each`)."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, as_completed, wait
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import TypeVar

import cv2

from fascnet.errors import OutputError, SettingError

Job = TypeVar("Job")
Result = TypeVar("Result")

KILLED = "killed"
"""A process that ended by itself: a decoder that crashed, or memory that ran out."""


def run_jobs(
    work: Callable[[Job], Result], jobs: Sequence[Job], workers: int, output: Path
) -> Iterator[Result]:
    """Yield the results of jobs in the order in which they end.

    Args:
        work: a function of a module, so that workers find it.
        jobs: its arguments.
        workers: processes, >= 1; 1 works in this one.
        output: what is being written, for messages.

    Raises:
        SettingError: less than one worker.
        OutputError: a worker was killed.
    """
    if workers < 1:
        raise SettingError(f"workers={workers}: give 1 or more")
    if workers == 1 or len(jobs) <= 1:
        yield from (work(job) for job in jobs)
        return
    executor = start_pool(min(workers, len(jobs)))
    try:
        for future in as_completed([executor.submit(work, job) for job in jobs]):
            yield future.result()
    except BrokenProcessPool as error:
        raise OutputError(f"{output}: a worker was killed (memory?); run again with fewer workers") from error
    finally:
        executor.shutdown(cancel_futures=True)


def run_each(
    work: Callable[[Job], Result], jobs: Sequence[Job], workers: int
) -> Iterator[tuple[int, Result | None, str]]:
    """Yield (index, result, failure) of every job in the order in which they end.

    Args:
        work: a function of a module, so that workers find it.
        jobs: its arguments.
        workers: spawned processes; 0 works in this one, where a crash is not caught.

    Yields:
        As failure `""`, or what was raised or `killed`; then the result is None.
    """
    if workers == 0:
        yield from ((index, work(job), "") for index, job in enumerate(jobs))
        return
    left = list(range(len(jobs)))
    while left:
        suspects: list[int] = []
        for index, result, failure in _run_until_crash(work, jobs, left, workers):
            if failure == KILLED:
                suspects.append(index)
            else:
                yield index, result, failure
            left.remove(index)
        for index in suspects:
            # The pool does not say which of its jobs broke it: each alone.
            yield from _run_until_crash(work, jobs, [index], 1)


def _run_until_crash(
    work: Callable[[Job], Result], jobs: Sequence[Job], indices: Sequence[int], workers: int
) -> Iterator[tuple[int, Result | None, str]]:
    """Yield as `run_each` until a process is killed; jobs not begun by then are left out."""
    waiting = list(reversed(indices))
    under_way: dict[Future[Result], int] = {}
    broken = False
    executor = start_pool(min(workers, len(waiting)))
    try:
        while under_way or (waiting and not broken):
            while waiting and not broken and len(under_way) < 2 * workers:
                index = waiting.pop()
                try:
                    under_way[executor.submit(work, jobs[index])] = index
                except BrokenProcessPool:
                    waiting.append(index)
                    broken = True
            if not under_way:
                continue
            for future in wait(under_way, return_when=FIRST_COMPLETED).done:
                index = under_way.pop(future)
                error = future.exception()
                if error is None:
                    yield index, future.result(), ""
                    continue
                killed = isinstance(error, BrokenProcessPool)
                broken = broken or killed
                yield index, None, KILLED if killed else type(error).__name__
    finally:
        executor.shutdown(cancel_futures=True)


def start_pool(workers: int) -> ProcessPoolExecutor:
    """Start worker processes that end when this one does, however it ends.

    Args:
        workers: how many, >= 1.
    """
    # Forked children would inherit OpenCV's and the caller's threads; spawned ones are the same on every
    # system.
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(workers, mp_context=context, initializer=_prepare_worker)


def _prepare_worker() -> None:
    cv2.setNumThreads(1)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """Wait for the process that started this one; a killed one cannot tell its workers to stop."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
