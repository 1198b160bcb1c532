import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from line import wait_until

from speeddata.relay.strays import MARK, end, find_all_strays, find_strays, open_process, wait_end

SLEEP = "import time; print(flush=True); time.sleep(60)"
STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); time.sleep(60)"
)


@pytest.fixture
def processes() -> Iterator[list[subprocess.Popen[bytes]]]:
    started: list[subprocess.Popen[bytes]] = []
    yield started
    for process in started:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def spawn(processes: list[subprocess.Popen[bytes]], code: str, pidfile: Path, mark: str = "") -> int:
    environment = os.environ | {MARK: mark or str(pidfile)}
    process = subprocess.Popen([sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE)
    processes.append(process)
    assert process.stdout is not None
    process.stdout.read(1)  # it has come so far
    return process.pid


def test_fault_36_a_process_is_found_by_what_it_carries(
    processes: list[subprocess.Popen[bytes]], tmp_path: Path
) -> None:
    pid = spawn(processes, SLEEP, tmp_path / "pivot.pid")
    (stray,) = find_strays([tmp_path / "pivot.pid", tmp_path / "stripchart.pid"])
    assert (stray.name, stray.pid) == ("pivot", pid)
    assert not wait_end(stray, 0)
    assert end([stray], 10) == []
    assert wait_end(stray, 0)
    assert processes[0].wait() == -signal.SIGTERM
    stray.close()
    assert find_strays([tmp_path / "pivot.pid"]) == []


def test_fault_36_a_pid_that_is_somebody_elses_by_now_is_left_alone(
    processes: list[subprocess.Popen[bytes]], tmp_path: Path
) -> None:
    """The file of a service that was killed names a process of another program, another folder, or nobody."""
    others = [
        spawn(processes, SLEEP, tmp_path / "x", mark=mark)
        for mark in ("", str(tmp_path / "other" / "pivot.pid"))
    ]
    gone = spawn(processes, SLEEP, tmp_path / "pivot.pid")
    processes[-1].kill()
    processes[-1].wait()
    for pid in (*others, gone, os.getpid()):
        (tmp_path / "pivot.pid").write_text(f"{pid}\n")
        assert find_strays([tmp_path / "pivot.pid"]) == []
    assert [process.poll() for process in processes[:2]] == [None, None]


def test_all_of_a_folder_are_found_and_no_others(
    processes: list[subprocess.Popen[bytes]], tmp_path: Path
) -> None:
    pids = [spawn(processes, SLEEP, tmp_path / f"{name}.pid") for name in ("b", "a")]
    spawn(processes, SLEEP, tmp_path / "x.pid", mark=str(tmp_path / "elsewhere" / "pivot.pid"))
    strays = find_all_strays(tmp_path)
    assert [(stray.name, stray.pid) for stray in strays] == [("a", pids[1]), ("b", pids[0])]
    assert find_strays([tmp_path / "x.pid"]) == []
    for stray in strays:
        stray.close()


@pytest.mark.parametrize("pid", [-1, 0, 999999999, 10**50])
def test_a_pid_of_nobody_is_nobody(pid: int) -> None:
    assert open_process("x", pid) is None


def test_a_process_that_will_not_end_is_killed(
    processes: list[subprocess.Popen[bytes]], tmp_path: Path
) -> None:
    pids = [
        spawn(processes, code, tmp_path / f"{number}.pid") for number, code in enumerate((SLEEP, STUBBORN))
    ]
    strays = find_all_strays(tmp_path)
    assert [stray.pid for stray in end(strays, 1)] == [pids[1]]
    assert [process.wait() for process in processes] == [-signal.SIGTERM, -signal.SIGKILL]
    for stray in strays:
        stray.close()


def test_a_dead_process_that_nobody_reaped_is_not_alive() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        wait_until(lambda: open_process("x", process.pid) is None)
