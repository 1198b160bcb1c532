import os
import signal
from pathlib import Path

from line import NUMBERED, free_port, wait_until
from system import System, alive, run, speeddata


def test_where_nothing_runs_nothing_is_ended(tmp_path: Path) -> None:
    done = speeddata("stop", f"--data={tmp_path / 'nosuch'}")
    assert (done.returncode, done.stdout) == (0, f"nothing runs on {tmp_path / 'nosuch'}\n")
    assert not (tmp_path / "nosuch").exists()


def test_stop_ends_an_orchestrator_and_all_it_started(tmp_path: Path) -> None:
    with run(tmp_path / "data") as system:
        assert system.process is not None
        relay = system.register("x", free_port(), NUMBERED)["pid"]
        status = system.get("/status")
        assert system.stop() == f"orchestrator {system.process.pid} ended\n"
        assert system.process.returncode == 0
        assert not any(map(alive, [relay, status["keeper"]["pid"], *(s["pid"] for s in status["services"])]))
        assert "nothing runs" in system.stop()


def test_stop_ends_what_outlived_its_orchestrator(tmp_path: Path) -> None:
    system = System(tmp_path / "data")
    try:
        system.start()
        relay = system.register("x", free_port(), NUMBERED)["pid"]
        status = system.get("/status")
        system.end(signal.SIGKILL)
    finally:
        said = system.stop()
    services = {service["name"]: service["pid"] for service in status["services"]}
    keeper = status["keeper"]["pid"]
    assert said.splitlines() == [
        f"pivot {services['pivot']} ended",
        f"stripchart {services['stripchart']} ended",
        f"keeper {keeper} ended, with 1 relays",
    ]
    assert not any(map(alive, [relay, keeper, *services.values()]))


def test_stop_ends_relays_that_outlived_their_keeper(tmp_path: Path) -> None:
    system = System(tmp_path / "data", "--only=relay")
    try:
        system.start()
        relay = system.register("x", free_port(), NUMBERED)["pid"]
        keeper = system.get("/status")["keeper"]["pid"]
        system.end(signal.SIGKILL)
        os.kill(keeper, signal.SIGKILL)
        assert alive(relay)
        assert system.stop() == f"relay {relay} ended\n"
        assert not alive(relay)
        assert "nothing runs" in system.stop()
    finally:
        system.stop()


def test_stop_ends_a_keeper_and_a_relay_that_hang(tmp_path: Path) -> None:
    system = System(tmp_path / "data", "--only=relay")
    relay = 0
    try:
        system.start()
        relay = system.register("x", free_port(), NUMBERED)["pid"]
        keeper = system.get("/status")["keeper"]["pid"]
        wait_until((system.data / "run" / "relay-x.sock").exists, "the relay's door")
        for pid in (relay, keeper):
            os.kill(pid, signal.SIGSTOP)
        system.stop()
        assert f"keeper {keeper} killed, it did not end" in system.said()
        assert f"relay {relay} killed, it did not end" in system.said()
        assert not alive(keeper)
        assert not alive(relay)
    finally:
        if relay and alive(relay):
            os.kill(relay, signal.SIGKILL)
        system.stop()
