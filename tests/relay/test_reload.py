"""Settings that changed are gone over to, what they do not concern is left alone: with the whole system."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import system
import yaml
from line import NUMBERED, read_records, wait_until
from ports import free_port
from sender import Sender

from speeddata.errors import ConfigError
from speeddata.relay.reload import effective, refuse_absent
from speeddata.settings import Override, load_settings


class Bench:
    """A system with a folder of settings."""

    def __init__(self, folder: Path, started: system.System) -> None:
        self.folder, self.system = folder, started

    def write(self, file: str, **settings: Any) -> None:
        (self.folder / f"{file}.yaml").write_text(yaml.safe_dump(settings))

    def reload(self, status: int = 200) -> Any:
        got, answer = self.system.ask("POST", "/api/v1/reload")
        assert got == status, answer
        return answer

    def pids(self) -> dict[str, int]:
        """The processes, by name."""
        told = self.system.get("/status")
        named = {one["name"]: one["pid"] for one in told["services"]}
        relays = {f"relay {one['name']}": one["pid"] for one in self.system.get("/channels")["channels"]}
        return {**named, **relays, "keeper": told["keeper"]["pid"]}


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    top = tmp_path_factory.mktemp("reload")
    folder = top / "settings"
    folder.mkdir()
    (folder / "numbered.avsc").write_text(json.dumps(NUMBERED))
    with system.run(top / "data", f"--config={folder}", "--log-format=json") as started:
        for name in ("a", "b"):
            started.register(
                name, free_port(), NUMBERED, **({"rotation": {"seconds": 77}} if name == "b" else {})
            )
        started.processes()
        yield Bench(folder, started)


def test_nothing_that_has_changed_is_nothing_to_do(bench: Bench) -> None:
    before = bench.pids()
    assert bench.reload() == {"changes": [], "channels": [], "added": [], "services": [], "failed": {}}
    assert bench.pids() == before


def test_channels_go_over_to_what_is_set_for_all_and_lose_nothing(bench: Bench) -> None:
    port = bench.system.get("/channels/a")["port"]
    before = bench.pids()
    sender = Sender(port, 0.002)
    sender.start()
    try:
        wait_until(lambda: bench.system.get("/channels/a/stats")["stats"]["records"] > 500)
        bench.write("relay", rotation={"seconds": 120})
        told = bench.reload()
        wait_until(lambda: bench.system.get("/channels/a/stats")["stats"]["records"] > 1500)
    finally:
        sent = sender.finish()
    (change,) = told["changes"]
    origin = change.pop("origin")
    assert change == {"key": "relay.rotation.seconds", "from": 3600, "to": 120, "takes": None}
    assert origin.startswith(str(bench.folder / "relay.yaml"))
    # The other has its own.
    assert (told["channels"], told["services"], told["failed"]) == (["a"], [], {})
    after = bench.pids()
    assert {name for name in before if before[name] != after[name]} == {"relay a"}
    assert bench.system.get("/channels/a/spec")["rotation"]["seconds"] == 120
    wait_until(lambda: bench.system.get("/channels/a/stats")["stats"]["archived"] == sent)
    found = read_records(bench.system.data / "archive" / "a", "a")
    assert [record["n"] for record in found] == list(range(sent))


def test_a_service_whose_settings_changed_is_started_anew_alone(bench: Bench) -> None:
    before = bench.pids()
    bench.write("stripchart", websocket={"clients": 33})
    assert bench.reload()["services"] == ["stripchart"]
    wait_until(lambda: bench.pids()["stripchart"] not in (None, before["stripchart"]))
    after = bench.pids()
    assert {name for name in before if before[name] != after[name]} == {"stripchart"}
    assert {one["name"]: one["restarts"] for one in bench.system.get("/status")["services"]}[
        "stripchart"
    ] == 0


def test_a_channel_that_is_new_in_the_file_is_registered(bench: Bench) -> None:
    port = free_port()
    bench.write(
        "relay", rotation={"seconds": 120}, channels=[{"name": "c", "port": port, "schema": "numbered.avsc"}]
    )
    told = bench.reload()
    assert told["added"] == ["c"]
    assert told["changes"][0]["key"] == "relay.channels[c]"
    wait_until(lambda: bench.system.get("/channels/c")["pid"])
    # Who is registered stays, whatever the file says.
    bench.write("relay", rotation={"seconds": 120})
    assert bench.reload()["added"] == []
    assert bench.system.get("/channels/c")["port"] == port


def test_a_new_channel_that_cannot_be_registered_is_told(bench: Bench) -> None:
    port = bench.system.get("/channels/a")["port"]
    bench.write("relay", channels=[{"name": "late", "port": port, "schema": "numbered.avsc"}])
    told = bench.reload()
    assert (told["added"], told["failed"]) == ([], {"late": "not registered, the log tells why"})
    bench.write("relay", rotation={"seconds": 120})
    assert bench.reload()["failed"] == {}


def test_what_takes_another_start_is_said_and_not_done(bench: Bench) -> None:
    bench.write("global", access={"required": True})
    for _ in range(2):
        (change,) = bench.reload()["changes"]
        assert (change["key"], change["takes"]) == ("global.access.required", "restart")
    assert bench.system.get("/health")["status"] == "ok"
    (bench.folder / "global.yaml").unlink()
    assert bench.reload()["changes"] == []


def test_settings_that_cannot_be_used_change_nothing(bench: Bench) -> None:
    before = bench.pids()
    bench.write("relay", rotation={"seconds": -1}, decimation={"nonsense": 1})
    answer = bench.reload(409)
    assert answer["error"] == "Settings cannot be used"
    assert len(answer["problems"]) == 2
    assert "relay.yaml" in answer["details"]
    assert bench.pids() == before
    bench.write("relay", rotation={"seconds": 120})
    assert bench.reload()["changes"] == []


def test_an_address_that_this_machine_does_not_have_is_refused(bench: Bench) -> None:
    before = bench.pids()
    bench.write("relay", listen="192.0.2.77", rotation={"seconds": 120})
    (problem,) = bench.reload(409)["problems"]
    assert problem.startswith(f"{bench.folder / 'relay.yaml'}:1: listen is '192.0.2.77', wanted an address")
    assert problem.endswith("(Cannot assign requested address)")
    assert bench.pids() == before
    bench.write("relay", rotation={"seconds": 120})
    assert bench.reload()["changes"] == []


def test_an_address_is_refused_where_there_are_no_channels() -> None:
    before = load_settings()
    for address in ("127.0.0.1", "127.0.0.2", "0.0.0.0"):
        refuse_absent(before, load_settings(None, [Override("relay.listen", address)]))
    absent = load_settings(None, [Override("relay.listen", "192.0.2.77")])
    with pytest.raises(ConfigError, match=r"^--set relay.listen=192.0.2.77: listen is '192.0.2.77', wanted"):
        refuse_absent(before, absent)
    refuse_absent(absent, absent)


def test_sighup_does_the_same_and_says_it(bench: Bench) -> None:
    bench.write("relay", rotation={"seconds": 240})
    assert bench.system.process is not None
    os.kill(bench.system.process.pid, signal.SIGHUP)
    wait_until(lambda: bench.system.get("/channels/a/spec")["rotation"]["seconds"] == 240)
    wait_until(lambda: "relay.rotation.seconds: 120 -> 240" in bench.system.said())
    lines = [json.loads(line) for line in bench.system.said().splitlines() if line.startswith("{")]
    assert {"keeper", "orchestrator"} <= {line["process"] for line in lines}
    events = bench.system.get("/events?kind=settings")["events"]
    assert events[0]["event"] == "reloaded"
    bench.write("relay", rotation={"seconds": "x"})
    os.kill(bench.system.process.pid, signal.SIGHUP)
    wait_until(lambda: "settings are not taken" in bench.system.said())


def test_what_another_start_takes_is_held_until_then() -> None:
    before = load_settings()
    after = load_settings(
        None,
        [Override("relay.api.port", "1"), Override("pivot.api.port", "2"), Override("global.host", "::1")],
    )
    held = effective(before, after)
    assert (held.flat["relay"]["api.port"], held.flat["pivot"]["api.port"]) == (8080, 2)
    assert {held.flat[service]["host"] for service in held.flat} == {"127.0.0.1"}
