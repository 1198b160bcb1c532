"""The whole of `speeddata run` with its real keeper and services: start, stop, kill, start again."""

import json
import os
import signal
import socket
import subprocess
from pathlib import Path
from typing import Any

import pytest
from line import NUMBERED, numbered, read_records, wait_until
from ports import free_port, free_tcp_ports
from system import System, alive, run, speeddata

from speeddata.relay import orchestrator, web_server
from speeddata.relay.client import KeeperClient
from speeddata.run_options import RunOptions
from speeddata.settings import load_settings

STOP_LIMIT_S = 5.0  # the promise of docs/operating.md
CHANNEL_YAML = """\
channels:
  - {{name: base, port: {port}, schema: numbered.avsc, decimation: 5}}
"""


@pytest.fixture
def system(tmp_path: Path) -> Any:
    with run(tmp_path / "data") as system:
        yield system


@pytest.fixture
def recording(tmp_path: Path) -> Any:
    """A system without live server and history service, which take long to start."""
    with run(tmp_path / "data", "--only=relay") as system:
        yield system


def send(port: int, count: int, first: int = 0) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as source:
        for n in range(first, first + count):
            source.sendto(numbered(n), ("127.0.0.1", port))


def services(system: System) -> dict[str, dict[str, Any]]:
    begun = wait_until(lambda: system.get("/status")["services"], "services")
    return {service["name"]: service for service in begun}


def all_active(system: System) -> bool:
    return {service["state"] for service in services(system).values()} == {"active"}


def test_a_channel_is_registered_recorded_and_shown(recording: System) -> None:
    port = free_port()
    pid = recording.register("x", port, NUMBERED)["pid"]
    send(port, 100)
    wait_until(lambda: recording.get("/channels/x")["stats"]["durable"] == 100, "100 records durable")
    channel = recording.get("/channels/x")
    assert (channel["pid"], channel["status"], channel["state"], channel["time_unit"]) == (
        pid,
        "active",
        "active",
        "ns",
    )
    assert channel["source"]["port"] > 0
    records = read_records(Path(channel["archive"]), "x")
    assert [record["n"] for record in records] == list(range(100))
    assert recording.ask("DELETE", "/api/v1/channels/x")[0] == 200
    assert not alive(pid)
    assert len(read_records(Path(channel["archive"]), "x")) == 100


def test_a_port_that_is_in_use_is_said_and_the_channel_not_registered(recording: System) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        port = other.getsockname()[1]
        status, answer = recording.ask(
            "POST", "/api/v1/channels", {"name": "x", "port": port, "schema": NUMBERED}
        )
    assert (status, answer["error"], answer["name"]) == (500, "Failed to start relay process", "x")
    assert f"port {port} on 127.0.0.1 is in use (by process {os.getpid()}" in answer["details"]
    assert recording.get("/channels")["channels"] == []


def test_the_status_names_every_process(system: System) -> None:
    assert system.process is not None
    system.register("x", free_port(), NUMBERED)
    active = {"count": 1, "states": {"active": 1}}
    status = wait_until(
        lambda: (now := system.processes())["channels"] == active and now, "the channel is active"
    )
    assert status["pid"] == system.process.pid
    assert status["data"] == str(system.data)
    assert status["keeper"]["state"] == "active"
    assert {service["name"] for service in status["services"]} == {"ingest", "stripchart", "pivot"}
    assert all(alive(service["pid"]) for service in [status["keeper"], *status["services"]])


def test_the_archive_is_shown_and_tags_are_kept_over_a_restart(recording: System) -> None:
    recording.register("x", free_port(), NUMBERED, retention={"max_age_s": 60}, compression="deflate")
    archive = recording.get("/status")["archive"]
    assert archive["folder"] == str(recording.data / "archive")
    assert 0 < archive["free_percent"] <= 100
    assert (archive["trouble"], archive["clock_step"], archive["damaged"]) == (None, None, 0)
    status, tag = recording.ask(
        "POST", "/api/v1/tags", {"name": "trigger", "last": "PT5M", "channels": ["x"]}
    )
    assert status == 201, tag
    assert recording.end() == 0
    stray = subprocess.Popen(
        ["sleep", "60"], env={**os.environ, "SPEEDDATA_PIDFILE": str(recording.data / "run" / "sealing.pid")}
    )
    recording.start()
    assert stray.wait(10) == -signal.SIGTERM, (
        "the sealing process of an orchestrator that was killed is ended"
    )
    assert recording.get("/tags") == {"tags": [tag]}
    wait_until(lambda: recording.get("/status")["archive"]["segments"] == 0, "a look at the archive")


def test_the_addresses_are_printed(system: System) -> None:
    wait_until(lambda: "Ctrl-C ends it" in system.said(), "addresses")
    for port in (system.api_port, system.websocket_port, system.pivot_port):
        assert f"127.0.0.1:{port}/" in system.said()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_fault_37_a_signal_ends_everything_flushed_with_status_0(tmp_path: Path, number: int) -> None:
    with run(tmp_path / "data") as system:
        port = free_port()
        relay = system.register("x", port, NUMBERED, block_age_s=60, flush_interval_s=60)["pid"]
        status = system.processes()
        send(port, 50)
        wait_until(lambda: system.get("/channels/x")["stats"]["records"] == 50, "50 records")
        assert system.end(number, STOP_LIMIT_S) == 0, system.said()
        pids = [relay, status["keeper"]["pid"], *(service["pid"] for service in status["services"])]
        assert not any(map(alive, pids))
    assert len(read_records(tmp_path / "data" / "archive" / "x", "x")) == 50


def test_registrations_outlive_a_restart_and_the_baseline_is_added(tmp_path: Path) -> None:
    folder = tmp_path / "settings"
    folder.mkdir()
    (folder / "numbered.avsc").write_text(json.dumps(NUMBERED))
    (folder / "relay.yaml").write_text(CHANNEL_YAML.format(port=free_port()))
    with run(tmp_path / "data", f"--config={folder}", "--only=relay") as system:
        system.register("x", free_port(), "numbered.avsc", decimation={"rate_hz": 10})
        wait_until(
            lambda: {c["status"] for c in system.get("/channels")["channels"]} == {"active"}, "both active"
        )
        before = {channel["name"]: channel for channel in system.get("/channels")["channels"]}
        assert system.end() == 0
        system.start()
        wait_until(
            lambda: {c["status"] for c in system.get("/channels")["channels"]} == {"active"}, "both active"
        )
        after = {channel["name"]: channel for channel in system.get("/channels")["channels"]}
    assert before.keys() == after.keys() == {"base", "x"}
    for name in before:
        for field in ("port", "schema", "schema_path", "created_at", "multicast", "decimation", "config"):
            assert before[name][field] == after[name][field]
    assert before["base"]["decimation"]["factor"] == 5


def test_fault_28_killing_the_orchestrator_stops_nothing_and_the_next_one_takes_over(tmp_path: Path) -> None:
    with run(tmp_path / "data") as system:
        port = free_port()
        relay = system.register("x", port, NUMBERED)["pid"]
        wait_until(lambda: all_active(system), "services")
        former = system.get("/status")
        assert system.end(signal.SIGKILL) == -signal.SIGKILL
        others = [service["pid"] for service in former["services"]]
        send(port, 20)
        assert all(map(alive, [relay, former["keeper"]["pid"], *others]))
        system.start()
        wait_until(lambda: all_active(system), "services")
        assert system.get("/status")["keeper"]["pid"] == former["keeper"]["pid"]
        assert system.get("/channels/x")["pid"] == relay
        assert not any(map(alive, others)), "the services of the former orchestrator are replaced"
        wait_until(lambda: system.get("/channels/x")["stats"]["durable"] == 20, "records of the meantime")


def test_a_service_that_dies_is_started_again(system: System) -> None:
    wait_until(lambda: all_active(system), "services")
    first = services(system)["stripchart"]["pid"]
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: services(system)["stripchart"]["pid"] not in (first, None), "another one")
    again = services(system)["stripchart"]
    assert (again["state"], again["restarts"]) == ("active", 1)
    assert f"stripchart {first}: ended by SIGKILL; next start in 1 s" in system.said()


def test_a_keeper_that_dies_stops_no_relay_and_the_next_one_adopts_it(recording: System) -> None:
    port = free_port()
    relay = recording.register("x", port, NUMBERED)["pid"]
    keeper = recording.get("/status")["keeper"]["pid"]
    os.kill(keeper, signal.SIGKILL)
    wait_until(lambda: recording.get("/status")["keeper"]["pid"] not in (keeper, None), "another keeper")
    send(port, 10)
    wait_until(lambda: (recording.get("/channels/x")["stats"] or {}).get("records") == 10, "records")
    assert recording.get("/channels/x")["pid"] == relay
    assert "keeper" in recording.said()
    assert recording.get("/status")["keeper"]["restarts"] == 1


def test_changed_settings_replace_the_relay_at_the_next_start(tmp_path: Path) -> None:
    system = System(tmp_path / "data")
    try:
        system.start()
        relay = system.register("x", free_port(), NUMBERED)["pid"]
        system.end(signal.SIGKILL)
        system.options = ("--set=relay.block_age_s=0.5",)
        system.start()
        wait_until(lambda: system.get("/channels/x")["pid"] not in (relay, None), "another relay")
        other = system.get("/channels/x")["pid"]
        system.end(signal.SIGKILL)
        system.options += ("--set=relay.decimation.factor=7",)
        system.start()
        wait_until(
            lambda: system.get("/channels/x")["decimation"]["factor"] == 7,
            "the same relay, decimating otherwise",
        )
        assert system.get("/channels/x")["pid"] == other
    finally:
        system.stop()


def test_fault_35_a_second_orchestrator_names_the_first(system: System) -> None:
    assert system.process is not None
    done = speeddata("run", f"--data={system.data}", f"--api-port={free_tcp_ports(1)[0]}")
    assert done.returncode == 3
    assert done.stderr == f"speeddata: {system.data} is in use by process {system.process.pid}\n"
    assert system.answers()


def test_a_port_of_the_api_in_use_is_one_line(tmp_path: Path) -> None:
    (port,) = free_tcp_ports(1)
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as other:
        other.bind(("127.0.0.1", port))
        other.listen()
        done = speeddata("run", f"--data={tmp_path / 'data'}", f"--api-port={port}")
    assert (done.returncode, done.stderr) == (
        3,
        f"speeddata: port {port} on 127.0.0.1 is in use (--api-port takes another)\n",
    )


def test_fault_33_a_service_whose_port_is_in_use_waits_for_it_and_says_so(tmp_path: Path) -> None:
    system = System(tmp_path / "data")
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as other:
        other.bind(("127.0.0.1", system.websocket_port))
        other.listen()
        try:
            system.start()
            wait_until(lambda: services(system)["stripchart"]["state"] == "backoff", "back-off")
            assert "in use" in services(system)["stripchart"]["reason"]
            other.close()
            wait_until(
                lambda: services(system)["stripchart"]["restarts"] > 0 and all_active(system), "the port", 40
            )
        finally:
            system.stop()


def test_a_registry_that_cannot_be_used_is_one_line(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "registry.db").write_bytes(b"not a database" * 1000)
    done = speeddata("run", f"--data={data}", f"--api-port={free_tcp_ports(1)[0]}")
    assert done.returncode == 3
    assert done.stderr.count("\n") == 1
    assert "registry.db cannot be used as registry" in done.stderr


def test_services_can_run_alone(tmp_path: Path) -> None:
    system = System(tmp_path / "data", "--only=relay")
    try:
        system.start()
        assert [service["name"] for service in system.processes()["services"]] == ["ingest"]
        other = System(tmp_path / "data", "--only=stripchart")
        other.output = tmp_path / "other.out"
        other.start(wait=False)
        wait_until(lambda: "Ctrl-C ends it" in other.said(), "start")
        assert other.end() == 0, other.said()
        assert system.answers()
    finally:
        system.stop()


def test_an_orchestrator_that_fails_leaves_the_recording_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: Any) -> None:
        raise ZeroDivisionError

    system = System(tmp_path / "data", "--only=relay")
    try:
        system.start()
        relay = system.register("x", free_port(), NUMBERED)["pid"]
        system.end(signal.SIGKILL)
        monkeypatch.setattr(orchestrator, "announce", fail)
        options = RunOptions(data=system.data, only=("relay",), api_port=system.api_port)
        with pytest.raises(ZeroDivisionError):
            orchestrator.Orchestrator(options, load_settings(None, options.overrides())).run()
        assert alive(relay)
        assert f"recording goes on; speeddata stop --data {system.data} ends it" in caplog.text
    finally:
        system.stop()
    assert not alive(relay)


def test_an_orchestrator_that_cannot_start_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(orchestrator, "announce", fail)
    monkeypatch.setattr(orchestrator, "bind", lambda host, _: web_server.bind(host, 0))
    options = RunOptions(data=tmp_path / "data", only=("relay",))
    with pytest.raises(OSError, match="No space left"):
        orchestrator.Orchestrator(options, load_settings(None, options.overrides())).run()
    assert "recording goes on" not in caplog.text
    assert KeeperClient(tmp_path / "data").ping() is None
