import contextlib
import gzip
import json
import re
import socket
import subprocess
import sys
import threading
from pathlib import Path

import history
import ingest_world
import numpy as np
import pyarrow as pa
import pytest
import requests
import zstandard

from speeddata.archive import Archive
from speeddata.channel import Channel
from speeddata.pivot.ingest_options import CONTENT_TYPES, PARAMETERS
from speeddata.pivot.routes_ingest import PATH
from speeddata.plan import Plan
from speeddata.rows_json import RowEncoder
from speeddata.schema import Schema

SPEED = Schema.parse(ingest_world.SPEED)
ROWS = [
    {"time": "2026-01-01T00:00:00Z", "speed": 1.5},
    {"time": "2026-01-01T00:00:01Z", "speed": 2, "gear": 3},
]
TIMES = [1767225600 * 10**9, 1767225601 * 10**9]


@contextlib.contextmanager
def shared_relay(data):
    """The shared relay of a data folder."""
    command = [sys.executable, "-P", "-m", "speeddata.relay.ingest", "--data", str(data)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    follower = threading.Thread(target=process.stderr.read)
    try:
        assert "appending" in process.stderr.readline()
        follower.start()
        yield process
        process.terminate()
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait(30)
        follower.join(30)
        process.stderr.close()


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A history service and a shared relay, each in a process of its own, and what the registry tells them."""
    data = tmp_path_factory.mktemp("data")
    archive = data / "archive"
    with ingest_world.registry() as registry, shared_relay(data):
        registry.about = {"archive": archive, "multicast": None}
        with history.running(archive, registry=registry.url) as service:
            yield service, registry, archive


@pytest.fixture
def fresh(world, request):
    """A channel of the test's own."""
    service, registry, archive = world
    name = re.sub(r"\W", "_", f"{len(registry.specs)}_{request.node.name}")[:60]
    registry.add(name, ingest_world.SPEED)

    def post(body, content_type="application/json", headers=None, **params):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        told = {"content-type": content_type, **(headers or {})}
        return requests.post(
            f"{service.address}{PATH}", data, params={"channel": name, **params}, headers=told, timeout=30
        )

    def read():
        with Archive(archive / name).open() as reader:
            tables = list(reader.batches())
        return {
            "time": np.concatenate([table.time_ns for table in tables]).tolist(),
            "speed": np.concatenate([table.columns["speed"] for table in tables]).tolist(),
        }

    return post, read


def arrow():
    table = pa.table({"time": pa.array(TIMES, pa.timestamp("ns")), "speed": [1.5, 2.0]})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


BODIES = {
    "application/json": json.dumps(ROWS).encode(),
    "text/csv": b"time,speed\n2026-01-01T00:00:00Z,1.5\n2026-01-01T00:00:01Z,2\n",
    "avro/binary": RowEncoder(Plan(SPEED), "ns").rows(ROWS).data,
    "application/vnd.apache.arrow.stream": arrow(),
}


@pytest.mark.parametrize("durability", ["interval", "block"])
@pytest.mark.parametrize("content_type", BODIES)
def test_each_format_is_in_the_archive_when_it_is_answered(fresh, content_type, durability):
    post, read = fresh
    response = post(BODIES[content_type], content_type, durability=durability)
    assert response.status_code == 200, response.text
    assert response.json()["ingested"] == 2
    assert read() == {"time": TIMES, "speed": [1.5, 2.0]}


@pytest.mark.parametrize(("coding", "pack"), [("gzip", gzip.compress), ("zstd", zstandard.compress)])
def test_packed_bodies(fresh, coding, pack):
    post, read = fresh
    assert post(pack(BODIES["application/json"]), headers={"content-encoding": coding}).status_code == 200
    assert read()["time"] == TIMES


def test_a_wrong_row_keeps_all_from_the_archive(fresh):
    post, read = fresh
    assert post(ROWS).status_code == 200
    response = post([*ROWS, {"time": 1, "speed": "fast"}])
    assert response.status_code == 400
    assert response.json()["errors"] == [
        {"row": 2, "channel": response.request.url.rpartition("channel=")[2], "field": "speed", "value": "fast",
         "expected": "a number"},
    ]  # fmt: skip
    assert read()["time"] == TIMES


def test_a_key_is_archived_once(fresh):
    post, read = fresh
    answers = [post(ROWS, headers={"Idempotency-Key": "k1"}) for _ in range(2)] + [post(ROWS, key="k1")]
    assert [answer.json()["repeated"] for answer in answers] == [False, True, True]
    assert post(ROWS[:1], key="k1").status_code == 409
    assert read()["time"] == TIMES


def test_the_segment_of_a_load_is_ended(fresh):
    post, read = fresh
    response = post(ROWS)
    channel = response.request.url.rpartition("channel=")[2]
    seal = response.request.url.partition("?")[0] + "/seal"
    assert (
        requests.post(seal, params={"channel": channel}, timeout=30).json()["segments"][0].endswith(".avro")
    )
    again = requests.post(seal, params={"channel": channel}, timeout=30)
    assert (again.status_code, again.json()) == (200, {"channel": channel, "segments": []})
    assert read()["time"] == TIMES
    for more in ("&x=1", f"&channel={channel}"):
        assert requests.post(f"{seal}?channel={channel}{more}", timeout=30).status_code == 400
    for name, status in (("nobody", 404), ("", 400), ("a/b", 400)):
        assert requests.post(seal, params={"channel": name}, timeout=30).status_code == status, name


def test_channels_are_made(world):
    service, registry, archive = world
    body = {
        "channels": {
            "made.a": [{"time": 1700000000.5, "x": 1}],
            "made.b": {"columns": {"time": [1700000000000], "y": ["t"]}},
        }
    }
    url = f"{service.address}{PATH}"
    assert requests.post(url, json=body, timeout=30).status_code == 404
    answer = requests.post(url, json=body, params={"create": "true"}, timeout=30).json()
    assert answer == {
        "ingested": 2, "channels": {"made.a": 1, "made.b": 1}, "repeated": False, "created": ["made.a", "made.b"],
    }  # fmt: skip
    assert registry.specs["made.a"]["config"] == {"live": True, "time_unit": "s"}
    with Archive(archive / "made.a").open() as reader:
        assert next(iter(reader.batches())).time_ns.tolist() == [1700000000_500000000]


@pytest.mark.parametrize("form", ["rows", "columns"])
def test_numbers_and_text_of_one_signal_come_back_as_they_were(world, form):
    service, _, _ = world
    values = [1, "off", 2.5, None]
    rows = [{"time": (1700000000 + n) * 10**9, "x": value} for n, value in enumerate(values)]
    body = (
        {"rows": rows}
        if form == "rows"
        else {"columns": {"time": [row["time"] for row in rows], "x": values}}
    )
    query = {"channel": f"made.mixed-{form}", "create": "true"}
    answer = requests.post(f"{service.address}{PATH}", json=body, params=query, timeout=30)
    assert answer.status_code == 200, answer.text
    url = f"{service.address}/api/v1/query"
    whole = {"channel": query["channel"], "start": "2023-11-14T00:00:00Z", "duration": "P1D"}

    def ask(**more):
        return requests.get(url, {**whole, **more}, timeout=30)

    assert ask().json()["series"][0]["columns"]["x"] == values
    refused = ask(every="1h", signals="x", aggregates="avg")
    assert refused.status_code == 400, refused.text
    assert "avg" in refused.json()["error"]
    counted = ask(every="1d", aggregates="count,last").json()["series"][0]["columns"]
    assert counted == {"x.count": [3], "x.last": [2.5]}


def test_a_channel_of_a_table_keeps_its_units(world):
    service, registry, _ = world
    made = Channel.from_ns("u", np.array([10**18]), {"speed": np.array([2.5])}, {"speed": "m/s"}).to_arrow()
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, made.schema) as writer:
        writer.write_table(made)
    headers = {"Content-Type": "application/vnd.apache.arrow.stream"}
    query = {"channel": "made.units", "create": "true"}
    answer = requests.post(
        f"{service.address}{PATH}", sink.getvalue().to_pybytes(), params=query, headers=headers, timeout=30
    )
    assert answer.status_code == 200, answer.text
    fields = registry.specs["made.units"]["schema"]["fields"]
    assert fields[1] == {"name": "speed", "type": "double", "speeddata": {"unit": "m/s"}}


def rss(process):
    (line,) = re.findall(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{process.pid}/status").read_text())
    return int(line) << 10


def test_fault_67_a_gigabyte_without_a_length_is_refused_at_the_limit_in_flat_memory(world):
    service, _, _ = world
    host, port = service.address.removeprefix("http://").split(":")
    before, sent, piece = rss(service.process), 0, b"100000\r\n" + bytes(1 << 20) + b"\r\n"
    with socket.create_connection((host, int(port)), 30) as client:
        head = f"POST {PATH} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
        client.sendall(head.encode())
        client.settimeout(0.01)
        answer = b""
        while sent < 1 << 30 and not answer:
            client.settimeout(30)
            client.sendall(piece)
            sent += len(piece)
            client.settimeout(0.001)
            with contextlib.suppress(TimeoutError):
                answer = client.recv(65536)
    assert answer.startswith(b"HTTP/1.1 413")
    assert b"connection: close" in answer
    assert sent < 64 << 20
    assert rss(service.process) - before < 120 << 20
    assert requests.get(f"{service.address}/api/v1/health", timeout=30).ok


def test_the_document_tells_the_parameters_and_answers(world):
    document = requests.get(f"{world[0].address}/openapi.json", timeout=30).json()
    operation = document["paths"][PATH]["post"]
    assert {p["name"] for p in operation["parameters"]} == {*PARAMETERS, "Idempotency-Key"}
    assert set(operation["requestBody"]["content"]) <= set(CONTENT_TYPES)
    assert set(operation["responses"]) == {
        *["200", "400", "404", "408", "409", "413", "415", "429", "503", "507"]
    }
