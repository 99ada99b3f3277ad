from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fascnet.data.job_runner import KILLED, run_each, run_jobs
from fascnet.errors import OutputError, SettingError


def square(value: int) -> int:
    return value * value


def say_who(_: int) -> int:
    return os.getpid()


def die(value: int) -> int:
    if value == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return value


def refuse(value: int) -> int:
    if value == 1:
        raise SettingError("value=1: choose another")
    return value


def leave_a_mark(path: Path) -> None:
    time.sleep(0.01)
    path.touch()


@pytest.mark.parametrize("workers", [1, 2])
def test_every_job_is_done_once(workers: int) -> None:
    assert sorted(run_jobs(square, range(5), workers, Path("out"))) == [0, 1, 4, 9, 16]


def test_one_worker_works_here_in_order() -> None:
    assert list(run_jobs(square, [3, 1, 2], 1, Path("out"))) == [9, 1, 4]
    assert set(run_jobs(say_who, range(3), 1, Path("out"))) == {os.getpid()}


def test_more_workers_work_elsewhere() -> None:
    assert os.getpid() not in set(run_jobs(say_who, range(4), 2, Path("out")))


def test_one_job_starts_no_process() -> None:
    assert list(run_jobs(say_who, [0], 8, Path("out"))) == [os.getpid()]


def test_no_jobs_are_no_fault() -> None:
    assert list(run_jobs(square, [], 2, Path("out"))) == []


@pytest.mark.parametrize("workers", [0, -1])
def test_needs_a_worker(workers: int) -> None:
    with pytest.raises(SettingError, match=f"workers={workers}: give 1 or more"):
        list(run_jobs(square, [1, 2], workers, Path("out")))


def test_a_killed_worker_is_told_with_a_remedy() -> None:
    with pytest.raises(OutputError, match=r"^out: a worker was killed .* fewer workers"):
        list(run_jobs(die, range(4), 2, Path("out")))


@pytest.mark.parametrize("workers", [1, 2])
def test_a_worker_s_refusal_arrives_as_it_is(workers: int) -> None:
    with pytest.raises(SettingError, match="value=1: choose another"):
        list(run_jobs(refuse, range(3), workers, Path("out")))


def test_whoever_stops_asking_stops_the_work(tmp_path: Path) -> None:
    results = run_jobs(leave_a_mark, [tmp_path / str(k) for k in range(200)], 2, Path("out"))
    next(results)
    results.close()
    assert 1 <= len(list(tmp_path.iterdir())) < 100


def work(value: int) -> int:
    if value == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    if value == 5:
        raise ZeroDivisionError
    return value * value


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


def wait_as_worker(folder: Path) -> None:
    (folder / f"{os.getpid()}.pid").touch()
    time.sleep(60)


def is_running(pid: int) -> bool:
    """Whether a process lives; one that ended and was not yet asked for its status does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks at /proc")
def test_workers_end_with_a_killed_parent(tmp_path: Path) -> None:
    script = (
        "from pathlib import Path\n"
        "from fascnet.data.job_runner import run_jobs\n"
        "from tests.data.test_job_runner import wait_as_worker\n"
        f"list(run_jobs(wait_as_worker, [Path({str(tmp_path)!r})] * 2, 2, Path('out')))\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], cwd=Path(__file__).parents[2])
    deadline = time.monotonic() + 120
    while len(pids := list(tmp_path.glob("*.pid"))) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    workers = [int(path.stem) for path in pids]
    assert len(workers) == 2
    assert all(map(is_running, workers))
    parent.kill()
    parent.wait()
    while any(map(is_running, workers)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(map(is_running, workers))
