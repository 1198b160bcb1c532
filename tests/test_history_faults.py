"""Faults of history beside a relay that receives: what clients of one do, the packets of the other do not feel."""

import concurrent.futures
import os
import signal
import socket
import statistics
import struct
import subprocess
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import requests
import system
from beside import beside
from line import wait_until

NAMES = ("time", "x")
SCHEMA = {"type": "record", "name": "live", "fields": [{"name": name, "type": "double"} for name in NAMES]}
PORT = 26980
RATE = 2000  # packets a second


class Sender:
    """Sends numbered records, so many a second, until it is stopped."""

    def __init__(self, port: int) -> None:
        self.port, self.sent = port, 0
        self.ahead_s = 0.0  # by which its clock is wrong
        self._work = beside(self._run)

    def __enter__(self) -> "Sender":
        self._work.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._work.__exit__(*error)

    def _run(self, stop: threading.Event) -> None:
        begun = time.monotonic()
        with socket.socket(type=socket.SOCK_DGRAM) as sock:
            sock.connect(("127.0.0.1", self.port))
            while not stop.wait(0.002):
                while self.sent < (time.monotonic() - begun) * RATE:
                    sock.send(struct.pack("<dd", time.time() + self.ahead_s, self.sent))
                    self.sent += 1


class Live:
    """A channel of a running system, and what its API and its history tell of it."""

    def __init__(self, running: system.System, number: int, **config: object) -> None:
        self.system, self.name, self.port = running, f"live{number}", PORT + number
        running.register(self.name, self.port, SCHEMA, **config)

    def history(self, path, *statuses, **params):
        """An answer of the history service; None where nobody is there."""
        url = f"http://127.0.0.1:{self.system.pivot_port}/api/v1{path}"
        try:
            answer = requests.get(url, params=params, timeout=60)
        except requests.ConnectionError:
            return None
        assert answer.status_code in statuses, answer.text
        return answer

    def told(self):
        return self.system.get(f"/channels/{self.name}")

    def received(self):
        return self.told()["stats"]["records"]

    def count(self):
        """Records that a query finds."""
        whole = {"start": "2020-01-01", "end": "2100-01-01"}
        answer = self.history("/query", 200, channels=self.name, aggregates="count", **whole).json()
        assert answer["damages"] == 0
        (series,) = answer["series"]
        return sum(series["columns"].get("x.count", ()))


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with system.run(tmp_path_factory.mktemp("faults") / "data") as made:
        made.processes()
        yield made


@pytest.fixture
def live(running, request):
    numbers = [item.name for item in request.session.items if item.path == request.path]
    made = Live(running, numbers.index(request.node.name))
    wait_until(lambda: made.history("/health", 200), "history", system.LIMIT_S)
    return made


def test_fault_24_a_reader_of_the_live_segment_sees_whole_blocks(live):
    seen = [0]
    with Sender(live.port) as sender:
        wait_until(lambda: live.count() > 0, "the first block", system.LIMIT_S)
        until = time.monotonic() + 3
        while time.monotonic() < until:
            seen.append(live.count())
            raw = live.history("/query", 200, channels=live.name, start="2020-01-01", limit=100_000).json()
            (series,) = raw["series"]
            assert series["columns"]["x"] == list(range(series["count"])), "each record once, in its place"
            assert series["count"] >= seen[-1]
    assert seen == sorted(seen)
    wait_until(lambda: live.count() == sender.sent, "all of them", system.LIMIT_S)


@pytest.fixture
def wrong_clock(tmp_path, monkeypatch):
    """A system, and what moves its wall clock by some seconds; its monotonic clocks are left alone."""
    library, offset = tmp_path / "wall_clock.so", tmp_path / "ahead"
    source = Path(__file__).parent / "support" / "wall_clock.c"
    subprocess.run(["gcc", "-O1", "-shared", "-fPIC", source, "-o", library, "-ldl"], check=True)
    offset.write_bytes(bytes(8))
    monkeypatch.setenv("LD_PRELOAD", str(library))
    monkeypatch.setenv("CLOCK_AHEAD", str(offset))

    def set_ahead(seconds):
        with offset.open("r+b") as file:
            file.write(struct.pack("<q", seconds))

    with system.run(tmp_path / "data") as made:
        made.processes()
        yield made, set_ahead


def test_fault_62_a_clock_that_steps_by_an_hour_costs_no_record(wrong_clock):
    """Back, and forward by twice as much, under load, with a segment a second: a device on the same machine steps too."""
    made, set_ahead = wrong_clock
    live = Live(made, 90, rotation={"bytes": 0, "seconds": 1})
    wait_until(lambda: live.history("/health", 200), "history", system.LIMIT_S)
    before_all = pids(live)
    begun = time.time()
    with Sender(live.port) as sender:
        wait_until(lambda: live.count() > 0, "the first block", system.LIMIT_S)
        for ahead_s in (-3600, 3600, 0):
            set_ahead(ahead_s)
            sender.ahead_s = ahead_s
            before, names = live.count(), set(segments(live))
            wait_until(lambda b=before: live.count() > b + RATE, "records after the step", system.LIMIT_S)
            wait_until(lambda n=names: len(set(segments(live)) - n) > 1, "new segments", system.LIMIT_S)
            new = set(segments(live)) - names
            assert any(abs(began(name) - begun - ahead_s) < 600 for name in new), "its clock has stepped"
    wait_until(lambda: live.count() == sender.sent, "all of them", system.LIMIT_S)
    stats = live.told()["stats"]
    assert (live.told()["state"], stats["kernel_drops"], stats["ring_full"]) == ("active", 0, 0)
    whole = {"start": "2020-01-01", "end": "2100-01-01", "limit": 10**6}
    (series,) = live.history("/query", 200, channels=live.name, **whole).json()["series"]
    assert sorted(series["columns"]["x"]) == list(range(sender.sent)), "each record once"
    times = np.array([text.rstrip("Z") for text in series["time"]], "datetime64[ns]")
    assert (np.diff(times) >= np.timedelta64(0)).all()
    assert pids(live) == before_all, "nothing was replaced"


def pids(live):
    """Of the channel's relay, and of the services by their names."""
    services = live.system.processes()["services"]
    return {"relay": live.told()["pid"]} | {one["name"]: one["pid"] for one in services}


def began(name):
    """The time in the name of a segment, in seconds since 1970."""
    return datetime.strptime(name.rpartition("_")[2], "%Y%m%dT%H%M%S.%fZ").replace(tzinfo=UTC).timestamp()


def segments(live):
    """Names of the segments of a channel, without their ending."""
    return [path.stem for path in (live.system.data / "archive" / live.name).glob("live*.avro")]


def test_fault_65_a_machine_that_was_suspended_goes_on_with_the_processes_it_had(live):
    status = live.system.processes()
    relays = live.told()["pid"]
    pids = [
        status["keeper"]["pid"],
        relays,
        *(one["pid"] for one in status["services"]),
        live.system.process.pid,
    ]
    with Sender(live.port) as sender:
        wait_until(lambda: live.received() > 0, "a record", system.LIMIT_S)
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        time.sleep(6)  # what is shown is that nothing happens in this time
        for pid in reversed(pids):
            os.kill(pid, signal.SIGCONT)
    wait_until(lambda: live.received() == sender.sent, "what waited in the socket", system.LIMIT_S)
    now = live.system.processes()
    assert [one["pid"] for one in now["services"]] == [one["pid"] for one in status["services"]]
    assert (now["keeper"]["pid"], live.told()["pid"]) == (status["keeper"]["pid"], relays)
    assert [one["restarts"] for one in now["services"]] == [0] * len(now["services"])


def test_fault_66_slow_clients_do_not_hold_up_others(live):
    """Two hundred that send a byte now and then, in head or body, and one that asks as everybody does."""
    slow = []
    head = b"POST /api/v1/ingest?channel=slow HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/csv\r\nContent-Length: 9000\r\n"
    try:
        for number in range(200):
            sock = socket.create_connection(("127.0.0.1", live.system.pivot_port))
            sock.sendall(head if number % 2 else head + b"\r\n")
            slow.append(sock)
        times = []
        for _ in range(50):
            begun = time.monotonic()
            live.history("/signals", 200)
            times.append(time.monotonic() - begun)
            for sock in slow[:40]:
                sock.sendall(b"x")
        assert statistics.quantiles(times, n=100)[98] < 1
    finally:
        for sock in slow:
            sock.close()


def test_fault_70_exports_and_queries_cost_no_packet(live):
    """More clients than are served at a time: some are told to come again, and each packet is received."""
    statuses: list[int] = []

    def ask(number: int) -> None:
        until = time.monotonic() + 4
        while time.monotonic() < until:
            if number % 2:
                answer = live.history("/pivot/export", 200, 429, channels=live.name, duration="PT1M")
            else:
                end = np.datetime64(time.time_ns() + 10**9, "ns")  # another one each time, as no cache knows
                answer = live.history(
                    "/query", 200, 429, channels=live.name, every="1s", aggregates="median",
                    start=str(end - np.timedelta64(60, "s")), end=str(end),
                )  # fmt: skip
            statuses.append(answer.status_code)

    with Sender(live.port) as sender:
        wait_until(lambda: live.count() > 0, "the first block", system.LIMIT_S)
        with concurrent.futures.ThreadPoolExecutor(48) as clients:
            list(clients.map(ask, range(48)))
    wait_until(lambda: live.received() == sender.sent, "each packet", system.LIMIT_S)
    assert statuses.count(200) > 48
    stats = live.told()["stats"]
    assert {name: value for name, value in stats.items() if "drop" in name and value} == {}
    wait_until(lambda: live.count() == sender.sent, "each record", system.LIMIT_S)
