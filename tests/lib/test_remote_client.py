import asyncio
import contextlib
import datetime
import socket
import threading
import time
import zipfile

import numpy as np
import pandas
import pytest
import requests
import system
from line import wait_until
from ports import free_port
from segments import SCHEMA, encode_each

import speeddata
from speeddata import Channel, Client, RemoteError

S = 10**9
START = 1_767_268_800 * S
LIMIT_S = 30


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with system.run(tmp_path_factory.mktemp("system") / "data") as running:
        history = f"http://127.0.0.1:{running.pivot_port}"

        def up():
            with contextlib.suppress(requests.ConnectionError):
                return requests.get(f"{history}/api/v1/health", timeout=5).ok
            return False

        wait_until(up, "history service", LIMIT_S)
        yield running


@pytest.fixture
def client(running):
    with Client(
        f"http://127.0.0.1:{running.api_port}", f"http://127.0.0.1:{running.pivot_port}", timeout_s=LIMIT_S
    ) as made:
        yield made


def pump(count=100, first=0):
    times = START + np.arange(first, first + count) * S
    return Channel.from_ns(
        "pump", times, {"pressure": np.arange(first, first + count) / 4.0}, {"pressure": "bar"}
    )


def test_ingest_in_every_shape_comes_back(client):
    rows = [{"time": "2026-01-01T12:00:00Z", "pressure": 0.0}]
    assert client.ingest(rows, "shapes", create=True) == {"records": 1, "batches": 1, "repeated": 0}
    times = (START + np.arange(1, 4) * S).view("M8[ns]")
    client.ingest({"time": times, "pressure": np.array([0.25, 0.5, 0.75])}, "shapes")
    client.ingest(pump(2, 4), "shapes")
    client.ingest(pump(2, 6).to_pandas(), "shapes")
    client.ingest(pump(2, 8).to_polars(), "shapes")
    client.ingest(pump(2, 10).to_arrow(), "shapes", durability="block")
    found = client.sql('SELECT pressure FROM "shapes" ORDER BY time')
    assert found["pressure"].to_pylist() == [n / 4 for n in range(12)]


def test_a_batch_sent_twice_is_archived_once(client):
    assert client.ingest(pump(10), "twice", create=True, key="a")["repeated"] == 0
    assert client.ingest(pump(10), "twice", key="a")["repeated"] == 1
    assert client.sql('SELECT count(*) AS n FROM "twice"').to_pylist() == [{"n": 10}]


def test_what_a_service_refuses_is_raised_in_its_words(client):
    with pytest.raises(RemoteError, match="404") as caught:
        client.ingest(pump(), "nosuch")
    assert caught.value.status == 404
    client.ingest([{"time": START, "pressure": 1.0}], "rows", create=True)
    with pytest.raises(RemoteError, match="400 .*row"):
        client.ingest([{"time": START, "pressure": "high"}], "rows")
    with pytest.raises(RemoteError, match="400"):
        client.sql("DROP TABLE x")
    with pytest.raises(requests.ConnectionError, match="the registry at http://127.0.0.1:9 does not answer"):
        Client("http://127.0.0.1:9", "http://127.0.0.1:9", attempts=1).channels()


def test_channels_and_tags(client):
    schema = {
        "type": "record",
        "name": "r",
        "fields": [{"name": "time", "type": "long"}, {"name": "v", "type": "double"}],
    }
    assert client.register("by_hand", schema)["name"] == "by_hand"
    assert "by_hand" in [channel["name"] for channel in client.channels()]
    tag = client.tag(
        "surge", "2026-01-01T12:00:00", pandas.Timestamp(START + 5 * S), channels=["by_hand"], note="x"
    )
    assert tag["start"] == "2026-01-01T12:00:00Z"
    assert [one["id"] for one in client.tags(name="surge")] == [tag["id"]]
    assert client.tags(channel="nosuch") == []
    client.delete_tag(tag["id"])
    assert client.tags(name="surge") == []


def test_query_and_signals(client):
    client.ingest(pump(600), "queried", create=True)
    span = {"start": START, "end": START + 300 * S}
    data = client.query("queried", **span)
    assert data.pressure.tolist() == [n / 4 for n in range(300)]
    assert data.queried.time_ns[1] == START + S
    assert len(client.query(["queried"], **span, limit=7).queried) == 7
    made = client.query("queried", **span, every="1m", aggregates=["avg", "max", "count"]).queried
    assert made["pressure.max"].tolist() == [59 / 4 + 15 * n for n in range(5)]
    assert made["pressure.count"].tolist() == [60] * 5
    assert (
        client.query(
            "queried", START, duration="PT10S", signals=["pressure"], where="pressure > 1"
        ).pressure.size
        == 5
    )
    assert len(client.query("queried", **span, width=10).queried) <= 12
    (told,) = client.signals("queried")
    assert (told["signal"], told["type"], told["count"]) == ("pressure", "double", 600)
    for duration in ("10s", "PT10S", datetime.timedelta(seconds=10), 10, "10000ms"):
        assert len(client.query("queried", START, duration=duration).queried) == 10
    assert len(client.query("queried", START, "now", limit=3).queried) == 3
    with pytest.raises(RemoteError, match="400"):
        client.query("queried", **span, every="often")
    with pytest.raises(RemoteError, match="404"):
        client.query("nosuch", **span)


def test_export(client, tmp_path):
    client.ingest(pump(), "exported", create=True)
    span = {"start": START, "end": START + 50 * S}
    data = speeddata.read_hdf5(client.export(tmp_path / "a.h5", "exported", **span))
    assert data.pressure.tolist() == [n / 4 for n in range(51)]  # an export has its end
    assert (
        pandas.read_parquet(client.export(tmp_path / "a.parquet", ["exported"], **span)).pressure.size == 51
    )
    client.ingest(pump(10), "second", create=True)
    both = client.export(tmp_path / "two.csv", ["exported", "second"], **span)
    assert (both.name, zipfile.is_zipfile(both)) == ("two.csv.zip", True)
    part = client.export(tmp_path / "p.avro", "exported", START, duration="10s")
    assert len(speeddata.open(part).exported) == 11
    for background in (False, True):
        with pytest.raises(speeddata.errors.FormatError, match=r"x\.xlsx.*wanted one that ends in \.h5"):
            client.export(tmp_path / "x.xlsx", "exported", **span, background=background)
    with pytest.raises(RemoteError, match=r"exceeds.*background=True") as caught:
        client.export(tmp_path / "long.h5", "exported", START, duration="1d")
    assert caught.value.status == 413
    assert not (tmp_path / "long.h5").exists()
    tag = client.tag("kept", channels=["exported"], **span)
    kept = speeddata.open(client.export(tmp_path / "b.h5", tag="kept", background=True, timeout_s=LIMIT_S))
    assert len(kept.exported) == 51
    client.delete_tag(tag["id"])
    with pytest.raises(RemoteError, match="404"):
        client.export(tmp_path / "c.h5", "nosuch", **span)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "a.h5", "a.parquet", "b.h5", "p.avro", "two.csv.zip",
    ]  # fmt: skip


def test_follow_what_is_ingested(client):
    client.ingest(pump(10), "fed", create=True)

    async def follow():
        found = []
        async with contextlib.aclosing(client.follow("fed", start=START)) as batches:
            async for batch in batches:
                found += (batch.data.pressure * 4).tolist()
                if len(found) == 10:
                    await asyncio.to_thread(client.ingest, pump(5, 10), "fed")
                elif len(found) >= 15:
                    break
        return found

    assert asyncio.run(asyncio.wait_for(follow(), 60)) == list(range(15))


def test_follow_what_is_sent_by_udp(client, running):
    """Numbered records by a real relay: history, then live, until all are there."""
    port, count = free_port(), 3000
    client.register("engine", SCHEMA, port)
    wait_until(lambda: running.get("/channels/engine")["pid"], "a relay", LIMIT_S)
    stop = threading.Event()

    def send():
        with socket.socket(type=socket.SOCK_DGRAM) as source:
            source.connect(("127.0.0.1", port))
            for number in range(count):
                row = {"time": time.time_ns(), "counter": number, "voltage": 1.0, "message": "x"}
                source.send(encode_each(SCHEMA, [row])[0])
                if number % 100 == 99:
                    stop.wait(0.02)

    async def follow():
        found = []
        async with contextlib.aclosing(
            client.follow("engine", signals="counter", duration="PT1H")
        ) as batches:
            async for batch in batches:
                found += batch.data.counter.tolist()
                if len(found) >= count:
                    break
        return found

    sender = threading.Thread(target=send)
    sender.start()
    try:
        assert asyncio.run(asyncio.wait_for(follow(), 60)) == list(range(count))
    finally:
        stop.set()
        sender.join()
