import asyncio
import socket
import struct
import threading

import ingest_world
import pytest

from speeddata.pivot import store_client
from speeddata.pivot.store_client import Refused, StoreAway, StoreClient
from speeddata.plan import Plan
from speeddata.rows_json import RowEncoder
from speeddata.schema import Schema

SPEC = {"name": "x", "schema": ingest_world.SPEED}
SCHEMA = Schema.parse(ingest_world.SPEED)
DATA = RowEncoder(Plan(SCHEMA), "ns").rows([{"time": 1, "speed": 1}]).data
PART = {"channel": "x", "schema": SCHEMA.fingerprint.hex(), "bytes": len(DATA), "records": 1}


@pytest.fixture
def store(tmp_path):
    with ingest_world.store(tmp_path) as store:
        yield store


def run(store, work, connections=2):
    async def main():
        client = StoreClient(store.path, connections)
        try:
            return await asyncio.wait_for(work(client), 30)
        finally:
            client.close()

    return asyncio.run(main())


def test_records_are_appended_to_a_channel_that_was_opened(store):
    async def work(client):
        await client.open([SPEC])
        return await client.append([PART], [DATA], key="k", durability="block", live=True)

    assert run(store, work) == {"ok": True, "records": 1, "repeated": False}
    assert store.batches == [[("x", DATA, 1)]]
    assert store.heads[-1] == {
        "op": "append", "key": "k", "durability": "block", "live": True, "parts": [PART],
    }  # fmt: skip


def test_a_refusal_has_the_whole_answer(store):
    async def work(client):
        with pytest.raises(Refused) as caught:
            await client.append([PART], [DATA])
        return caught.value

    refused = run(store, work)
    assert (refused.status, refused.answer["unknown"]) == (404, ["x"])


def test_many_at_once_share_the_connections(store):
    async def work(client):
        await client.open([SPEC])
        return await asyncio.gather(*(client.append([PART], [DATA]) for _ in range(50)))

    assert all(answer["ok"] for answer in run(store, work))
    assert len(store.batches) == 50
    assert store.connected <= 2


def test_many_specs_are_opened_in_requests_of_some_size(store, monkeypatch):
    monkeypatch.setattr(store_client, "OPENED", 2000)
    specs = [{**SPEC, "name": f"c{n}"} for n in range(20)]
    run(store, lambda client: client.open(specs))
    assert len(store.plans) == 20
    assert 1 < len(store.heads) < 20


def test_a_request_whose_answer_is_lost_says_so_and_the_next_has_a_new_connection(store):
    async def work(client):
        await client.open([SPEC])
        store.faults.append("drop")
        with pytest.raises(StoreAway) as caught:
            await client.append([PART], [DATA])
        await client.append([PART], [DATA])
        return caught.value

    assert run(store, work).sent
    assert len(store.batches) == 2


def test_a_cancelled_request_is_not_answered_by_another(store):
    async def work(client):
        await client.open([SPEC])
        store._lock.acquire()
        slow = asyncio.ensure_future(client.append([PART], [DATA]))
        await asyncio.sleep(0)
        while not client._queue and not client._made - len(client._free):
            await asyncio.sleep(0.001)
        slow.cancel()
        with pytest.raises(asyncio.CancelledError):
            await slow
        store._lock.release()
        return await client.seal("x")

    assert run(store, work, 1) == []


def test_who_waits_for_a_connection_and_leaves_takes_none_along(store):
    async def work(client):
        await client.open([SPEC])
        with store._lock:
            first, second, third = (asyncio.ensure_future(client.stats()) for _ in range(3))
            while len(client._queue) < 2:
                await asyncio.sleep(0.001)
            second.cancel()
        return await asyncio.gather(first, second, third, return_exceptions=True)

    first, second, third = run(store, work, 1)
    assert first["ok"]
    assert third["ok"]
    assert isinstance(second, asyncio.CancelledError)


def test_a_relay_that_is_not_there_is_waited_for_a_little(tmp_path, monkeypatch):
    monkeypatch.setattr(store_client, "CONNECT_S", 0.05)
    monkeypatch.setattr(store_client, "AGAIN_S", 0.01)

    async def main():
        await StoreClient(tmp_path / "ingest.sock").stats()

    with pytest.raises(StoreAway) as caught:
        asyncio.run(main())
    assert not caught.value.sent


def test_a_relay_that_comes_back_is_found(tmp_path):
    async def main():
        asked = asyncio.ensure_future(StoreClient(tmp_path / "ingest.sock").stats())
        await asyncio.sleep(0.01)
        with ingest_world.store(tmp_path):
            return await asked

    assert asyncio.run(main())["ok"]


def test_a_path_that_is_too_long_for_an_address(tmp_path):
    folder = tmp_path / ("d" * 100) / ("e" * 100)
    folder.mkdir(parents=True)
    short = tmp_path / "s"
    short.symlink_to(folder)
    with ingest_world.store(short) as store:
        store.path = folder / "ingest.sock"
        assert run(store, lambda client: client.stats())["ok"]
        store.path = short / "ingest.sock"


@pytest.mark.parametrize(
    "answer", [b"\x02\0\0\0[]", b"\x02\0\0\0{x", b"\xff\xff\xff\x7f", b"\x02\0\0\0{}more", b"\x01"]
)
def test_what_is_no_answer_ends_the_connection(tmp_path, answer):
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(tmp_path / "ingest.sock"))
    listener.listen()

    def serve():
        client, _ = listener.accept()
        with client:
            head, _ = struct.unpack("<II", client.recv(8, socket.MSG_WAITALL))
            client.recv(head, socket.MSG_WAITALL)
            client.sendall(answer)

    thread = threading.Thread(target=serve)
    thread.start()

    async def main():
        async with asyncio.timeout(30):
            await StoreClient(tmp_path / "ingest.sock").stats()

    try:
        with pytest.raises((StoreAway, Refused)):
            asyncio.run(main())
    finally:
        thread.join()
        listener.close()


def test_a_relay_that_does_not_answer_is_given_up(store, monkeypatch):
    monkeypatch.setattr(store_client, "ANSWER_S", 0.05)

    async def work(client):
        with store._lock, pytest.raises(StoreAway, match="longer than") as caught:
            await client.stats()
        return caught.value

    assert run(store, work).sent
