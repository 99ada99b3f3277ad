"""Runs jobs in worker processes; the results come as they are done."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import TypeVar

import cv2

from fascnet.errors import OutputError, SettingError

Job = TypeVar("Job")
Result = TypeVar("Result")


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
    # Forked children would inherit OpenCV's and the caller's threads; spawned ones are the same on every
    # system.
    context = multiprocessing.get_context("spawn")
    executor = ProcessPoolExecutor(min(workers, len(jobs)), mp_context=context, initializer=_limit_threads)
    try:
        for future in as_completed([executor.submit(work, job) for job in jobs]):
            yield future.result()
    except BrokenProcessPool as error:
        raise OutputError(f"{output}: a worker was killed (memory?); run again with fewer workers") from error
    finally:
        executor.shutdown(cancel_futures=True)


def _limit_threads() -> None:
    cv2.setNumThreads(1)
