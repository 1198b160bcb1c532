"""How processes that end look, by real ones."""

import os
import signal
import threading

from line import wait_until

from speeddata.relay.process_state import dying, end_of, threads


def child(command):
    return os.posix_spawn("/bin/sh", ["sh", "-c", command], os.environ)


def test_how_a_process_ended():
    assert end_of(child("exit 3")) == "exit status 3"
    pid = child("exec sleep 60")
    assert (dying(pid), threads(pid)) == (False, {pid})
    os.kill(pid, signal.SIGSTOP)
    assert not dying(pid), "it is only stopped"
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: dying(pid) and not threads(pid), "its end, of which its parent has not been told")
    assert end_of(pid) == "SIGKILL"
    assert end_of(pid) == "ended", "only a parent is told how, and once"
    assert (dying(pid), threads(pid)) == (False, set())


def test_all_threads_of_a_process_are_told():
    event = threading.Event()
    other = threading.Thread(target=event.wait)
    other.start()
    assert {os.getpid(), other.native_id} <= threads(os.getpid())
    event.set()
    other.join()
