"""What a service manager hears: a socket of the test stands for it, the orchestrator is the real one."""

import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from line import NUMBERED, wait_until
from ports import free_port
from system import System, run

from speeddata.relay.event_loop import EventLoop
from speeddata.relay.notify import Notifier

WATCHDOG_S = 0.4
LIMIT_S = 30.0


class Manager:
    """The socket of a service manager, and what came by it."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(f"\0{address[1:]}" if address.startswith("@") else address)

    def hear(self, limit_s: float = LIMIT_S) -> list[str]:
        """The lines of the next message; TimeoutError when none comes."""
        self.socket.settimeout(limit_s)
        return self.socket.recv(4096).decode().split("\n")

    def hear_of(self, word: str) -> list[str]:
        """The next message that begins with a word."""
        return wait_until(lambda: found if (found := self.hear())[0] == word else None, word, LIMIT_S)

    def forget(self) -> None:
        """Drop what has come until now."""
        try:
            while True:
                self.hear(0.01)
        except TimeoutError:
            pass


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Manager]:
    address = str(tmp_path / "n") if request.param == "path" else f"@speeddata-test-{os.getpid()}"
    manager = Manager(address)
    with manager.socket:
        yield manager


@pytest.fixture
def loop() -> Iterator[EventLoop]:
    loop = EventLoop()
    yield loop
    loop.close()


def test_every_word_is_a_message(manager: Manager, loop: EventLoop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", manager.address)
    notifier = Notifier(loop)
    notifier.ready("relay of /data")
    notifier.begins_anew()
    notifier.stops()
    assert manager.hear() == ["READY=1", "STATUS=relay of /data"]
    reloading, monotonic, _ = manager.hear()
    assert reloading == "RELOADING=1"
    assert monotonic.startswith("MONOTONIC_USEC=")
    assert manager.hear()[0] == "STOPPING=1"
    assert "NOTIFY_SOCKET" not in os.environ
    notifier.give_back()
    assert os.environ["NOTIFY_SOCKET"] == manager.address


@pytest.mark.parametrize("manager", ["path"], indirect=True)
@pytest.mark.parametrize(
    ("usec", "pid", "limit_s"),
    [("10000000", "own", 10.0), ("10000000", None, 10.0), ("10000000", "1", 0.0), ("soon", None, 0.0), (None, None, 0.0)],
)  # fmt: skip
def test_signs_of_life_are_given_where_they_are_expected_of_us(
    manager: Manager, loop: EventLoop, monkeypatch: pytest.MonkeyPatch, usec: str | None, pid: str | None, limit_s: float
) -> None:  # fmt: skip
    given = {
        "NOTIFY_SOCKET": manager.address,
        "WATCHDOG_USEC": usec,
        "WATCHDOG_PID": str(os.getpid()) if pid == "own" else pid,
    }
    for name, value in given.items():
        if value is not None:
            monkeypatch.setenv(name, value)
    assert Notifier(loop).limit_s == limit_s


@pytest.mark.parametrize("manager", ["path"], indirect=True)
def test_a_call_that_takes_long_is_waited_for(
    manager: Manager, loop: EventLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", manager.address)
    monkeypatch.setenv("WATCHDOG_USEC", "10000000")
    Notifier(loop).ready("x")
    with loop.waiting(30):
        assert manager.hear()[2:] == ["WATCHDOG=1", "WATCHDOG_USEC=10000000"]
        assert manager.hear() == ["WATCHDOG=1", "WATCHDOG_USEC=40000000"]
    assert manager.hear() == ["WATCHDOG=1", "WATCHDOG_USEC=10000000"]


def test_without_a_manager_nothing_is_sent_and_one_that_is_gone_is_said_once(
    loop: EventLoop, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    Notifier(loop).ready("x")
    assert not caplog.messages
    monkeypatch.setenv("NOTIFY_SOCKET", "/nowhere/notify")
    notifier = Notifier(loop)
    notifier.ready("x")
    notifier.stops()
    assert caplog.messages == [
        "NOTIFY_SOCKET /nowhere/notify: No such file or directory; the service manager does not hear us"
    ]


@pytest.mark.parametrize("manager", ["path"], indirect=True)
def test_the_manager_hears_the_orchestrator_live_hang_begin_anew_and_end(
    manager: Manager, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", manager.address)
    monkeypatch.setenv("WATCHDOG_USEC", str(round(WATCHDOG_S * 1e6)))
    data = tmp_path / "data"
    with run(data, "--only=relay") as system:
        assert system.process is not None
        assert manager.hear_of("READY=1")[1] == f"STATUS=relay of {data}"
        children_are_not_to_answer(system)
        assert manager.hear(LIMIT_S) == ["WATCHDOG=1"]
        hangs(manager, system.process.pid)
        os.kill(system.process.pid, signal.SIGUSR1)
        anew = manager.hear_of("RELOADING=1")
        assert anew[1].startswith("MONOTONIC_USEC=")
        assert f"WATCHDOG_USEC={round((WATCHDOG_S + 60) * 1e6)}" in anew
        again = manager.hear_of("READY=1")
        assert f"WATCHDOG_USEC={round(WATCHDOG_S * 1e6)}" in again
        assert manager.hear_of("WATCHDOG=1")
        assert system.end() == 0
        assert manager.hear_of("STOPPING=1")


def hangs(manager: Manager, pid: int) -> None:
    """An orchestrator that stands still gives no sign of life, for longer than the manager waits."""
    os.kill(pid, signal.SIGSTOP)
    manager.forget()
    with pytest.raises(TimeoutError):
        manager.hear(2 * WATCHDOG_S)
    os.kill(pid, signal.SIGCONT)
    assert manager.hear() == ["WATCHDOG=1"]


def children_are_not_to_answer(system: System) -> None:
    """No process that the orchestrator started has the manager's variables."""
    relay = system.register("x", free_port(), NUMBERED)["pid"]
    status = system.processes()
    for pid in (relay, status["keeper"]["pid"], *(service["pid"] for service in status["services"])):
        environment = Path(f"/proc/{pid}/environ").read_bytes()
        assert environment
        assert b"NOTIFY_SOCKET" not in environment
        assert b"WATCHDOG_" not in environment
