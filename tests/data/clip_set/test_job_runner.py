from __future__ import annotations

import os
import signal

import pytest

from fascnet.data.clip_set.job_runner import KILLED, run_each


def work(value: int) -> int:
    if value == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    if value == 5:
        raise ZeroDivisionError
    return value * value


def say_who(_: int) -> int:
    return os.getpid()


@pytest.mark.parametrize("workers", [1, 3])
def test_a_process_that_dies_costs_only_its_own_job(workers: int) -> None:
    jobs = list(range(9))
    done = {index: (result, failure) for index, result, failure in run_each(work, jobs, workers)}
    assert len(done) == len(jobs)
    assert done.pop(3) == (None, KILLED)
    assert done.pop(5) == (None, "ZeroDivisionError")
    assert done == {k: (k * k, "") for k in jobs if k not in {3, 5}}


def test_nobody_works_elsewhere_without_workers() -> None:
    assert list(run_each(say_who, [1, 2], 0)) == [(0, os.getpid(), ""), (1, os.getpid(), "")]
    assert list(run_each(say_who, [], 2)) == []
    ((_, who, _),) = run_each(say_who, [1], 1)
    assert who != os.getpid()
