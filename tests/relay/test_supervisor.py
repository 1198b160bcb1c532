"""The supervisor over real processes, small ones."""

import os
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from line import wait_until
from processes import stopped
from system import alive

from speeddata.relay.event_loop import EventLoop
from speeddata.relay.services import Service
from speeddata.relay.supervisor import LOOK_S, STEADY_S, Supervisor, Watch, last_words, spawn_service

SLEEP = "import time; time.sleep(60)"
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
BROKEN = "import sys; print('working', flush=True); sys.exit('port 8081 is in use')"


def service(folder: Path, code: str, name: str = "x") -> Service:
    return Service(name, (sys.executable, "-c", code), folder / f"{name}.pid", folder / f"{name}.log")


class Hasty(EventLoop):
    """A loop whose timers are due at once, and which remembers for when they were meant."""

    def __init__(self) -> None:
        super().__init__()
        self.delays: list[float] = []

    def after(self, delay_s: float, action: object) -> None:
        self.delays.append(delay_s)
        super().after(0, action)  # type: ignore[arg-type]


class Still(EventLoop):
    """A loop whose timers are never due."""

    def after(self, delay_s: float, action: object) -> None:
        """Forget it."""


@pytest.fixture
def still() -> Iterator[Supervisor]:
    supervisor = Supervisor(Still())
    yield supervisor
    supervisor.loop.close()


@pytest.fixture
def supervisor() -> Iterator[Supervisor]:
    supervisor = Supervisor(Hasty())
    yield supervisor
    supervisor.stop()
    supervisor.wait(0)
    supervisor.loop.close()


def turn_until(supervisor: Supervisor, condition: object) -> None:
    def check() -> bool:
        supervisor.loop.turn(0.01)
        return bool(condition())  # type: ignore[operator]

    wait_until(check)


def test_a_service_runs_in_a_session_of_its_own_with_a_pid_file(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    supervisor.start([service(tmp_path, SLEEP)])
    (shown,) = supervisor.to_json()
    assert (shown["name"], shown["state"], shown["reason"], shown["restarts"]) == ("x", "active", "", 0)
    assert (tmp_path / "x.pid").read_text() == f"{shown['pid']}\n"
    assert os.getsid(shown["pid"]) == shown["pid"]


def test_fault_29_a_service_that_ends_is_started_again_with_growing_delay(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    supervisor.start([service(tmp_path, BROKEN)])
    watch = supervisor.watches["x"]
    turn_until(supervisor, lambda: watch.restarts >= 3)
    delays = [delay for delay in supervisor.loop.delays if delay != LOOK_S]  # type: ignore[attr-defined]
    for delay, least in zip(delays, (1, 2, 4), strict=False):
        assert least <= delay <= 1.2 * least


def test_the_reason_is_the_last_thing_it_said(still: Supervisor, tmp_path: Path) -> None:
    still.start([service(tmp_path, BROKEN)])
    watch = still.watches["x"]
    turn_until(still, lambda: watch.state == "backoff")
    assert watch.to_json()["reason"] == "exit status 1: port 8081 is in use"
    assert watch.to_json()["pid"] is None


def test_a_program_that_does_not_exist_is_tried_again(supervisor: Supervisor, tmp_path: Path) -> None:
    supervisor.start([Service("x", ("/nosuch/program",), tmp_path / "x.pid", tmp_path / "x.log")])
    turn_until(supervisor, lambda: supervisor.watches["x"].restarts >= 2)
    assert supervisor.watches["x"].reason == "exit status 3: No such file or directory"


def test_stopping_ends_all_and_kills_those_that_do_not(supervisor: Supervisor, tmp_path: Path) -> None:
    supervisor.start([service(tmp_path, SLEEP, "a"), service(tmp_path, STUBBORN, "b")])
    wait_until(lambda: (tmp_path / "b.log").read_text() == "deaf\n")
    pids = [watch["pid"] for watch in supervisor.to_json()]
    supervisor.stop()
    supervisor.wait(0.5)
    assert not any(map(alive, pids))
    assert [(watch["state"], watch["pid"]) for watch in supervisor.to_json()] == [("stopped", None)] * 2
    assert not list(tmp_path.glob("*.pid"))
    supervisor.loop.turn(0)
    assert [watch["state"] for watch in supervisor.to_json()] == ["stopped"] * 2, "and nothing comes back"


def test_a_service_that_waits_for_its_restart_is_stopped_too(still: Supervisor, tmp_path: Path) -> None:
    still.start([service(tmp_path, BROKEN)])
    turn_until(still, lambda: still.watches["x"].state == "backoff")
    still.stop()
    still.wait(5)
    assert still.watches["x"].state == "stopped"


def test_what_an_earlier_supervisor_left_is_ended(tmp_path: Path) -> None:
    former = Supervisor(EventLoop())
    former.start([service(tmp_path, SLEEP)])
    process = former.watches["x"].process
    assert process is not None
    Supervisor(EventLoop()).end_strays([tmp_path / "x.pid", tmp_path / "nosuch.pid"])
    assert process.wait() == -signal.SIGTERM
    former.stopping = True
    former.wait(5)
    former.loop.close()


def test_a_long_life_makes_the_delay_short_again(tmp_path: Path) -> None:
    watch = Watch(service(tmp_path, SLEEP))
    assert [watch.ended(1, "", now=watch.started + 1) for _ in range(4)] == [1, 2, 4, 8]
    assert watch.ended(1, "", now=watch.started + STEADY_S) == 1
    assert watch.restarts == 5


BEATS = "import time; from speeddata.heartbeat import Heartbeat; h = Heartbeat(); print('on', flush=True)\nwhile True: h.beat(); time.sleep(0.05)"


class Late(EventLoop):
    """A loop whose clock can be put forward, and whose timers are due when they are looked at."""

    ahead = 0.0

    def __init__(self) -> None:
        super().__init__(lambda: time.monotonic() + self.ahead)


def test_fault_30_a_service_that_gives_no_sign_of_life_any_more_is_replaced(tmp_path: Path) -> None:
    loop = Late()
    supervisor = Supervisor(loop)
    quiet, beating = service(tmp_path, SLEEP, "quiet"), service(tmp_path, BEATS, "beating")
    supervisor.start([quiet, beating])
    watch = supervisor.watches["beating"]
    turn_until(supervisor, lambda: watch.beaten is not None)
    assert watch.process is not None
    with stopped(watch.process.pid):
        turn_until(supervisor, lambda: loop.clock() - (watch.beaten or 0) > 1.5)
        # Step by step: who sees a great gap was away itself.
        for _ in range(4):
            loop.ahead += LOOK_S + 2.5
            loop.turn(0.01)
        assert watch.hung
    turn_until(supervisor, lambda: watch.restarts == 1)
    assert watch.reason.startswith("did not go on for 30 s")
    # One that never gave a sign need not give any.
    assert supervisor.watches["quiet"].restarts == 0
    supervisor.stop()
    supervisor.wait(5)
    loop.close()


def test_what_a_service_says_is_the_matter_is_told_until_it_says_so_no_more(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    code = (
        "import os, sys, time; from speeddata.heartbeat import Heartbeat; h = Heartbeat()\n"
        "while True: h.beat('' if os.path.exists(sys.argv[1]) else 'deaf'); time.sleep(0.05)"
    )
    mended = tmp_path / "mended"
    one = service(tmp_path, code, "one")
    supervisor.start([replace(one, argv=[*one.argv, str(mended)])])
    watch = supervisor.watches["one"]
    turn_until(supervisor, lambda: watch.state == "degraded")
    assert supervisor.to_json()[0]["reason"] == "deaf"
    assert supervisor.not_serving() == []
    mended.touch()
    turn_until(supervisor, lambda: watch.state == "active")
    assert supervisor.to_json()[0]["reason"] == ""


def test_a_service_serves_from_its_first_sign_of_life_on(supervisor: Supervisor, tmp_path: Path) -> None:
    mute = replace(service(tmp_path, SLEEP, "mute"), beats=False)
    supervisor.start([service(tmp_path, SLEEP, "quiet"), service(tmp_path, BEATS, "beating"), mute])
    turn_until(supervisor, lambda: supervisor.not_serving() == ["quiet"])
    supervisor.stop()
    supervisor.wait(0)
    assert set(supervisor.not_serving()) == {"quiet", "beating", "mute"}


def test_fault_65_who_was_stopped_himself_kills_nobody(tmp_path: Path) -> None:
    loop = Late()
    supervisor = Supervisor(loop)
    supervisor.start([service(tmp_path, BEATS)])
    watch = supervisor.watches["x"]
    turn_until(supervisor, lambda: watch.beaten is not None)
    loop.ahead += 3600
    loop.turn(0.01)
    loop.turn(0.01)
    assert not watch.hung
    supervisor.stop()
    supervisor.wait(5)
    loop.close()


def test_what_a_service_says_is_appended_to_its_log(tmp_path: Path) -> None:
    one = service(tmp_path, "print('new')")
    one.log.write_text("old\n")
    read, write = os.pipe()
    spawn_service(one, {}, write).wait()
    os.close(read)
    os.close(write)
    assert one.log.read_text() == "old\nnew\n"


def test_last_words_are_short(tmp_path: Path) -> None:
    one = service(tmp_path, "")
    assert last_words(one) == ""
    one.log.write_text("2026-01-23T14:00:00.123Z ERROR x: why\n")
    assert last_words(one) == "why"
    one.log.write_bytes(b"first\n" + b"y" * 10000 + b"\n\n \xff\n\n")
    assert last_words(one) == "\N{REPLACEMENT CHARACTER}"
    one.log.write_bytes(b"y" * 10000)
    assert last_words(one) == "y" * 300


def test_a_service_whose_pid_file_cannot_be_written_runs(supervisor: Supervisor, tmp_path: Path) -> None:
    one = Service("x", (sys.executable, "-c", SLEEP), tmp_path / "nosuch" / "x.pid", tmp_path / "x.log")
    supervisor.start([one])
    watch = supervisor.watches["x"]
    assert watch.state == "active"
    assert watch.process is not None
    os.kill(watch.process.pid, signal.SIGKILL)
    turn_until(supervisor, lambda: watch.restarts == 1 and watch.state == "active")
