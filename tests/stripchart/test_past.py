"""Windows that reach back to before the live server: a real relay, a real history service, and live servers that come and go."""

import asyncio
import contextlib
import itertools
import logging
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import history as service
import numpy as np
import pytest
from hub_bench import Browser
from line import NUMBERED, Line, make_spec, numbered
from line import running as relaying
from live import Registry, running, wait_for
from websockets.asyncio.client import connect

from speeddata.schema import Schema
from speeddata.stripchart.catalogue import ChannelInfo, Making
from speeddata.stripchart.channel import LiveChannel
from speeddata.stripchart.history import History, Samples
from speeddata.stripchart.past import Past

MS = 1_000_000
S = 1_000_000_000
DECIMATION = {"enabled": True, "algorithm": "minmax", "factor": None, "rate_hz": 50.0}


class Source(threading.Thread):
    """Sends numbered records at a rate into a relay; the value is the number."""

    def __init__(self, line: Line, rate: float) -> None:
        super().__init__()
        self.line, self.rate = line, rate
        self.sent = 0
        self.stopped = threading.Event()

    def run(self) -> None:
        begun = time.time_ns()
        while not self.stopped.wait(0.001):
            while (due := begun + int(self.sent / self.rate * 1e9)) < time.time_ns():
                self.line.send(numbered(self.sent, float(self.sent), due))
                self.sent += 1


@pytest.fixture
def registry() -> Iterator[Registry]:
    with contextlib.closing(Registry()) as opened:
        yield opened


@contextlib.contextmanager
def sending(registry: Registry, folder: Path, name: str, rate: float) -> Iterator[Source]:
    """A relay with a source, registered; its blocks stay open as long as by default."""
    spec = make_spec(folder, name=name, archive=str(folder / name), block_age_s=1.0)
    group = spec["multicast"]["decimated"]
    registry.add(name, NUMBERED, (group["address"], group["port"]), decimation=DECIMATION)
    with relaying(spec) as line:
        source = Source(line, rate)
        source.start()
        try:
            yield source
        finally:
            source.stopped.set()
            source.join()


@contextlib.contextmanager
def archived(registry: Registry, folder: Path) -> Iterator[None]:
    """The history service over the relays' archive."""
    with service.running(folder) as running_service:
        address = urlsplit(running_service.address)
        registry.services["pivot"] = {"host": address.hostname, "port": address.port}
        yield


def is_whole(values: list[float], sent: int) -> bool:
    """Whether every value up to `sent` is there once and in order."""
    return len(values) >= sent and values == list(map(float, range(len(values))))


def is_whole_in_columns(browser: Browser, name: str, sent: int) -> bool:
    """Whether columns, one after the other, span every value up to `sent`."""
    columns = sorted(browser.columns(name, 20).items())
    spans = [(low, high) for _, (_, low, high, _, _) in columns]
    starts = [start for start, _ in columns]
    return (
        bool(spans)
        and spans[0][0] == 0
        and spans[-1][1] >= sent
        and all(after[0] == before[1] + 1 for before, after in zip(spans, spans[1:], strict=False))
        and np.diff(starts).max(initial=0) == 20
    )


async def whole(browser: Browser, sent: Callable[[], int]) -> None:
    """Wait until every value of the slow source up to `sent` is there."""

    def values() -> list[float]:
        return [value for value in browser.values("slow.n") if value == value]

    try:
        await browser.read(lambda: is_whole(values(), sent()))
    except TimeoutError:
        found = values()
        strange = [(a, b) for a, b in itertools.pairwise([-1, *found]) if b != a + 1]
        raise AssertionError(f"{len(found)} of {sent()} values, not after one another: {strange}") from None


async def watch(port: int, slow: Source, fast: Source) -> None:
    """See all that was ever sent, and then what is sent on."""
    async with connect(f"ws://127.0.0.1:{port}", compression=None, max_size=None) as connection:
        browser = Browser(connection)
        while not (browser.ids.get("slow.n") and browser.ids.get("fast.value")):
            await browser.ask("subscribe", "slow.n", window=600)
            await browser.ask("subscribe", "fast.value", window=600, columns=1000, feed=1)
            await asyncio.sleep(0.05)
        await whole(browser, lambda: slow.sent - 5)
        await browser.read(lambda: is_whole_in_columns(browser, "fast.value", fast.sent - 200))
        wanted = slow.sent + 20
        await whole(browser, lambda: wanted)


def test_a_live_server_that_is_started_again_shows_every_sample_once(
    registry: Registry, tmp_path: Path
) -> None:
    with (
        sending(registry, tmp_path, "slow", 30) as slow,
        sending(registry, tmp_path, "fast", 1000) as fast,
        archived(registry, tmp_path),
    ):
        for _ in range(2):
            with running(registry) as (process, port):
                asyncio.run(watch(port, slow, fast))
                process.process.kill()


@pytest.fixture
def past(registry: Registry) -> Iterator[Past]:
    with contextlib.closing(Past(History(registry.url))) as opened:
        yield opened


def channel() -> LiveChannel:
    making = Making(20 * MS, has_pairs=True)
    info = ChannelInfo("c", ("239.255.49.1", 1), None, "1", None, Schema.parse(NUMBERED), making=making)
    return LiveChannel(info, iter(range(1, 99)))


def settle(past: Past, now_ns: int) -> list[LiveChannel]:
    """Tick until what was asked for is answered."""
    grown: list[LiveChannel] = []

    def is_settled() -> bool:
        grown.extend(past.tick(now_ns))
        return not any(story.asked for story in past._stories.values())

    wait_for(is_settled)
    return grown


def test_history_that_is_down_is_said_once_and_asked_again_for_a_while_and_at_the_next_subscription(
    registry: Registry, past: Past, caplog: pytest.LogCaptureFixture
) -> None:
    registry.services["pivot"] = None
    one, now = channel(), 1000 * S
    for _ in range(2):
        asked = registry.asked["/api/v1/services"]
        past.want(one, now - 60 * S, 20 * MS, now)
        for tenth in range(200):
            assert settle(past, now + tenth * S // 10) == []
        assert registry.asked["/api/v1/services"] == asked + 11
        now += 60 * S
    assert [record.levelno for record in caplog.records] == [logging.WARNING]


def test_a_window_that_the_ring_holds_asks_for_nothing(registry: Registry, past: Past) -> None:
    one, now = channel(), 1000 * S
    one.ring.append(np.arange(900, 1000) * S, np.zeros((one.ring.rows, 100)))
    past.want(one, now - 99 * S, 20 * MS, now)
    one.ring.limit = 10
    one.ring.append(np.array([now]), np.zeros((one.ring.rows, 1)))
    past.want(one, now - 500 * S, 20 * MS, now)
    settle(past, now)
    assert registry.asked["/api/v1/services"] == 0


class Told:
    """What the history service would answer, span by span."""

    def __init__(self, *times_ms: int) -> None:
        self.times = list(times_ms)
        self.spans: list[tuple[int, int]] = []

    def fetch(self, span: object) -> Samples:
        start, end = span.start_ns, span.end_ns  # type: ignore[attr-defined]
        self.spans.append((start // MS, end // MS))
        times = np.array([t for t in self.times if start <= t * MS < end], np.int64) * MS
        return Samples(start, end, times, times + 1, np.vstack([times / MS, -times / MS]))

    def close(self) -> None:
        pass


def test_what_is_not_written_yet_is_asked_for_until_the_first_live_sample_is() -> None:
    told = Told(*range(0, 900, 100))
    past, one = Past(told), channel()  # type: ignore[arg-type]
    row = one.by_path["n"].row
    assert row is not None
    now = 1000 * MS
    one.ring.append(np.array([1000, 1100]) * MS, np.array([[1000.0, 1100.0], [0, 0]]))
    past.want(one, 0, 20 * MS, now)
    assert settle(past, now) == [one]
    assert one.ring.values(row, one.ring.first).tolist() == [*range(0, 900, 100), 1000, 1100]
    told.times += [900]
    assert settle(past, now + 600 * MS) == [one]
    told.times += [1000, 1100]
    assert settle(past, now + 1200 * MS) == []
    for later in range(2, 10):
        settle(past, now + later * S)
    assert len(told.spans) == 3
    assert one.ring.values(row, one.ring.first).tolist() == list(range(0, 1200, 100))
    past.want(one, -5 * S, 20 * MS, now)
    told.times = [-300, -200, *told.times]
    assert settle(past, now + 20 * S) == [one]
    assert told.spans[-1] == (-5000, 0)
    assert one.ring.values(row, one.ring.first).tolist() == list(range(-300, 0, 100))[:2] + [
        *range(0, 1200, 100)
    ]
    past.close()


def test_a_silence_before_the_first_live_sample_is_a_break() -> None:
    told = Told(*range(0, 500, 50), *range(2000, 2500, 50))
    past, one = Past(told), channel()  # type: ignore[arg-type]
    past.want(one, 0, 20 * MS, 5000 * MS)
    assert settle(past, 5000 * MS) == [one]
    assert settle(past, 9000 * MS) == []
    row = one.by_path["n"].row
    assert row is not None
    one.ring.append(np.array([9000 * MS]), np.array([[9000.0], [0]]))
    told.times.append(9000)
    assert settle(past, 9000 * MS) == [one]
    times, values = one.ring.ordered(one.ring.first, [row])
    assert (times[np.isnan(values[0])] // MS).tolist() == [2000, 9000]
    assert values[0][~np.isnan(values[0])].tolist() == told.times
    past.close()


def test_what_never_comes_to_the_archive_is_not_waited_for_for_ever() -> None:
    told = Told()
    past, one = Past(told), channel()  # type: ignore[arg-type]
    one.ring.append(np.array([1000 * MS]), np.zeros((2, 1)))
    past.want(one, 0, 20 * MS, 1000 * MS)
    for n in range(60):
        settle(past, (1000 + 500 * n) * MS)
    assert 15 < len(told.spans) < 25
    past.keep(set())
    assert past._stories == {}
    past.close()
