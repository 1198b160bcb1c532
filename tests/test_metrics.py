"""One counter, one home: with a real system the page, the API and the metrics show the same numbers, all of them."""

import copy
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import requests
from limited import LIMITED
from line import encode, wait_until
from ports import free_port
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_plain
from store_client import NUMBERED, StoreClient, part
from system import System, run, speeddata

from speeddata.client import SpeedDataClient
from speeddata.registry.metrics_table import LEFT_OUT, TABLE, Metric
from speeddata.times import parse_time

Json = dict[str, Any]
Found = dict[tuple[str, frozenset[tuple[str, str]]], float]
START_MS = 1_700_000_000_000
OPENMETRICS = "application/openmetrics-text;version=1.0.0"
PROMTOOL = shutil.which("promtool", path=f"{Path(sys.executable).parent}:/usr/bin")
# What counts on, or tells of the instant at which it is asked for.
OF_NOW = ("stats.heartbeat",)
MILLIS: Json = copy.deepcopy(LIMITED)
MILLIS["fields"][0]["logicalType"] = "timestamp-millis"


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A system with a channel whose counters have moved, and one that was fed by HTTP."""
    with run(tmp_path_factory.mktemp("metrics") / "data", "--only=relay") as system:
        port = free_port()
        system.register("x", port, MILLIS, block_age_s=0.05, flush_interval_s=0.05)
        send(port)
        wait_until(lambda: system.get("/channels/x")["stats"]["quarantined"] == 2, "packets in quarantine")
        assert system.ask("POST", "/api/v1/channels/x/restart")[0] == 200
        feed(system)
        wait_until(lambda: system.ask("GET", "/readyz")[0] == 200, "everything to run")
        yield system


def send(port: int) -> None:
    """A gap of two, a number again, one late, a time that cannot be, a value beyond its limits, and what is no record."""
    numbers = [*range(10), 12, 12, 11]
    packets = [encode(MILLIS, time=START_MS + n, n=n, value=0.0) for n in numbers]
    packets.append(encode(MILLIS, time=2**62, n=13, value=20.0))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as source:
        for packet in [*packets, b"", b"no record"]:
            source.sendto(packet, ("127.0.0.1", port))


def feed(system: System) -> None:
    """Records for a channel without a port."""
    assert system.ask("POST", "/api/v1/channels", {"name": "y", "port": None, "schema": NUMBERED})[0] == 201
    path = system.data / "run" / "ingest.sock"
    wait_until(path.exists, "the shared relay")
    with StoreClient(path) as client:
        client.ask({"op": "open", "spec": system.get("/channels/y/spec")})
        assert client.append([part("y", 0, 10)], durability="block")["ok"]
    wait_until(lambda: (system.get("/channels/y")["ingested"] or {}).get("records") == 10, "the counters")


def scrape(system: System, accept: str = "") -> str:
    request = urllib.request.Request(
        f"http://127.0.0.1:{system.api_port}/metrics", headers={"Accept": accept}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return str(answer.read().decode())


def samples(text: str) -> Found:
    every = [one for family in read_plain(text) for one in family.samples]
    found = {(one.name, frozenset(one.labels.items())): one.value for one in every}
    assert len(found) == len(every), "each series is told once"
    return found


def leaves(told: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Every counter, with the keys that lead to it; and times, which the API tells as text."""
    if isinstance(told, dict):
        for key, value in told.items():
            yield from leaves(value, f"{path}.{key}")
    elif isinstance(told, int | float) and not isinstance(told, bool):
        yield path, told


def rows(group: str, key: str) -> list[tuple[Metric, frozenset[tuple[str, str]]]]:
    """The rows that tell a number, each with the labels that it has beside the channel's."""
    parent, _, entry = key.rpartition(".")
    exact = [
        (row, frozenset(row.labels)) for row in TABLE if (row.group, row.key, row.by) == (group, key, "")
    ]
    of_object = [row for row in TABLE if (row.group, row.key) == (group, parent) and row.by]
    return exact + [(row, frozenset({(row.by, entry)})) for row in of_object]


def still(system: System) -> tuple[Json, Json, Json, Found]:
    """What page, API and metrics tell of the channels while nothing moves any more."""

    def look() -> tuple[Json, Json]:
        page = {one["name"]: one for one in system.get("/channels?live=true")["channels"]}
        return page["x"], page["y"]

    def same() -> Any:
        before, found, alone, after = look(), samples(scrape(system)), system.get("/channels/x/stats"), look()
        moving = [
            one[0]["stats"] | {"heartbeat": 0, "ingested": one[1]["ingested"] | {"heartbeat": 0}}
            for one in (before, after)
        ]
        done = moving[0]["durable"] == moving[0]["records"] and moving[0] == moving[1]
        return (*before, alone, found) if done else None

    found: tuple[Json, Json, Json, Found] = wait_until(same, "everything to be still")
    return found


def test_each_counter_has_one_home(system: System) -> None:
    page, fed, alone, found = still(system)
    library = SpeedDataClient(f"http://127.0.0.1:{system.api_port}/api/v1").get_channel("x")
    command = speeddata("channels", "x", "--json", f"--url=http://127.0.0.1:{system.api_port}")
    for other in (alone, library, json.loads(command.stdout)):
        assert other
        assert {**page["stats"], "heartbeat": 0} == {**other["stats"], "heartbeat": 0}
    told = [("x", "channel", *one) for one in leaves(page["stats"], "stats")]
    told += [("y", "ingested", *one) for one in leaves(fed["ingested"], "ingested")]
    assert len(told) > 55
    for channel, group, key, value in told:
        if key in LEFT_OUT:
            assert not rows(group, key)
            continue
        assert len(rows(group, key)) == 1, (
            f"{key} is no metric, or several: give it a row in registry/metrics_table.py"
        )
        ((row, labels),) = rows(group, key)
        shown = found[row.name, labels | {("channel", channel)}]
        assert shown == value or key in OF_NOW, key
    assert page["stats"]["ingested"] == 0, "left out, as it always is"


def test_counters_have_moved_and_are_those_of_the_packets(system: System) -> None:
    *_, found = still(system)

    def shown(name: str, **labels: str) -> float:
        return found[f"speeddata_channel_{name}", frozenset({("channel", "x"), *labels.items()})]

    assert (shown("packets_total"), shown("records_total"), shown("durable_records_total")) == (14, 14, 14)
    assert shown("rejected_packets_total", reason="empty") == 1
    assert (
        sum(value for (name, _), value in found.items() if name == "speeddata_channel_rejected_packets_total")
        == 2
    )
    assert (
        shown("sequence_gaps_total"),
        shown("sequence_duplicates_total"),
        shown("sequence_reordered_total"),
    ) == (2, 1, 1)
    assert (shown("bad_time_records_total"), shown("quarantined_packets_total"), shown("restarts_total")) == (
        1,
        2,
        1,
    )
    assert shown("sent_packets_total", stream="full_rate") == 14
    assert shown("sent_packets_total", stream="decimated") > 0
    assert found["speeddata_alarms_active", frozenset({("level", "alarm")})] == 1


def test_times_are_those_of_the_api(system: System) -> None:
    page, *_, found = still(system)
    for key, name in (
        ("since", "counters_since"),
        ("last_packet", "last_packet"),
        ("durable_until", "durable_until"),
    ):
        shown = found[f"speeddata_channel_{name}_timestamp_seconds", frozenset({("channel", "x")})]
        assert shown == pytest.approx(parse_time(page["stats"][key]) / 1e9, abs=1e-6)


def test_the_rest_is_that_of_status_and_system(system: System) -> None:
    status = system.get("/status")
    found = samples(scrape(system))
    assert found["speeddata_keeper_up", frozenset()] == 1
    services = {frozenset({("process", one["name"])}): 1 for one in status["services"]}
    assert {labels: found["speeddata_service_up", labels] for labels in services} == services
    assert {value for (name, _), value in found.items() if name == "speeddata_log_lines_left_out_total"} == {
        0
    }
    states = {
        dict(labels)["state"]: value
        for (name, labels), value in found.items()
        if name == "speeddata_channels"
    }
    assert states == status["channels"]["states"]
    used = {(one["kind"], one["name"]): one["cpu_s"] for one in system.get("/system")["processes"]}
    for (name, labels), value in found.items():
        if name == "speeddata_process_cpu_seconds_total":
            assert value == pytest.approx(used[dict(labels)["kind"], dict(labels)["process"]], abs=5)
    assert {dict(labels).get("process") for (name, labels) in found if "process_cpu" in name} == {
        name for _, name in used
    }


def test_openmetrics_tells_the_same_names(system: System) -> None:
    plain, openmetrics = (
        list(read(scrape(system, accept)))
        for read, accept in ((read_plain, ""), (read_openmetrics, OPENMETRICS))
    )
    assert [family.name for family in plain] == [family.name for family in openmetrics]
    assert {family.type for family in openmetrics} == {"counter", "gauge"}


@pytest.mark.skipif(PROMTOOL is None, reason="promtool is missing: make .venv/.promtool")
def test_promtool_has_nothing_to_say(system: System) -> None:
    done = subprocess.run(
        [str(PROMTOOL), "check", "metrics"],
        input=scrape(system),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_a_keeper_that_hangs_holds_up_nobody_who_looks(system: System) -> None:
    """Without an answer they would wait for as long as those who change something do, 30 s."""
    base, keeper = f"http://127.0.0.1:{system.api_port}", system.get("/status")["keeper"]["pid"]
    os.kill(keeper, signal.SIGSTOP)
    try:
        with requests.Session() as client:
            look = partial(client.get, timeout=10)
            scraped = look(f"{base}/metrics").text
            assert "\nspeeddata_keeper_up 0\n" in scraped
            assert "speeddata_build_info{" in scraped
            status = look(f"{base}/api/v1/status").json()
            assert (status["keeper"]["state"], status["keeper"]["pid"]) == ("degraded", keeper)
            assert "does not answer" in status["keeper"]["reason"]
            ready = look(f"{base}/readyz")
            assert (ready.status_code, ready.json()["waiting_for"][0]["kind"]) == (503, "keeper")
            channel = look(f"{base}/api/v1/channels/x").json()
            assert (channel["state"], "does not answer" in channel["reason"]) == ("stopped", True)
            assert "does not answer" in look(f"{base}/api/v1/system").json()["trouble"]
            assert look(f"{base}/api/v1/alarms").status_code == 503
    finally:
        os.kill(keeper, signal.SIGCONT)
    wait_until(lambda: system.ask("GET", "/readyz")[0] == 200, "everything again")
    assert system.get("/status")["keeper"]["pid"] == keeper
