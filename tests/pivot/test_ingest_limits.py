"""Bodies that are slow, large or many, against a service with small limits in this process."""

import contextlib
import gzip
import json
import socket
import threading
import time

import ingest_world
import pytest
import uvicorn
from fastapi import FastAPI
from line import wait_until

from speeddata.pivot.ingest import make_ingest
from speeddata.pivot.ingest_body import BodyLimits
from speeddata.pivot.routes_ingest import PATH, add_ingest_routes

LIMITS = BodyLimits(
    bytes=100_000, text=50_000, stall_s=0.2, rate=1000.0, requests=2, held=120_000, drain_s=0.5
)


class Served:
    """The route alone in this process, with small limits."""

    def __init__(self, port, store):
        self.port = port
        self.store = store

    def send(self, *pieces, content_type="application/json", length=None, headers=""):
        """Send the head and pieces of a body; a number waits for an answer so long, or the end."""
        client = socket.create_connection(("127.0.0.1", self.port), 30)
        size = sum(map(len, pieces)) if length is None else length
        head = f"POST {PATH}?channel=x HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {content_type}\r\nContent-Length: {size}\r\n{headers}\r\n"
        client.sendall(head.encode())
        for piece in pieces:
            client.sendall(piece)
        return client


@pytest.fixture
def served(tmp_path):
    with ingest_world.registry() as registry, ingest_world.store(tmp_path) as store:
        registry.add("x", ingest_world.SPEED)
        ingest = make_ingest(registry.url, store.path)

        @contextlib.asynccontextmanager
        async def closing(_):
            yield
            ingest.close()

        app = FastAPI(lifespan=closing)
        add_ingest_routes(app, ingest, LIMITS)
        server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="critical"))
        thread = threading.Thread(target=server.run)
        thread.start()
        wait_until(lambda: server.started)
        yield Served(server.servers[0].sockets[0].getsockname()[1], store)
        server.should_exit = True
        thread.join(30)
        assert not thread.is_alive()


def answer(client):
    """The status, headers and body of an answer; None when the connection ended without."""
    data = b""
    while b"\r\n\r\n" not in data and (more := client.recv(65536)):
        data += more
    if not data:
        return None
    head, _, body = data.partition(b"\r\n\r\n")
    headers = dict(line.lower().split(": ", 1) for line in head.decode().split("\r\n")[1:])
    while len(body) < int(headers["content-length"]):
        body += client.recv(65536)
    return int(head.split()[1]), headers, json.loads(body)


GOOD = b'[{"time": "2026-01-01T00:00:00Z", "speed": 1.5}, {"time": "2026-01-01T00:00:01Z", "speed": 2, "gear": 3}]'


def test_a_body_that_stops_is_given_up(served):
    with served.send(GOOD[:10], length=len(GOOD)) as client:
        status, headers, _ = answer(client)
        assert (status, headers["connection"]) == (408, "close")
        assert client.recv(1) == b""


def test_fault_66_a_body_that_trickles_is_given_up(served):
    began = time.monotonic()
    with served.send(length=10_000) as client:
        client.settimeout(0.05)
        found = None
        while found is None and time.monotonic() < began + 30:
            client.sendall(b" ")
            with contextlib.suppress(TimeoutError):
                found = answer(client)
    assert found[0] == 408


def test_a_body_that_says_to_be_too_large_is_refused_unread(served):
    with served.send(length=60_000) as client:
        assert answer(client)[0] == 413
    with served.send(b"\0\0", content_type="avro/binary", length=60_000) as client:
        assert answer(client)[0] == 408  # the limit of records is a higher one


def test_a_connection_goes_on_after_a_refusal(served):
    with served.send(b"[{}]") as client:
        assert answer(client)[0] == 400
        head = f"POST {PATH}?channel=x HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: {len(GOOD)}\r\n\r\n"
        client.sendall(head.encode() + GOOD)
        assert answer(client)[0] == 200
    with served.send(GOOD, content_type="text/plain") as client:
        status, headers, _ = answer(client)
        assert (status, headers.get("connection")) == (415, None)


def refused_by(served, body):
    """The status and Retry-After of a refusal; None when there is none."""
    with served.send(body) as client:
        status, headers, _ = answer(client)
        return (status, headers.get("retry-after")) if status != 200 else None


def busy_beside(served, count, *pieces, **options):
    """Whether a good request is refused while others are under way, which are given up before long."""
    with contextlib.ExitStack() as stack:
        for _ in range(count):
            stack.enter_context(served.send(*pieces, **options))
        return refused_by(served, b" " * 49_000 + GOOD) == (429, "1")


def test_only_so_many_requests_are_taken_at_a_time(served):
    wait_until(lambda: busy_beside(served, 2, GOOD[:10], length=len(GOOD)))
    wait_until(lambda: refused_by(served, GOOD) is None)


def test_only_so_many_bytes_are_held_at_a_time(served):
    wait_until(lambda: busy_beside(served, 1, b" " * 90_000, content_type="avro/binary", length=99_000))
    packed = gzip.compress(b" " * 49_000 + GOOD)

    def taken():
        with served.send(packed, headers="Content-Encoding: gzip\r\n") as client:
            return answer(client)[0] == 200

    wait_until(taken)


def test_a_client_that_leaves_leaves_nothing_behind(served):
    for _ in range(5):
        served.send(GOOD[:10], length=len(GOOD)).close()
    wait_until(lambda: refused_by(served, GOOD) is None)
    assert served.store.count() == 2
