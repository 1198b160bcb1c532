import asyncio
import io

import pytest

from speeddata.pivot import download as module
from speeddata.pivot import outlet
from speeddata.pivot.download import Download, Part, wanted_part
from speeddata.pivot.problem import Problem

LIMIT_S = 30


class Client:
    """The other end of a connection: takes messages, may stall, may leave."""

    def __init__(self, takes=10**9, leaves=False):
        self.messages = []
        self.takes = takes
        self.gone = asyncio.Event()
        self.leaves = leaves

    async def receive(self):
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message):
        self.messages.append(message)
        if len(self.messages) > self.takes:
            if not self.leaves:
                await asyncio.Event().wait()
            self.gone.set()
            await asyncio.sleep(0)

    @property
    def body(self):
        return b"".join(message.get("body", b"") for message in self.messages)


def send(client_options, size=5000, stall_s=LIMIT_S):
    async def run():
        file, done = io.BytesIO(b"x" * size), []
        client = Client(**client_options)
        response = Download(file, size, "a.h5", lambda: done.append(1), stall_s, {"x-more": "1"})
        await asyncio.wait_for(response({}, client.receive, client.send), LIMIT_S)
        assert file.closed
        assert done == [1]
        return client

    return asyncio.run(run())


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch):
    monkeypatch.setattr(module, "CHUNK", 2000)
    monkeypatch.setattr(outlet, "PIECE", 1000)


def test_sends_all_in_chunks():
    client = send({})
    assert client.body == b"x" * 5000
    assert [len(message.get("body", b"")) for message in client.messages] == [
        0,
        1000,
        1000,
        1000,
        1000,
        1000,
        0,
    ]
    assert client.messages[-1]["more_body"] is False
    headers = dict(client.messages[0]["headers"])
    assert headers[b"content-length"] == b"5000"
    assert headers[b"content-type"] == b"application/x-hdf5"
    assert headers[b"content-disposition"] == b'attachment; filename="a.h5"'
    assert headers[b"x-more"] == b"1"


def test_a_client_that_leaves_ends_it():
    client = send({"takes": 2, "leaves": True})
    assert len(client.body) < 5000
    assert client.messages[-1]["more_body"] is True


def test_a_client_that_stalls_is_left():
    client = send({"takes": 2}, stall_s=0.05)
    assert len(client.messages) == 3


def test_a_broken_connection_still_lets_go():
    async def run():
        file, done = io.BytesIO(b"x"), []

        async def send(_):
            raise OSError

        response = Download(file, 1, "a.h5", lambda: done.append(1), LIMIT_S)
        with pytest.raises(OSError):
            await response({}, Client().receive, send)
        assert file.closed
        assert done == [1]

    asyncio.run(run())


@pytest.mark.parametrize(
    ("wanted", "part"),
    [
        ("bytes=0-4", (0, 5)), ("bytes=5-", (5, 10)), ("bytes=-3", (7, 10)), ("bytes=-30", (0, 10)),
        ("bytes=9-99", (9, 10)), (" BYTES = 1 - 2 ", (1, 3)),
    ],
)  # fmt: skip
def test_a_part_is_what_the_range_says(wanted, part):
    assert wanted_part({"range": wanted}, 10, '"x"') == Part(*part)
    assert wanted_part({"range": wanted, "if-range": '"x"'}, 10, '"x"') == Part(*part)
    assert wanted_part({"range": wanted, "if-range": '"y"'}, 10, '"x"') is None


@pytest.mark.parametrize("wanted", ["", "bytes", "bytes=-", "bytes=3-2", "bytes=1-2,4-5", "items=1-2"])
def test_what_is_no_range_means_all(wanted):
    assert wanted_part({"range": wanted}, 10, '"x"') is None


@pytest.mark.parametrize("wanted", ["bytes=10-", "bytes=10-20", "bytes=-0"])
def test_a_part_that_there_is_not_is_416(wanted):
    with pytest.raises(Problem) as caught:
        wanted_part({"range": wanted}, 10, '"x"')
    assert (caught.value.status, caught.value.headers) == (416, {"content-range": "bytes */10"})


@pytest.mark.parametrize(("part", "body"), [(Part(5, 2500), True), (Part(0, 1), True), (None, False)])
def test_a_part_or_the_headers_alone_are_sent(part, body):
    content = bytes(range(250)) * 20

    async def run():
        client, done = Client(), []
        response = Download(
            io.BytesIO(content), 5000, "a", lambda: done.append(1), LIMIT_S, part=part, body=body
        )
        await response({}, client.receive, client.send)
        assert done == [1]
        return client

    client = asyncio.run(run())
    headers = dict(client.messages[0]["headers"])
    if part is None:
        assert (client.body, headers[b"content-length"]) == (b"", b"5000")
        return
    assert client.body == content[part.start : part.end]
    assert client.messages[0]["status"] == 206
    assert headers[b"content-range"] == f"bytes {part.start}-{part.end - 1}/5000".encode()
