"""`speeddata restart`: everything is another process or began anew, and no packet is lost."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from line import NUMBERED, read_records, wait_until
from ports import free_port
from sender import Sender
from system import System, alive, run, speeddata

from speeddata.lock import lock_holder
from speeddata.relay.client import KeeperClient
from speeddata.relay.data_folder import DataFolder


def test_where_nothing_runs_nothing_is_restarted(tmp_path: Path) -> None:
    done = speeddata("restart", f"--data={tmp_path / 'nosuch'}")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"speeddata: --data {tmp_path / 'nosuch'}: there is no such folder\n"


def pids(system: System) -> dict[str, int]:
    status = system.processes()
    found = {service["name"]: service["pid"] for service in status["services"]}
    return found | {"keeper": status["keeper"]["pid"], "relay": system.get("/channels/x")["pid"]}


@contextmanager
def recording(data: Path) -> Iterator[System]:
    """A system with channel `x`, all processes of which run; without the history service, which takes long to start."""
    with run(data, "--only=relay", "--only=stripchart") as system:
        system.register("x", free_port(), NUMBERED)
        wait_until(lambda: all(pids(system).values()))
        yield system


def test_a_restart_under_load_loses_nothing(tmp_path: Path) -> None:
    with run(tmp_path / "data") as system:
        assert system.process is not None
        port = free_port()
        system.register("x", port, NUMBERED)
        wait_until(lambda: all(pids(system).values()))
        before = pids(system)
        sender = Sender(port)
        sender.start()
        wait_until(lambda: system.get("/channels/x")["stats"]["durable"] > 1000)
        done = speeddata("restart", f"--data={system.data}")
        assert (done.returncode, done.stderr) == (0, "")
        wait_until(system.answers)
        wait_until(lambda: all(pids(system).values()))
        after = pids(system)
        assert done.stdout.splitlines() == [
            f"orchestrator {system.process.pid} began anew",
            f"keeper {before['keeper']} replaced by {after['keeper']}",
            f"x: relay {before['relay']} replaced by {after['relay']}",
        ]
        assert not set(before.values()) & set(after.values())
        wait_until(lambda: not any(map(alive, before.values())))
        sent = sender.finish()
        wait_until(lambda: system.get("/channels/x")["stats"]["durable"] == sent)
        stats = system.get("/channels/x")["stats"]
        assert (stats["packets"], stats["kernel_drops"], stats["ring_full"]) == (sent, 0, 0)
        folder = Path(system.get("/channels/x")["archive"])
        system.end()
    assert [record["n"] for record in read_records(folder, "x")] == list(range(sent))


def test_without_an_orchestrator_keeper_and_relays_are_renewed(tmp_path: Path) -> None:
    with run(tmp_path / "data", "--only=relay") as system:
        relay = system.register("x", free_port(), NUMBERED)["pid"]
        keeper = system.get("/status")["keeper"]["pid"]
        system.end(signal.SIGKILL)
        done = speeddata("restart", f"--data={system.data}")
        client = KeeperClient(system.data)
        assert done.stdout.splitlines() == [
            f"keeper {keeper} replaced by {client.ping()['pid']}",  # type: ignore[index]
            f"x: relay {relay} replaced by {client.list()[0]['pid']}",
        ]


def test_a_keeper_that_does_not_answer_is_replaced_too(keeper, spec) -> None:
    relay = keeper.start(spec)
    former = keeper.ping()["pid"]
    os.kill(former, signal.SIGSTOP)
    done = speeddata("restart", f"--data={keeper.data}", limit_s=60)
    assert done.returncode == 0, done.stderr
    assert keeper.ping()["pid"] != former
    assert keeper.list()[0]["pid"] != relay
    assert not alive(former)


@pytest.mark.parametrize("delay_s", [0.0, 0.3, 1.0])
def test_a_stop_during_a_restart_ends_everything(tmp_path: Path, delay_s: float) -> None:
    with recording(tmp_path / "data") as system:
        assert system.process is not None
        keeper = KeeperClient(system.data)
        command = [sys.executable, "-P", "-m", "speeddata", "restart", f"--data={system.data}"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as restart:
            time.sleep(delay_s)  # which moment of the restart is struck is what differs
            done = speeddata("stop", f"--data={system.data}", limit_s=120)
            restart.communicate(timeout=60)
        assert (done.returncode, done.stderr) == (0, "")
        system.process.wait(30)
        assert keeper.ping() is None
        assert "nothing runs" in speeddata("stop", f"--data={system.data}").stdout


@pytest.mark.parametrize("delay_s", [0.0, 0.05, 0.5])
def test_who_is_told_to_end_while_it_begins_anew_ends_with_everything(tmp_path: Path, delay_s: float) -> None:
    with recording(tmp_path / "data") as system:
        assert system.process is not None
        before = pids(system)
        os.kill(system.process.pid, signal.SIGUSR1)
        time.sleep(delay_s)  # as above
        os.kill(system.process.pid, signal.SIGTERM)
        assert system.process.wait(60) == 0
        left = {name: pid for name, pid in before.items() if alive(pid)}
        assert left == {}, system.said()
        assert KeeperClient(system.data).ping() is None


def test_who_begins_anew_has_its_locks_all_the_while(tmp_path: Path) -> None:
    with run(tmp_path / "data") as system:
        assert system.process is not None
        lock = DataFolder(system.data).lock("relay")
        signed = lock.stat().st_mtime_ns
        os.kill(system.process.pid, signal.SIGUSR1)

        def renewed() -> bool:
            assert lock_holder(lock) == system.process.pid
            return lock.stat().st_mtime_ns > signed

        wait_until(renewed, "the next beginning")
        wait_until(system.answers)
