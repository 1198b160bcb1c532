import asyncio
import io
import threading
import time

import pytest
import segments as made

from speeddata.pivot import exporter as module
from speeddata.pivot.attendance import Stopped
from speeddata.pivot.catalogue import Catalogue
from speeddata.pivot.export import Export
from speeddata.pivot.exporter import Exporter
from speeddata.pivot.problem import Problem
from speeddata.pivot.request import HINT, Limits

PARAMS = {"duration": "PT1S", "channels": "example"}
LIMIT_S = 30


class Slow:
    """Stands for the making of an export: lasts until it is released or told to stop."""

    def __init__(self):
        self.running = threading.Semaphore(0)
        self.released = threading.Event()
        self.stopped = threading.Semaphore(0)
        self.files = []

    def __call__(self, _request, _archives, _folder, work):
        self.running.release()
        while not self.released.is_set():
            if work.stop.wait(0.01):
                self.stopped.release()
                raise Stopped
        self.files.append(io.BytesIO(b"done"))
        return Export(self.files[-1], 4, 0)


@pytest.fixture
def slow(monkeypatch):
    slow = Slow()
    monkeypatch.setattr(module, "make_export", slow)
    yield slow
    slow.released.set()


@pytest.fixture
def make(tmp_path):
    made.write_segment(tmp_path / "example", [made.records(3)])
    exporters = []

    def make(**limits):
        exporters.append(Exporter(Catalogue(tmp_path, None), Limits(**limits)))
        return exporters[-1]

    yield make
    for exporter in exporters:
        exporter.close()


def sent(response):
    """End a response as if its client had taken all."""
    response._file.close()
    response._done()


async def stays():
    return False


async def reached(semaphore):
    await asyncio.to_thread(semaphore.acquire, timeout=LIMIT_S)


async def refused(answer):
    with pytest.raises(Problem) as caught:
        await asyncio.wait_for(answer, LIMIT_S)
    return caught.value


def test_answers_with_the_file(make):
    response = asyncio.run(make().export(PARAMS, stays))
    assert response.headers["content-type"] == "application/x-hdf5"
    name = response.headers["content-disposition"]
    assert name.startswith('attachment; filename="export_')
    assert len(name) == len('attachment; filename="export_20250123_140000.h5"')
    assert "x-speeddata-partial" not in response.headers
    response._file.close()


def test_too_slow_is_408(make, slow):
    async def run():
        problem = await refused(make(timeout_s=0.05).export(PARAMS, stays))
        assert (problem.status, problem.body) == (
            408,
            {"error": "The export took longer than 0.05 s, ask for less at once", "hint": HINT},
        )
        await reached(slow.stopped)

    asyncio.run(run())


def test_a_client_that_leaves_ends_its_export(make, slow):
    async def run():
        left = False

        async def leaves():
            return left

        exporter = make()
        answer = asyncio.ensure_future(exporter.export(PARAMS, leaves))
        await reached(slow.running)
        left = True
        assert (await refused(answer)).status == 499
        await reached(slow.stopped)
        assert exporter.admitted == 0

    asyncio.run(run())


def test_a_cancelled_request_ends_its_export(make, slow):
    async def run():
        exporter = make()
        answer = asyncio.ensure_future(exporter.export(PARAMS, stays))
        await reached(slow.running)
        answer.cancel()
        with pytest.raises(asyncio.CancelledError):
            await answer
        await reached(slow.stopped)
        assert exporter.admitted == 0

    asyncio.run(run())


def test_too_many_at_once_are_429(make, slow):
    async def run():
        exporter = make(running=2, admitted=4)
        answers = [asyncio.ensure_future(exporter.export(PARAMS, stays)) for _ in range(4)]
        await reached(slow.running)
        await reached(slow.running)
        assert not slow.running.acquire(blocking=False), "only two are made at a time"
        problem = await refused(exporter.export(PARAMS, stays))
        assert (problem.status, problem.headers) == (429, {"retry-after": "2"})
        slow.released.set()
        responses = await asyncio.wait_for(asyncio.gather(*answers), LIMIT_S)
        assert (exporter.admitted, exporter.sending) == (0, 4), "what is made does not count as work"
        responses.append(await exporter.export(PARAMS, stays))
        for response in responses:
            sent(response)
        assert exporter.sending == 0

    asyncio.run(run())


def test_too_many_downloads_are_429(make):
    async def run():
        exporter = make(sending=2)
        responses = [await exporter.export(PARAMS, stays) for _ in range(2)]
        assert (await refused(exporter.export(PARAMS, stays))).status == 429
        sent(responses.pop())
        responses.append(await exporter.export(PARAMS, stays))
        assert responses[-1]._stall_s == exporter.limits.stall_s < exporter.limits.timeout_s
        for response in responses:
            sent(response)
        assert exporter.sending == 0

    asyncio.run(run())


def test_refused_requests_are_not_counted(make):
    async def run():
        exporter = make(admitted=1)
        for _ in range(3):
            assert (await refused(exporter.export({"channels": "example"}, stays))).status == 400
            assert (await refused(exporter.export({**PARAMS, "channels": "nosuch"}, stays))).status == 404
            assert (await refused(exporter.export({**PARAMS, "duration": "PT6M"}, stays))).status == 413
            assert (await refused(exporter.export({**PARAMS, "signals": "a\0b"}, stays))).status == 404
        assert exporter.admitted == 0

    asyncio.run(run())


def test_closing_ends_what_is_under_way_and_refuses_the_rest(make, slow):
    async def run():
        exporter = make(running=1)
        answers = [asyncio.ensure_future(exporter.export(PARAMS, stays)) for _ in range(3)]
        await reached(slow.running)
        exporter.close()
        assert [(await refused(answer)).status for answer in answers] == [503] * 3
        assert (await refused(exporter.export(PARAMS, stays))).status == 503
        await reached(slow.stopped)

    asyncio.run(run())


def test_a_file_that_nobody_takes_any_more_is_closed(make, slow):
    """The export ends just as its client is found gone."""

    async def run():
        async def leaves():
            slow.released.set()
            return True

        assert (await refused(make().export(PARAMS, leaves))).status == 499
        deadline = asyncio.get_running_loop().time() + LIMIT_S
        while not (slow.files and slow.files[0].closed) and not slow.stopped.acquire(blocking=False):
            assert asyncio.get_running_loop().time() < deadline
            await asyncio.sleep(0.01)

    asyncio.run(run())


def read(exporter, **params):
    return exporter.read({**PARAMS, **params}, threading.Event())


def test_duration_alone_ends_at_the_newest_record(make, tmp_path):
    exporter = make()
    newest = made.START + 2_000_000
    assert read(exporter).end_ns == newest
    made.write_segment(tmp_path / "other", [made.records(9)])
    assert read(exporter, channels="example,other").end_ns == made.START + 8_000_000
    (tmp_path / "empty").mkdir()
    assert read(exporter, channels="empty").end_ns > made.START


YEAR_2200 = 7_258_118_400_000_000_000


def test_a_record_far_in_the_future_does_not_count(make, tmp_path):
    exporter = make()
    spoiled = [made.record(4), made.record(6, YEAR_2200), made.record(5), made.record(7, YEAR_2200 + 1)]
    made.write_segment(tmp_path / "example", [spoiled, made.records(2, 3)], start=made.START + 10**9)
    assert read(exporter).end_ns == made.START + 5_000_000
    made.write_segment(tmp_path / "future", [[made.record(0, YEAR_2200)]])
    assert read(exporter, channels="example,future").end_ns == made.START + 5_000_000
    assert read(exporter, channels="future").end_ns == YEAR_2200, "there is no other"
    soon = time.time_ns() + 30 * 10**9
    made.write_segment(tmp_path / "ahead", [[made.record(0, soon)]])
    assert read(exporter, channels="ahead,future,example").end_ns == soon, "a clock may be a little ahead"
