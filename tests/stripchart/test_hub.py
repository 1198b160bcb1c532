"""The hub with real groups and real WebSocket connections, ticked by hand."""

import asyncio
import json
import time

import numpy as np
import pytest
from hub_bench import Bench, Browser, bench, browser, scenario, settle
from live import DEADLINE_S, Sender

from speeddata.stripchart import frames
from speeddata.stripchart.catalogue import Address
from speeddata.stripchart.hub import Hub
from speeddata.stripchart.pace import BUFFER_HIGH
from speeddata.stripchart.receiver import Receiver
from speeddata.stripchart.serving import MERGED_COLUMNS, MERGED_SAMPLES

TICKS_PER_S = 20


@scenario
async def test_a_client_is_welcomed(made: Bench, one: Browser) -> None:
    assert [told["type"] for told in one.told] == ["hello", "channels", "status"]
    assert len(made.hub.clients) == 1
    assert one.told[0] == {"type": "hello", "version": 2, "tick_ms": 50}


@scenario
async def test_window_then_live_without_hole_or_double(made: Bench, one: Browser) -> None:
    made.hub.apply([made.info()])
    made.send(1, 2, 3)
    made.tick()
    await one.ask("subscribe", "c.ramp")
    made.send(4)
    made.tick()
    made.send(5, 6)
    made.tick()
    await one.ask("subscribe", "c.counter")
    made.send(7)
    made.tick()
    made.send(8)
    made.tick()
    await one.read(lambda: len(one.values("c.counter")) >= 8)
    assert one.values("c.ramp") == [1, 2, 3, 4, 5, 6, 7, 8]
    assert one.values("c.counter") == [0, 1, 2, 3, 4, 5, 6, 7]


@scenario
async def test_a_window_asked_for_again_is_sent_whole(made: Bench, one: Browser) -> None:
    made.hub.apply([made.info()])
    made.send(*range(100))
    made.tick()
    await one.ask("subscribe", "c.ramp", window=0.1)
    made.tick()
    await one.read(lambda: len(one.values("c.ramp")))
    assert len(one.values("c.ramp")) <= 11
    await one.ask("subscribe", "c.ramp", window=60)
    made.tick()
    await one.read(lambda: len(one.values("c.ramp")) == 100)


@scenario
async def test_channels_come_change_and_go(made: Bench, one: Browser) -> None:
    await one.ask("subscribe", "c.ramp")
    assert one.last("subscribed") == {
        "type": "subscribed",
        "signals": [{"feed": 0, "name": "c.ramp", "error": "no such signal: c.ramp"}],
    }
    made.hub.apply([made.info()])
    first = await one.read(lambda: one.ids.get("c.ramp"))
    made.send(1)
    made.tick()
    await one.read(lambda: one.values("c.ramp") == [1])
    made.hub.apply([made.info(revision="2", doc="another")])
    second = await one.read(lambda: one.ids["c.ramp"] != first and one.ids["c.ramp"])
    assert second
    made.send(2)
    made.tick()
    await one.read(lambda: one.values("c.ramp") == [2])
    made.hub.apply([])
    await one.read(lambda: one.ids["c.ramp"] is None)
    channels = one.last("channels")
    assert channels
    assert channels["channels"] == []


@scenario
async def test_texts_and_status(made: Bench, one: Browser) -> None:
    made.hub.apply([made.info()])
    await one.ask("subscribe", "c.message", "c.time")
    made.send(1, message="<b>word</b>")
    made.sender.send(b"rubbish")
    made.tick(TICKS_PER_S)
    await one.read(lambda: one.last("latest") and (one.last("status") or {}).get("channels"))
    latest, status = one.last("latest"), one.last("status")
    assert latest
    assert latest["values"]["c.message"] == "<b>word</b>"
    assert status
    assert {key: status["channels"]["c"][key] for key in ("packets", "records", "bad", "drops", "skew")} == {
        "packets": 1,
        "records": 1,
        "bad": 1,
        "drops": 0,
        "skew": 0,
    }


@scenario
async def test_channels_of_one_group_are_told_apart_by_their_sender(made: Bench, one: Browser) -> None:
    other, stranger = Sender(made.group), Sender(made.group)
    made.hub.apply([made.info("a", made.sender.source), made.info("b", other.source)])
    made.send(1, 2)
    made.send(10, sender=other)
    made.send(99, sender=stranger)
    made.tick()
    assert [made.channel(name).records for name in "ab"] == [2, 1]
    assert made.hub.streams.strays == 1
    await one.read(lambda: (one.last("channels") or {}).get("channels"))
    for sender in (other, stranger):
        sender.close()


@scenario
async def test_what_is_no_request_is_answered_and_harmless(made: Bench, one: Browser) -> None:
    for message in ("{", "[]", b"\x00\x01", '{"type": "subscribe", "signals": 1}'):
        await one.connection.send(message)
    await one.read(lambda: len([told for told in one.told if told["type"] == "error"]) == 4)
    assert len(made.hub.clients) == 1


@scenario
async def test_silence_is_told_once_a_second(made: Bench, one: Browser) -> None:
    made.tick(3 * TICKS_PER_S)
    await one.read(lambda: len(one.frames) == 3)
    assert all(not frame.blocks for frame in one.frames)


@scenario
async def test_unsubscribing_ends_it(made: Bench, one: Browser) -> None:
    made.hub.apply([made.info()])
    await one.ask("subscribe", "c.ramp", "c.counter")
    made.send(1)
    made.tick()
    await one.read(lambda: one.values("c.counter") == [0])
    await one.ask("unsubscribe", "c.ramp")
    await one.ask("subscribe", "c.nothing")  # answered after the former
    made.send(2)
    made.tick()
    await one.read(lambda: one.values("c.counter") == [0, 1])
    assert one.values("c.ramp") == [1]


async def stall(made: Bench, fast: Browser, slow: Browser, frame: int) -> tuple[int, float]:
    """Read nothing of the slow client while data goes on; give the ticks held back, and the highest value sent meanwhile.

    At most one `frame` of so many bytes is to be unsent besides what is allowed.
    """
    stalled = next(client for client in made.hub.clients if client.watched and len(client.wants) > 1)
    rng = np.random.default_rng(7)
    highest, peak = 0, -np.inf
    async with asyncio.timeout(DEADLINE_S):
        while stalled.pace.merged < 50:
            values = rng.normal(size=10)
            made.send(*values)
            made.tick()
            peak = max(peak, values.max()) if stalled.pace.merged else -np.inf
            highest = max(highest, stalled.buffered())
            await fast.read(lambda: len(fast.values("c.ramp")) >= made.sent)
    assert highest < BUFFER_HIGH + frame
    merged = stalled.pace.merged
    await slow.read(lambda: stalled.buffered() < BUFFER_HIGH // 2)
    made.tick()
    await slow.read(lambda: any(frame.merged >= merged for frame in slow.frames))
    return merged, float(peak)


MANY = ["c.ramp", "c.counter", "c.sine_wave", "c.square_wave"]


@pytest.mark.parametrize("columns", [None, 50])
def test_fault_72_a_slow_client_loses_resolution_but_no_peak_and_holds_up_nobody(
    columns: float | None,
) -> None:
    async def run() -> None:
        async with bench() as made, browser(made) as fast, browser(made, max_queue=1) as slow:
            made.hub.apply([made.info()])
            await fast.ask("subscribe", "c.ramp")
            for feed in range(1 if columns is None else 8):
                await slow.ask("subscribe", *MANY, columns=columns and columns * 2**feed, feed=feed)
            made.tick()
            frame = 64 * MERGED_SAMPLES if columns is None else 8 * 4 * 40 * MERGED_COLUMNS
            merged, peak = await stall(made, fast, slow, frame)
            first = next(frame for frame in slow.frames if frame.merged >= merged)
            blocks = [block for block in first.blocks if block.id == slow.ids["c.ramp"]]
            assert all(block.data.max() == peak for block in blocks)
            assert len(blocks) == (1 if columns is None else 8)
            if columns is None:
                assert blocks[0].flags & frames.FLAG_REDUCED
                assert len(blocks[0].data) <= MERGED_SAMPLES < blocks[0].count

    asyncio.run(run())


@scenario
async def test_fault_74_nobody_is_answered_faster_than_they_read(made: Bench, one: Browser) -> None:
    message = json.dumps({"type": "subscribe", "signals": [f"{'x' * 50}{n}" for n in range(1000)]})
    (client,) = made.hub.clients
    client.allowance.take = lambda *_: True  # type: ignore[method-assign]
    seen: list[int] = []

    async def flood() -> None:
        for _ in range(300):  # 300 answers of 130 kB
            await one.connection.send(message)

    async def look() -> None:
        while len(seen) < 300 and not flooding.done():
            seen.append(client.buffered())
            await asyncio.sleep(0.002)

    flooding = asyncio.create_task(flood())
    await asyncio.wait_for(look(), DEADLINE_S)
    flooding.cancel()
    assert 0 < max(seen) < 1 << 20


def test_a_group_that_cannot_be_joined_is_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    tried: list[Address] = []

    def join(group: Address) -> Receiver:
        tried.append(group)
        if len(tried) < 3:
            raise OSError(f"cannot join {group[0]}")
        return Receiver(group, "127.0.0.1")

    hub, bench_group = Hub(join), Bench()
    hub.apply([bench_group.info()])
    for tick in range(5 * TICKS_PER_S):
        hub.tick(time.time_ns(), tick / TICKS_PER_S)
    assert len(tried) == 3
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == [
        "cannot join 239.255.46.1"
    ]
    hub.close()
    bench_group.sender.close()


def test_clients_that_watch_the_same_get_the_same_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        async with bench() as made, browser(made) as one, browser(made) as two:
            made.hub.apply([made.info()])
            for it in (one, two):
                await it.ask("subscribe", "c.ramp", "c.counter")
            made.tick()
            await settle(lambda: all(client.watched for client in made.hub.clients))
            made_frames = []
            real = frames.frame
            monkeypatch.setattr(frames, "frame", lambda *args: made_frames.append(1) or real(*args))
            made.send(1, 2)
            made.tick()
            for it in (one, two):
                await it.read(lambda it=it: it.values("c.ramp") == [1, 2])
            assert len(made_frames) == 1

    asyncio.run(run())


def test_a_channel_that_fails_does_not_take_the_others_with_it(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise OverflowError

    async def run() -> None:
        async with bench() as made:
            made.hub.apply([made.info()])
            channel = made.channel()
            monkeypatch.setattr(channel, "ingest", fail)
            for value in (1, 2):
                made.send(value)
                made.tick()
            assert (channel.bad, channel.has_lost) == (2, True)

    asyncio.run(run())
    assert len([record for record in caplog.records if "cannot be shown" in record.message]) == 1
