"""When a relay that was killed may be followed though it is not dead: the disk holds it, and nothing of it receives or sends."""

import os
import socket
import subprocess
import sys

import pytest
from line import make_spec, wait_until
from loop_disk import frozen, loop_disk, needs_disks
from processes import thread_states

from speeddata.relay.channel import compile_plans
from speeddata.relay.charge import BEGIN_S, SILENT_S, STUCK_S, Charge
from speeddata.relay.mapping import Mapping
from speeddata.relay.process_state import threads
from speeddata.relay.sockets import ChannelSockets
from speeddata.relay.spec import ChannelSpec

# A thread that writes, and another.
WRITES = """
import os, sys, threading
fd = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT)
def write():
    while True:
        os.pwrite(fd, b"x", 0)
threading.Thread(target=write).start()
print(flush=True)
threading.Event().wait()
"""


@pytest.fixture
def charge(tmp_path):
    mapping = Mapping.create("test", 1 << 18, 1 << 20)
    spec = ChannelSpec.from_json(make_spec(tmp_path))
    sockets = ChannelSockets.open(spec)
    yield Charge(spec, sockets, mapping, compile_plans(spec))
    sockets.close()
    os.close(mapping.fd)


def test_what_keeps_a_relay_from_going_on_has_its_time(charge):
    """Packets that wait, none that wait, and a relay that does not receive yet, each has another."""
    charge.pid, charge.moved = os.getpid(), 100.0

    def stuck_after_s():
        assert not charge.is_stuck(100.0, was_away=False)
        return next(n for n in range(1000) if charge.is_stuck(100.0 + n, was_away=False))

    assert stuck_after_s() == BEGIN_S
    charge.begun = True
    assert stuck_after_s() == SILENT_S
    with socket.socket(type=socket.SOCK_DGRAM) as sender:
        sender.sendto(b"x", charge.sockets.input.getsockname())
    assert stuck_after_s() == STUCK_S
    assert not charge.is_stuck(1000.0, was_away=True), "we were stopped ourselves"
    assert not charge.is_stuck(1001.0, was_away=False)
    charge.pid = None
    assert not charge.is_stuck(2000.0, was_away=False)


def stuck(pid):
    """The threads of a process that are held by the disk."""
    return [thread for thread, state in thread_states(pid).items() if state == "D"]


@needs_disks
def test_who_may_still_receive_or_send_is_waited_for(tmp_path, charge):
    with loop_disk(tmp_path) as disk:
        process = subprocess.Popen(
            [sys.executable, "-c", WRITES, disk / "file"], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout.readline() == "\n"
        charge.pid = process.pid
        with frozen(disk):
            (writer,) = wait_until(lambda: stuck(process.pid), "a write that the disk holds")
            charge.mapping.sign("receiver", process.pid)
            assert not charge.hangs(), "it was not killed"
            process.kill()
            wait_until(lambda: threads(process.pid) == {writer}, "the end of the other thread")
            assert charge.hangs()
            charge.mapping.sign("decimator", writer)
            assert not charge.hangs(), "one that sends is not dead"
        process.wait()
        process.stdout.close()
