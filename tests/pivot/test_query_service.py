import asyncio
import json
import threading
import time

import pytest
import rolled
import segments as made

from speeddata.pivot.catalogue import Catalogue
from speeddata.pivot.problem import Problem
from speeddata.pivot.query import Engine
from speeddata.pivot.query_service import Pieces, QueryLimits, QueryService
from speeddata.pivot.result_cache import Answer

S = 10**9
START = made.START
PARAMS = {"channels": "c", "duration": "PT10S", "every": "1s"}
LIMIT_S = 30


async def stays():
    return False


async def leaves():
    return True


class Slow:
    """Stands for the answering of a query: lasts until it is released or told to stop."""

    def __init__(self):
        self.running, self.stopped = threading.Semaphore(0), threading.Semaphore(0)
        self.released = threading.Event()

    def __call__(self, check):
        self.running.release()
        while not self.released.wait(0.01):
            try:
                check()
            except BaseException:
                self.stopped.release()
                raise
        return "done"


@pytest.fixture
def make(tmp_path):
    rolled.segment(tmp_path / "c", 0, rolled.steady_rows(100), parts=1)
    services = []

    def make(**limits):
        cache_bytes = limits.pop("cache_bytes", 1 << 20)
        services.append(QueryService(Engine(Catalogue(tmp_path, None)), QueryLimits(**limits), cache_bytes))
        return services[-1]

    yield make
    for service in services:
        service.close()


async def refused(answer):
    with pytest.raises(Problem) as caught:
        await asyncio.wait_for(answer, LIMIT_S)
    return caught.value


async def reached(semaphore):
    assert await asyncio.to_thread(semaphore.acquire, timeout=LIMIT_S)


def query(service, **more):
    response = asyncio.run(service.query(PARAMS | more, "", stays))
    return b"".join(response._answer.parts)


def test_a_repeated_query_is_not_run_again(make):
    service = make()
    first = query(service)
    assert [query(service) for _ in range(3)] == [first] * 3
    assert service.engine.runs == 1
    assert service.cache.stats()["hits"] == 3
    query(service, fill="null")
    assert service.engine.runs == 2


def test_a_late_record_in_its_range_outdates_an_answer_and_one_outside_does_not(make, tmp_path):
    service = make()
    ends = {"duration": "", "start": "2023-11-14T22:13:20Z", "end": "2023-11-14T22:13:30Z"}
    first = query(service, **ends)
    rolled.segment(tmp_path / "c", 1, rolled.steady_rows(5, 50))
    assert (query(service, **ends), service.engine.runs) == (first, 1)
    rolled.segment(tmp_path / "c", 2, rolled.steady_rows(1, 3))
    series = json.loads(query(service, **ends))["series"][0]
    assert (service.engine.runs, service.cache.stats()["outdated"]) == (2, 1)
    assert series["columns"]["whole.avg"][3] == 3


def test_the_newest_record_ends_a_duration_unless_its_clock_is_wrong(make, tmp_path):
    service = make()
    assert service.newest(["c"], START + 100 * S, lambda: None) == START + 99 * S
    rolled.segment(tmp_path / "c", 1, rolled.steady_rows(1, 10**8))
    assert service.newest(["c"], START + 10**6 * S, lambda: None) == START + 99 * S
    assert service.newest(["c"], START + 10**9 * S, lambda: None) == START + 10**8 * S
    (tmp_path / "empty").mkdir()
    assert service.newest(["empty"], START, lambda: None) is None


def test_too_slow_is_408_and_the_work_stops(make):
    async def run():
        slow = Slow()
        problem = await refused(make(timeout_s=0.05).run(slow, stays))
        assert problem.status == 408
        assert "shorter range" in problem.body["error"]
        await reached(slow.stopped)

    asyncio.run(run())


def test_a_client_that_leaves_ends_its_query(make):
    async def run():
        service, slow = make(), Slow()
        assert (await refused(service.run(slow, leaves))).status == 499
        await reached(slow.stopped)
        assert service.admitted == 0

    asyncio.run(run())


def test_too_many_at_once_are_429(make):
    async def run():
        service, slow = make(running=2, admitted=4), Slow()
        answers = [asyncio.ensure_future(service.run(slow, stays)) for _ in range(4)]
        await reached(slow.running)
        await reached(slow.running)
        assert not slow.running.acquire(blocking=False), "only two are answered at a time"
        problem = await refused(service.query(PARAMS, "", stays))
        assert (problem.status, problem.headers) == (429, {"retry-after": "1"})
        slow.released.set()
        assert await asyncio.wait_for(asyncio.gather(*answers), LIMIT_S) == ["done"] * 4
        assert service.admitted == 0

    asyncio.run(run())


def test_too_many_bytes_on_their_way_are_429(make):
    async def run():
        service = make(unsent=10)
        first = await service.query(PARAMS, "", stays)
        assert (await refused(service.query(PARAMS, "", stays))).status == 429
        first._done(first._answer.size)
        assert service.unsent == 0
        await service.query(PARAMS, "", stays)

    asyncio.run(run())


def test_closing_ends_what_is_under_way(make):
    async def run():
        service, slow = make(running=1), Slow()
        answers = [asyncio.ensure_future(service.run(slow, stays)) for _ in range(3)]
        await reached(slow.running)
        service.close()
        assert [(await refused(answer)).status for answer in answers] == [503] * 3
        assert (await refused(service.query(PARAMS, "", stays))).status == 503

    asyncio.run(run())


def test_what_is_wrong_is_not_counted_as_work(make):
    async def run():
        service = make(admitted=1)
        for params, status in (
            ({}, 400),
            ({**PARAMS, "channels": "nosuch"}, 404),
            ({**PARAMS, "every": "1ns"}, 413),
        ):
            assert (await refused(service.query(params, "", stays))).status == status
        assert service.admitted == 0

    asyncio.run(run())


def test_damage_is_told(make, tmp_path):
    path = next((tmp_path / "c").glob("*.avro"))
    data = bytearray(path.read_bytes())
    data[-40] ^= 1
    path.write_bytes(data)
    response = asyncio.run(
        make().query({**PARAMS, "duration": "", "start": "2023-11-14"} | {"every": "1d"}, "", stays)
    )
    assert response.headers["x-speeddata-partial"] == "1 damaged place left out"


async def stay():
    """A client that does not leave."""
    await asyncio.Event().wait()


def test_a_client_that_takes_nothing_is_left():
    sent, done = [], []

    async def send(message):
        if sent:
            await asyncio.sleep(LIMIT_S)
        sent.append(message["type"])

    answer = Answer((b"x" * 200_000,), "text/plain", (("x-a", "b"),))
    begun = time.monotonic()
    asyncio.run(Pieces(answer, "query;dur=1", done.append, 0.05)({}, stay, send))
    assert (sent, done) == (["http.response.start"], [200_000])
    assert time.monotonic() - begun < LIMIT_S


def test_large_answers_are_sent_in_pieces():
    bodies, headers = [], []

    async def send(message):
        headers.extend(message.get("headers", ()))
        bodies.append((len(message.get("body", b"")), message.get("more_body")))

    parts = (b"x" * 100_000, b"y" * 10)
    asyncio.run(Pieces(Answer(parts, "text/plain"), "query;dur=1", lambda _: None, 1)({}, stay, send))
    assert bodies[1:] == [(65536, True), (34464, True), (10, False)]
    assert (b"server-timing", b"query;dur=1") in headers
