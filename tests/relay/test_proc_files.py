"""Processes and the machine as /proc tells them: of this very process, which knows itself."""

import os
import resource
import socket
import threading

import pytest

from speeddata.relay import proc_files
from speeddata.relay.proc_files import machine_memory, machine_times, read_process, read_usage, udp_counters


def test_this_process() -> None:
    done = threading.Event()
    beside = threading.Thread(target=done.wait)
    beside.start()
    try:
        reading = read_process(os.getpid())
    finally:
        done.set()
        beside.join()
    assert reading is not None
    usage = resource.getrusage(resource.RUSAGE_SELF)
    assert reading.cpu_s == pytest.approx(usage.ru_utime + usage.ru_stime, abs=0.1)
    assert reading.threads >= 2
    used = read_usage(os.getpid())
    assert used is not None
    assert used.cpu_s == pytest.approx(reading.cpu_s, abs=0.1)
    assert used.resident == pytest.approx(reading.resident, rel=0.1)
    assert 0 < reading.own < reading.resident <= usage.ru_maxrss * 1024 + (1 << 20)


def test_a_process_that_there_is_not() -> None:
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    zombie = read_process(pid)
    assert zombie is not None
    assert zombie.resident == 0
    os.waitpid(pid, 0)
    assert read_process(pid) is read_usage(pid) is None


def test_the_machine() -> None:
    busy, every = machine_times()
    assert 0 < busy < every
    memory = machine_memory()
    assert (
        0
        < memory["available"]
        < memory["total"]
        == pytest.approx(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"), rel=0.01)
    )


def test_datagrams_are_counted() -> None:
    before = udp_counters()
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender,
    ):
        receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        receiver.bind(("127.0.0.1", 0))
        for _ in range(50):
            sender.sendto(bytes(1000), receiver.getsockname())
        receiver.recv(2000)
    assert udp_counters()["buffer_errors"] > before["buffer_errors"]


def test_sizes_are_in_bytes() -> None:
    assert proc_files._sizes("Name:\tx\nVmRSS:\t    12 kB\nThreads:\t3\n") == {"VmRSS": 12 * 1024}
