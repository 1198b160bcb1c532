"""A further version of a schema, registered while packets come: no packet lost, segments apart, both shown and exported."""

import contextlib
import json
import socket
import threading
import time
from collections import Counter
from pathlib import Path

import fastavro
import h5py
import pytest
import requests
from line import encode, wait_until
from ports import free_port
from system import run
from websockets.sync.client import connect

from speeddata.schema import Schema
from speeddata.stripchart import frames

LIMIT_S = 30
ROOT = Path(__file__).parent.parent


def schema(*extra):
    fields = [
        {"name": "time", "type": {"type": "long", "logicalType": "timestamp-nanos"}},
        {"name": "n", "type": "long", "speeddata": {"role": "sequence"}},
    ]
    return {"type": "record", "name": "speeddata.test.engine", "fields": [*fields, *extra]}


FIRST = schema()
SECOND = schema({"name": "pressure", "type": "double"})


class Source(threading.Thread):
    """Sends framed records, numbered through, of whatever version it is told."""

    def __init__(self, port):
        super().__init__()
        self.version = FIRST
        self.sent = Counter()
        self.switched_ns = 0
        self.stopped = threading.Event()
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.connect(("127.0.0.1", port))

    def run(self):
        heads = [b"\xc3\x01" + Schema.parse(version).fingerprint for version in (FIRST, SECOND)]
        n = 0
        while not self.stopped.is_set():
            newer, now = self.version is SECOND, time.time_ns()
            if newer and not self.switched_ns:
                self.switched_ns = now
            more = {"pressure": n / 2} if newer else {}
            self.socket.send(heads[newer] + encode(self.version, time=now, n=n, **more))
            self.sent["pressure" if newer else "n"] += 1
            n += 1
            time.sleep(0.001)
        self.socket.close()


class Watch:
    """A client of the live server, that follows two signals."""

    def __init__(self, connection):
        self.connection = connection
        self.ids = {}
        self.values = {}
        connection.send(
            json.dumps({"type": "subscribe", "signals": ["engine.n", "engine.pressure"], "window": 5})
        )

    def until(self, condition):
        deadline = time.monotonic() + LIMIT_S
        while not condition():
            assert time.monotonic() < deadline, f"{self.ids}, {self.values}"
            message = self.connection.recv(timeout=LIMIT_S)
            if isinstance(message, bytes):
                for block in frames.parse(message).blocks:
                    if block.kind != frames.KIND_TIMES:
                        self.values.setdefault(block.id, []).extend(block.data.tolist())
            elif (told := json.loads(message))["type"] == "subscribed":
                self.ids |= {one["name"]: one.get("id") for one in told["signals"]}

    def seen(self, name):
        """Values that came of a signal as it is numbered now."""
        return [value for value in self.values.get(self.ids.get(name), []) if value == value]


@pytest.fixture
def system(tmp_path):
    with run(tmp_path / "data") as running:
        yield running


@pytest.fixture
def source(system):
    port = free_port()
    system.register("engine", port, FIRST, framing="single_object", decimation={"enabled": False})
    started = Source(port)
    started.start()
    yield started
    started.stopped.set()
    started.join(LIMIT_S)


def stats(system):
    return system.get("/channels/engine")["stats"]


def segments(system):
    """Last field and numbers of each segment, in their order, by fastavro."""
    for path in sorted((system.data / "archive" / "engine").glob("engine_*.avro")):
        with path.open("rb") as file:
            reader = fastavro.reader(file)
            numbers = [record["n"] for record in reader]
            if numbers:
                yield reader.writer_schema["fields"][-1]["name"], numbers


def export(system, start_ns, end_ns, path):
    """What an export of a range holds, and what it says of being partial."""
    answer = requests.get(
        f"http://127.0.0.1:{system.pivot_port}/api/v1/pivot/export",
        {"start": stamp(start_ns), "end": stamp(end_ns), "channels": "engine"},
        timeout=LIMIT_S,
    )
    assert answer.status_code == 200, answer.text
    path.write_bytes(answer.content)
    with h5py.File(path) as file:
        group = file["engine"]
        damage = (
            {one["reason"] for one in json.loads(group.attrs["damage"])} if "damage" in group.attrs else set()
        )
        return sorted(group), group["n"][:].tolist(), answer.headers.get("X-SpeedData-Partial"), damage


def stamp(ns):
    seconds, rest = divmod(ns, 10**9)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{rest:09d}Z"


@contextlib.contextmanager
def watching(system):
    address = f"ws://127.0.0.1:{system.websocket_port}"
    wait_until(lambda: accepts(system.websocket_port), "the live server", LIMIT_S)
    with connect(address, compression=None, max_size=None) as connection:
        yield Watch(connection)


def accepts(port):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def test_a_version_is_added_while_packets_come(system, source, tmp_path):
    begun = time.time_ns()
    with watching(system) as watch:
        watch.until(lambda: len(watch.seen("engine.n")) > 50)
        assert watch.ids["engine.pressure"] is None
        former = watch.ids["engine.n"]

        status, added = system.ask(
            "POST", "/api/v1/channels/engine/schemas", {"schema": SECOND, "force": True}
        )
        assert (status, added["version"], added["fingerprint"]) == (
            201,
            2,
            Schema.parse(SECOND).fingerprint.hex(),
        )
        assert [one["schema"] for one in system.get("/channels/engine/schemas")["schemas"]] == [FIRST, SECOND]
        watch.until(lambda: watch.ids["engine.n"] != former and len(watch.seen("engine.n")) > 50)
        assert not watch.seen("engine.pressure"), "records of the first version, under the newest's signals"
        source.version = SECOND
        watch.until(lambda: len(watch.seen("engine.pressure")) > 50)
    source.stopped.set()
    source.join(LIMIT_S)

    sent = source.sent
    wait_until(lambda: stats(system)["durable"] == sent.total(), f"{sent} in the archive", LIMIT_S)
    books = stats(system)
    assert (books["packets"], books["kernel_drops"], sum(books["rejected"].values())) == (sent.total(), 0, 0)
    assert books["sequence"] == {"gaps": 0, "duplicates": 0, "reordered": 0}
    found = list(segments(system))
    assert [name for name, _ in found] == sorted(name for name, _ in found), (
        "the first version, then the second"
    )
    assert [n for _, numbers in found for n in numbers] == list(range(sent.total()))
    assert {name: sum(len(more) for one, more in found if one == name) for name, _ in found} == dict(sent)

    end, switched = time.time_ns(), source.switched_ns
    wait_until(lambda: accepts(system.pivot_port), "the history service", LIMIT_S)
    apart = [
        export(system, *span, tmp_path / "x.h5") for span in ((begun - 10**9, switched - 1), (switched, end))
    ]
    assert [names for names, *_ in apart] == [["n", "time"], ["n", "pressure", "time"]]
    assert [numbers for _, numbers, *_ in apart] == [
        list(range(sent["n"])),
        list(range(sent["n"], sent.total())),
    ]
    assert [said for *_, said, _ in apart] == [None, None]
    _, numbers, said, damage = export(system, begun - 10**9, end, tmp_path / "x.h5")
    assert (numbers, said, damage) == (list(range(sent.total())), None, set()), "all versions together"
