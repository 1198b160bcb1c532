import asyncio
import json
import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest
import segments as made

from speeddata.buckets import parse_every
from speeddata.pivot.catalogue import Catalogue
from speeddata.pivot.dialects import PAGE, Reads, invalid, pages, plainly, refusal, stamps, tells_detail
from speeddata.pivot.problem import Problem
from speeddata.pivot.query import Engine
from speeddata.pivot.query_words import Query
from speeddata.pivot.result_cache import ResultCache

LIMIT_S = 30


class Client:
    """What is asked of a request: whether its client has left."""

    url = SimpleNamespace(path="/path")

    def __init__(self, leaves=False):
        self.leaves = leaves

    async def is_disconnected(self):
        return self.leaves


class Receiver:
    """The server's side of an answer: what was sent, and until when the client stays."""

    def __init__(self, leaves_after=None):
        self.messages = []
        self.leaves_after = leaves_after
        self.left = asyncio.Event()

    async def receive(self):
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message):
        self.messages.append(message)
        if len(self.messages) == self.leaves_after:
            self.left.set()

    @property
    def body(self):
        return b"".join(message.get("body", b"") for message in self.messages)


async def receive(response, receiver):
    await asyncio.wait_for(response({"type": "http"}, receiver.receive, receiver.send), LIMIT_S)


def test_times():
    assert stamps(np.array([0, 10**9])) == ["1970-01-01T00:00:00Z", "1970-01-01T00:00:01Z"]
    assert stamps(np.array([-1])) == ["1969-12-31T23:59:59.999999999Z"]
    assert stamps(np.array([500_000_000, 1_000])) == [
        "1970-01-01T00:00:00.500000Z",
        "1970-01-01T00:00:00.000001Z",
    ]
    assert stamps(np.array([], np.int64)) == []


def test_numbers():
    told = plainly(np.array([50.0, 49.99, np.nan, 1e300, -3.0]))
    assert json.dumps(told) == "[50, 49.99, null, 1e+300, -3]"
    assert plainly(np.ma.masked_array([1, 2], [False, True])) == [1, None]


def test_errors_tell_their_detail():
    assert refusal(404, "x").body == {"error": "x", "detail": "x"}
    body = invalid("body", "data.0.value", "wrong", "y" * 1000).body
    assert body["detail"][0]["loc"] == ["body", "data", "0", "value"]
    assert len(json.dumps(body)) < 1000

    async def fail():
        raise Problem(429, "too many")

    with pytest.raises(Problem) as raised:
        asyncio.run(tells_detail(fail)())
    assert raised.value.body["detail"] == "too many"


@pytest.fixture
def engine(tmp_path):
    made.write_segment(tmp_path / "example", [made.records(10_000, n) for n in range(0, 120_000, 10_000)])
    return Engine(Catalogue(tmp_path, None))


def test_pages_have_everything_once(engine):
    query = Query(("example",), made.START + 5_000_000, made.START + 119_990_000_000, ("counter",))
    found = [series.columns["counter"] for series in pages(engine, query, lambda: None)]
    assert np.concatenate(found).tolist() == list(range(5, 119_991))
    assert max(map(len, found)) <= PAGE


def test_windows_meet_at_buckets(engine):
    every = parse_every("1ms")
    query = Query(
        ("example",), made.START + 500_000, made.START + 119_999_500_000, ("counter",), every, ("count",)
    )
    found = list(pages(engine, query, lambda: None))
    assert sum(len(series.time_ns) for series in found) == 119_999
    assert all((series.columns["counter.count"] == 1).all() for series in found)
    assert len(found) == 2


def test_a_range_that_ends_before_it_begins(engine):
    assert list(pages(engine, Query(("example",), 5, 4), lambda: None)) == []


def test_rows_are_sent_as_they_are_found():
    async def run():
        reads, receiver = Reads(), Receiver()
        rows = [[], [{"a": 1}, {"a": 2}], [], [], [{"a": 3}], []]
        response = await reads.stream(Client(), lambda _: iter(rows), ('{"data":', "}"))
        assert reads.admitted == 1
        await receive(response, receiver)
        reads.close()
        return reads, receiver

    reads, receiver = asyncio.run(run())
    assert json.loads(receiver.body) == {"data": [{"a": 1}, {"a": 2}, {"a": 3}]}
    assert [message.get("more_body") for message in receiver.messages[1:]].count(False) == 1
    assert reads.admitted == 0


@pytest.mark.parametrize("rows", [[], [[]], [[], []], [[{"a": 1}]]])
def test_few_rows(rows):
    async def run():
        reads, receiver = Reads(), Receiver()
        await receive(await reads.stream(Client(), lambda _: iter(rows), ("", "")), receiver)
        reads.close()
        return receiver.body

    assert json.loads(asyncio.run(run())) == [row for page in rows for row in page]


def test_an_answer_of_one_page_is_kept(engine):
    cache = ResultCache(1 << 20)

    async def ask(query, rows):
        reads, receiver = Reads(cache), Receiver()
        await receive(
            await reads.stream(Client(), lambda _: iter(rows), ('{"data":', "}"), (engine, query)), receiver
        )
        reads.close()
        assert reads.admitted == 0
        told = json.loads(receiver.body)
        return told["data"]

    query = Query(("example",), made.START, made.START + 10**9)
    assert asyncio.run(ask(query, [[{"a": 1}]])) == [{"a": 1}]
    assert asyncio.run(ask(query, [[{"a": 2}]])) == [{"a": 1}]
    other = Query(("example",), made.START, made.START + 10**9, every=parse_every("1s"), aggregates=("avg",))
    assert asyncio.run(ask(other, [[{"a": 3}], [{"a": 4}]])) == [{"a": 3}, {"a": 4}]
    assert asyncio.run(ask(other, [])) == []
    assert asyncio.run(ask(other, [[{"a": 5}]])) == []
    unknown = Query(("nosuch",), 1, 2)
    for number in (6, 7):
        assert asyncio.run(ask(unknown, [[{"a": number}]])) == [{"a": number}]


def test_what_is_wrong_is_told_before_anything_is_sent():
    def rows(_):
        raise refusal(404, "nothing")
        yield []

    async def run():
        reads = Reads()
        with pytest.raises(Problem, match="nothing"):
            await reads.stream(Client(), rows, ("", ""))
        reads.close()
        return reads.admitted

    assert asyncio.run(run()) == 0


def endless(check):
    while True:
        check()
        time.sleep(0.001)
        yield [{"a": 1}]


def test_nothing_goes_on_for_who_has_left():
    async def run():
        reads, receiver = Reads(), Receiver(leaves_after=5)
        await receive(await reads.stream(Client(), endless, ("", "")), receiver)
        assert reads.admitted == 0
        reads.close()
        assert receiver.messages[-1]["more_body"]

    asyncio.run(run())


def stuck(check):
    ended = threading.Event()
    while not ended.wait(0.01):
        check()


@pytest.mark.parametrize(
    ("client", "timeout", "status"), [(Client(leaves=True), 60, 499), (Client(), 0.3, 408)]
)
def test_work_ends_for_who_leaves_and_at_the_deadline(client, timeout, status):
    async def run():
        reads = Reads(running=1, timeout_s=timeout)
        with pytest.raises(Problem) as raised:
            await reads.run(client, stuck)
        assert raised.value.status == status
        assert await reads.run(Client(), lambda _: 5) == 5  # the thread is free again
        reads.close()

    asyncio.run(asyncio.wait_for(run(), LIMIT_S))


def test_so_many_at_a_time_and_an_end():
    async def run():
        reads = Reads(running=1, admitted=2)
        held = [asyncio.ensure_future(reads.run(Client(), stuck)) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(Problem) as raised:
            await reads.run(Client(), stuck)
        assert raised.value.status == 429
        reads.close()
        return await asyncio.gather(*held, return_exceptions=True)

    ends = asyncio.run(asyncio.wait_for(run(), LIMIT_S))
    assert all(isinstance(end, Problem | asyncio.CancelledError) for end in ends)
