import asyncio
import io

import pytest

from speeddata.pivot import download as module
from speeddata.pivot.download import Download

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
    monkeypatch.setattr(module, "PIECE", 1000)


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
