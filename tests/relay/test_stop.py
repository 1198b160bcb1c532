import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

from deafness import deaf
from ledger import read_numbers, segments
from line import NUMBERED, numbered, read_records, wait_until
from numbered_channel import NumberedChannel, keeping
from ports import free_port
from rotation_kills import deaths
from system import System, alive, run, speeddata
from tracing import Trace


def test_where_nothing_runs_nothing_is_ended(tmp_path: Path) -> None:
    done = speeddata("stop", f"--data={tmp_path / 'nosuch'}")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"speeddata: --data {tmp_path / 'nosuch'}: there is no such folder\n"
    assert not (tmp_path / "nosuch").exists()


def test_stop_ends_an_orchestrator_and_all_it_started(tmp_path: Path) -> None:
    with run(tmp_path / "data") as system:
        assert system.process is not None
        relay = system.register("x", free_port(), NUMBERED)["pid"]
        status = system.processes()
        assert system.stop() == f"orchestrator {system.process.pid} ended\n"
        assert system.process.returncode == 0
        assert not any(map(alive, [relay, status["keeper"]["pid"], *(s["pid"] for s in status["services"])]))
        assert "nothing runs" in system.stop()


def test_stop_says_what_could_not_be_brought_to_the_disk(tmp_path: Path) -> None:
    with run(tmp_path / "data", "--only=relay") as system:
        assert system.process is not None
        port = free_port()
        relay = system.register("x", port, NUMBERED)["pid"]
        with Trace(relay, ["pwrite64:error=ENOSPC", "ftruncate:error=EIO"]):
            with socket.socket(type=socket.SOCK_DGRAM) as source:
                for n in range(10):
                    source.sendto(numbered(n), ("127.0.0.1", port))
            wait_until(lambda: system.get("/channels/x")["state"] == "degraded")
            done = speeddata("stop", f"--data={system.data}")
        lost = "x: 10 records that it had received are lost: No space left on device"
        assert (done.returncode, done.stderr) == (1, f"speeddata: {system.data}: {lost}\n")
        assert done.stdout == f"orchestrator {system.process.pid} ended\n"
        again = speeddata("stop", f"--data={system.data}")
        assert (again.returncode, again.stderr) == (0, "")


def test_two_stops_follow_each_other_and_a_loss_is_said_once(tmp_path: Path) -> None:
    with run(tmp_path / "data", "--only=relay") as system:
        port = free_port()
        relay = system.register("x", port, NUMBERED)["pid"]
        with Trace(relay, ["pwrite64:error=ENOSPC", "ftruncate:error=EIO"]):
            with socket.socket(type=socket.SOCK_DGRAM) as source:
                source.sendto(numbered(1), ("127.0.0.1", port))
            wait_until(lambda: system.get("/channels/x")["state"] == "degraded")
            command = [sys.executable, "-P", "-m", "speeddata", "stop", f"--data={system.data}"]
            both = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in "12"]
            said = [one.communicate(timeout=60)[1] for one in both]
        assert sorted(one.returncode for one in both) == [0, 1]
        assert sum(b"1 record that it had received is lost" in words for words in said) == 1


def test_a_keeper_and_a_relay_that_somebody_has_stopped_lose_nothing(tmp_path: Path) -> None:
    with run(tmp_path / "data", "--only=relay") as system:
        port = free_port()
        relay = system.register("x", port, NUMBERED)["pid"]
        wait_until(lambda: system.get("/channels/x")["state"] == "active")
        keeper = system.get("/status")["keeper"]["pid"]
        archive = Path(system.get("/channels/x")["archive"])
        for pid in (keeper, relay):
            os.kill(pid, signal.SIGSTOP)
        with socket.socket(type=socket.SOCK_DGRAM) as source:
            for n in range(100):
                source.sendto(numbered(n), ("127.0.0.1", port))
        done = speeddata("stop", f"--data={system.data}", limit_s=60)
        assert (done.returncode, done.stderr) == (0, "")
    assert [record["n"] for record in read_records(archive, "x")] == list(range(100))


def test_a_channel_on_a_slow_disk_is_stopped_when_all_is_written(tmp_path: Path) -> None:
    """Eight blocks at 0.8 s each: longer than a relay has that does not write."""
    with keeping(tmp_path) as keeper:
        with NumberedChannel(keeper, tmp_path, block_bytes=65536, block_age_s=60) as channel:
            with Trace(channel.pid, ["pwrite64:delay_enter=400000"]):
                channel.send(25_000)
                wait_until(lambda: channel.stats["records"] == 25_000)
                assert channel.stats["ring"]["queued"] > 5
                keeper.stop("test")
        assert deaths(keeper) == 0, "and not killed for its successor to write the rest"
        assert read_numbers(segments(channel.archive)) == list(range(25_000))


def test_stop_ends_what_outlived_its_orchestrator(tmp_path: Path) -> None:
    system = System(tmp_path / "data")
    try:
        system.start()
        relay = system.register("x", free_port(), NUMBERED)["pid"]
        status = system.processes()
        system.end(signal.SIGKILL)
    finally:
        said = system.stop()
    services = {service["name"]: service["pid"] for service in status["services"]}
    keeper = status["keeper"]["pid"]
    assert said.splitlines() == [
        f"pivot {services['pivot']} ended",
        f"stripchart {services['stripchart']} ended",
        f"ingest {services['ingest']} ended",
        f"keeper {keeper} ended, with 1 relay",
    ]
    assert not any(map(alive, [relay, keeper, *services.values()]))


def test_stop_ends_relays_that_outlived_their_keeper(tmp_path: Path) -> None:
    system = System(tmp_path / "data", "--only=relay")
    try:
        system.start()
        relay = system.register("x", free_port(), NUMBERED)["pid"]
        status = system.processes()
        (shared,) = status["services"]
        system.end(signal.SIGKILL)
        os.kill(status["keeper"]["pid"], signal.SIGKILL)
        assert alive(relay)
        assert system.stop() == f"ingest {shared['pid']} ended\nrelay {relay} ended\n"
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
        system.end(signal.SIGKILL)
        with deaf(keeper, relay):
            done = speeddata("stop", f"--data={system.data}", limit_s=60)
        lost = f"relay {relay} killed, it did not end: what it had not written is lost"
        assert (done.returncode, done.stderr) == (1, f"speeddata: {system.data}: {lost}\n")
        assert f"keeper {keeper} killed, it did not end" in done.stdout
        assert f"relay {relay} killed, it did not end" in done.stdout
        assert not alive(keeper)
        assert not alive(relay)
    finally:
        if relay and alive(relay):
            os.kill(relay, signal.SIGKILL)
        system.stop()
