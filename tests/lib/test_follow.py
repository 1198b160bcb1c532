import asyncio
import contextlib
import random
import socket
import threading

import history
import pytest
from follow_segments import GrowingChannel, counters

from speeddata.follow import follow
from speeddata.remote_error import RemoteError

LIMIT_S = 60


class Proxy:
    """Passes connections on to a service that may change, and cuts them when asked."""

    def __init__(self):
        self.target = None
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._pairs = []
        self.has_answered = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        self.address = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def _serve(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(self.target)
            except OSError:
                client.close()
                continue
            self._pairs.append((client, server))
            for a, b in ((client, server), (server, client)):
                threading.Thread(target=self._pass, args=(a, b), daemon=True).start()

    def _pass(self, a, b):
        with contextlib.suppress(OSError):
            while data := a.recv(random.choice([100, 1000, 65536])):
                b.sendall(data)
                if a.getpeername() == self.target:
                    self.has_answered.set()
        for one in (a, b):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def aim(self, service):
        host, port = service.address.removeprefix("http://").split(":")
        self.target = host, int(port)

    def cut(self):
        self.has_answered.wait(LIMIT_S)  # a first connection that breaks is an error, told at once
        while self._pairs:
            for one in self._pairs.pop():
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
                one.close()

    def close(self):
        self._listener.close()
        self.cut()


@pytest.fixture
def proxy():
    made = Proxy()
    yield made
    made.close()


async def collect(count, *arguments, **options):
    """What comes until there are so many records."""
    found, records = [], 0
    async with contextlib.aclosing(follow(*arguments, **options)) as batches:
        async for batch in batches:
            found.append(batch)
            records += len(batch)
            if records >= count:
                return found
    raise AssertionError("it has ended")


def test_history_then_live_with_names_units_and_types(tmp_path):
    channel = GrowingChannel(tmp_path)
    channel.add(3, 1, 2)
    with history.running(tmp_path) as service:

        async def run():
            batches = follow(service.address, ["engine"], signals=["voltage", "counter"], start="2023-11-14")
            first = await anext(batches)
            channel.add(9)
            second = await anext(batches)
            await batches.aclose()
            return first, second

        first, second = asyncio.run(asyncio.wait_for(run(), LIMIT_S))
    assert (first.live, second.live) == (False, True)
    assert counters([first.data, second.data]) == [1, 2, 0, 3]
    assert first.channel == "engine"
    assert list(first.data.signal) == ["counter", "voltage"]
    assert first.data.voltage.unit == "V"
    assert len(second) == 1


def test_nothing_is_lost_or_doubled_by_cuts_and_restarts(tmp_path, proxy):
    """Records come late and out of order, in segments of two schemas that are rotated and sealed, while all is cut."""
    channel, numbers, done = GrowingChannel(tmp_path), random.Random(7), threading.Event()
    for _ in range(50):
        channel.add(*(numbers.randrange(1000) for _ in range(20)))
    last = 6000 - 1

    def write():
        while channel.number <= last:
            if numbers.random() < 0.1:
                if numbers.random() < 0.5:
                    channel.reseal()
                channel.begin(wider=numbers.random() < 0.3)
            channel.add(*(numbers.randrange(1000) for _ in range(min(20, last + 1 - channel.number))))
            done.wait(0.02)

    def disturb(stack):
        for turn in range(8):
            done.wait(numbers.random() * 0.3)
            proxy.cut()
            if turn in (2, 5):
                stack.close()
                proxy.aim(stack.enter_context(history.running(tmp_path)))

    async def run():
        with contextlib.ExitStack() as stack:
            proxy.aim(stack.enter_context(history.running(tmp_path)))
            writer, disturber = (
                threading.Thread(target=write),
                threading.Thread(target=disturb, args=(stack,)),
            )
            writer.start()
            disturber.start()
            try:
                return await asyncio.wait_for(
                    collect(last + 1, proxy.address, ["engine"], start="2023-11-14"), LIMIT_S
                )
            finally:
                done.set()
                await asyncio.to_thread(writer.join)
                await asyncio.to_thread(disturber.join)

    batches = asyncio.run(run())
    found = counters([batch.data for batch in batches if batch.data is not None])
    assert sorted(found) == list(range(last + 1))
    told = [batch.data for batch in batches if not batch.live and batch.data is not None]
    times = [int(stamp) for data in told for stamp in data.time_ns]
    assert times == sorted(times)
    live = counters([batch.data for batch in batches if batch.live and batch.data is not None])
    assert live == sorted(live)


def test_another_process_goes_on_by_the_token(tmp_path):
    channel = GrowingChannel(tmp_path)
    channel.add(0)
    with history.running(tmp_path) as service:
        first = asyncio.run(
            asyncio.wait_for(collect(1, service.address, ["engine"], start="2023-11-14"), LIMIT_S)
        )
        channel.add(1, 2)
        again = asyncio.run(asyncio.wait_for(collect(2, service.address, resume=first[-1].resume), LIMIT_S))
    assert counters([batch.data for batch in again]) == [1, 2]


def test_what_the_service_refuses_is_raised_in_its_words(tmp_path):
    GrowingChannel(tmp_path).add(0)

    async def first(address, **options):
        return await anext(follow(address, ["nosuch"], **options))

    with history.running(tmp_path) as service:
        with pytest.raises(RemoteError, match="404 Channel not found .*nosuch") as caught:
            asyncio.run(first(service.address))
        assert caught.value.status == 404
        assert caught.value.details["name"] == "nosuch"
    with pytest.raises(ConnectionRefusedError):
        asyncio.run(first("http://127.0.0.1:9"))
    with pytest.raises(ValueError, match="wanted an address"):
        asyncio.run(first("nowhere"))


def test_heartbeats_and_leaving_while_it_waits(tmp_path):
    GrowingChannel(tmp_path).add(0)

    async def run(address):
        batches = follow(address, ["engine"], heartbeat_s=0.1, heartbeats=True)
        beats = [await anext(batches) for _ in range(2)]
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(follow(address, ["engine"])), 0.3)
        await batches.aclose()
        return beats

    with history.running(tmp_path) as service:
        beats = asyncio.run(asyncio.wait_for(run(service.address), LIMIT_S))
    assert all(beat.live and beat.data is None and len(beat) == 0 and beat.channel == "" for beat in beats)
