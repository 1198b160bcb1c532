"""What clients hold in the end, of a hub with real groups and connections, ticked by hand."""

import asyncio
import contextlib
import json
import random
import socket
from types import SimpleNamespace
from typing import Any

import pytest
from hub_bench import Bench, Browser, bench, browser, scenario
from live import DEADLINE_S, Sender, free_port
from websockets.exceptions import ConnectionClosed

from speeddata.stripchart import frames
from speeddata.stripchart.client import Client
from speeddata.stripchart.pace import FAR_BEHIND_S, GIVEN_UP_S
from speeddata.stripchart.relay_counts import Missing

MS = 1_000_000


def expected(made: Bench, values: list[float], width_ms: int) -> dict[float, tuple[float, ...]]:
    """The columns of values that the bench sent 10 ms apart."""
    found: dict[float, list[float]] = {}
    for number, value in enumerate(values):
        column = (made.start + number * 10 * MS) // (width_ms * MS)
        found.setdefault(float(column * width_ms), []).append(value)
    return {start: (own[0], min(own), max(own), own[-1], len(own)) for start, own in found.items()}


@scenario
async def test_window_then_live_without_hole_or_double_in_columns(made: Bench, one: Browser) -> None:
    made.hub.apply([made.info()])
    rng, sent = random.Random(1), list[float]()
    for step in range(12):
        if step == 4:
            await one.ask("subscribe", "c.ramp", "c.counter", columns=20)
        values = [rng.random() for _ in range(rng.randint(1, 30))]
        sent += values
        made.send(*values)
        made.tick()
    await one.read(lambda: one.columns("c.ramp", 80) == expected(made, sent, 80))
    assert one.columns("c.counter", 80) == expected(made, list(map(float, range(len(sent)))), 80)
    subscribed = one.last("subscribed")
    assert subscribed
    assert [(one["width"], one["raw"]) for one in subscribed["signals"]] == [(80, False)] * 2


@scenario
async def test_a_late_sample_has_its_column_sent_again(made: Bench, one: Browser) -> None:
    made.hub.apply([made.info()])
    made.send(*range(50))
    await one.ask("subscribe", "c.ramp", columns=20)
    made.tick()
    await one.read(lambda: one.columns("c.ramp", 80) == expected(made, list(range(50)), 80))
    start = (made.start + 100 * MS) // (80 * MS) * 80.0
    before = one.columns("c.ramp", 80)[start]
    made.sent = 10
    made.send(1000)
    made.sent = 50
    made.tick()
    await one.read(lambda: one.columns("c.ramp", 80)[start] != before)
    _, low, high, _, count = one.columns("c.ramp", 80)[start]
    assert (low, high, count) == (before[1], 1000, before[4] + 1)
    assert len(one.frames[-1].blocks[0].data) == 1


@scenario
async def test_feeds_have_widths_of_their_own(made: Bench, one: Browser) -> None:
    made.hub.apply([made.info()])
    await one.ask("subscribe", "c.ramp", columns=100, feed=1)
    await one.ask("subscribe", "c.ramp", columns=10, feed=2)
    made.tick()
    values = [float(n * 7 % 30) for n in range(60)]
    for start in range(0, 60, 20):
        made.send(*values[start : start + 20])
        made.tick()
    await one.read(lambda: one.columns("c.ramp", 160) == expected(made, values, 160))
    assert one.columns("c.ramp", 10) == expected(made, values, 10)
    await one.ask("unsubscribe", "c.ramp", feed=1)
    await one.ask("subscribe", "c.nothing")
    narrow = one.columns("c.ramp", 10)
    made.send(99)
    made.tick()
    await one.read(lambda: one.columns("c.ramp", 160) == expected(made, [*values, 99], 160))
    assert one.columns("c.ramp", 10) == narrow


@scenario
async def test_losses_are_told_once(made: Bench, one: Browser) -> None:
    schema = made.info().schema.json
    fields = [field | {"speeddata": {"role": "sequence"}} if field["name"] == "counter" else field
              for field in schema["fields"]]  # fmt: skip
    made.hub.apply([made.info(fields=fields)])
    await one.ask("subscribe", "c.ramp", columns=20)
    made.send(*range(30))
    made.tick()
    made.sent += 5
    made.send(1)
    made.tick(3)
    await one.read(lambda: one.last("losses"))
    at = [(made.start + number * 10 * MS) / 1e6 for number in (29, 35)]
    assert one.last("losses") == {"type": "losses", "channel": "c", "spans": [[*at, 5]]}
    made.channel().has_lost = True
    made.send(1)
    made.tick(3)
    await one.read(lambda: one.count("losses") == 2)
    losses = one.last("losses")
    assert losses
    assert losses["spans"][0][2] is None


@scenario
async def test_what_the_relay_lost_is_told(made: Bench, one: Browser) -> None:
    made.hub.apply([made.info()])
    await one.ask("subscribe", "c.ramp", columns=20)
    made.hub.lose({"c": Missing(0, True, MS), "gone": Missing(1, True, MS)})
    made.send(*range(30))
    made.tick()
    made.hub.lose({"c": Missing(0, True, 500 * MS)})
    made.tick(3)
    losses = await one.read(lambda: one.last("losses"))
    end = (made.start + 29 * 10 * MS) / 1e6
    assert losses["spans"] == [[end - 600, end + 100, None]]


@scenario
async def test_full_rate_is_received_while_somebody_watches_it(made: Bench, one: Browser) -> None:
    full = ("239.255.46.2", free_port(socket.SOCK_DGRAM))
    sender = Sender(full)
    made.hub.apply([made.info(full=full)])
    assert made.hub.streams.full == {}
    await one.ask("subscribe", "c.ramp", stream="full", columns=1000)
    assert list(made.hub.streams.full) == ["c"]
    made.tick()
    made.send(*range(20), sender=sender)
    made.send(5)
    made.tick()
    await one.read(lambda: one.columns("c.ramp", 1.25))
    assert len(one.columns("c.ramp", 1.25)) == 20
    last = made.hub.streams.full["c"].arrived_ns
    assert last is not None
    told = made.hub.metrics(0)["channels"]["c"]["full"]
    assert (told["id"], told["last"]) == (made.hub.streams.full["c"].id, last // MS)
    await one.ask("subscribe", "c.counter")
    await one.ask("subscribe", "c.ramp")
    made.hub.tick(made.start + 59 * 10**9, 10)
    assert list(made.hub.streams.full) == ["c"], "who comes back soon finds what was before"
    made.hub.tick(made.start + 62 * 10**9, 20)
    assert made.hub.streams.full == {}, "the name was asked for in another way"
    await one.ask("subscribe", "c.ramp", stream="full", feed=1)
    assert list(made.hub.streams.full) == ["c"]
    await one.connection.close()
    while made.hub.clients:
        await asyncio.sleep(0.001)
    made.hub.tick(made.start + 130 * 10**9, 30)
    assert made.hub.streams.full == {}
    sender.close()


@scenario
async def test_full_rate_of_a_channel_that_comes_later_is_received_then(made: Bench, one: Browser) -> None:
    full = ("239.255.46.2", free_port(socket.SOCK_DGRAM))
    made.hub.apply([])
    await one.ask("subscribe", "c.ramp", stream="full")
    assert one.ids == {"c.ramp": None}
    with contextlib.closing(Sender(full)) as sender:
        for count in (1, 2):
            made.hub.apply([made.info(full=full)])
            await one.read(lambda: one.ids["c.ramp"])
            made.tick()
            made.send(float(count), sender=sender)
            made.tick()
            assert made.hub.streams.full["c"].records == 1
            made.hub.apply([])
            assert made.hub.streams.full == {}
            await one.read(lambda: one.ids["c.ramp"] is None)


async def report(one: Browser, **told: object) -> None:
    """Report, and have that followed."""
    await one.connection.send(json.dumps({"type": "report", **told}))
    await one.ask("subscribe", "c.nothing")


async def watching(made: Bench, one: Browser) -> Client:
    """Have a page watch a signal and report."""
    made.hub.apply([made.info()])
    await one.ask("subscribe", "c.ramp", columns=20)
    await report(one, tick=0)
    (client,) = made.hub.clients
    return client


@scenario
async def test_a_page_that_nobody_looks_at_gets_a_frame_a_second(made: Bench, one: Browser) -> None:
    made.hub.apply([made.info()])
    await one.ask("subscribe", "c.ramp", columns=20)
    await report(one, tick=0, hidden=True)
    one.frames.clear()
    for n in range(60):
        made.send(n)
        made.tick()
    await report(one, tick=made.hub.ticks, hidden=False)
    made.send(60)
    made.tick()
    await one.read(lambda: one.columns("c.ramp", 80) == expected(made, list(range(61)), 80))
    assert len(one.frames) <= 6
    assert max(frame.merged for frame in one.frames) == 19


@scenario
async def test_a_page_that_hangs_gets_no_frames_and_is_closed_in_the_end(made: Bench, one: Browser) -> None:
    client = await watching(made, one)
    while made.now_s < FAR_BEHIND_S + 2:
        made.send(1)
        made.tick()
    before = client.frames
    while made.now_s < FAR_BEHIND_S + GIVEN_UP_S:
        made.tick()
    assert client.frames == before
    assert made.hub.given_up == []
    assert client.to_json(made.now_s)["lagging"]
    made.tick(60)
    assert made.hub.given_up == [client]
    assert made.hub.clients == set()


@scenario
async def test_a_page_that_reports_late_is_told_and_gets_fewer_frames(made: Bench, one: Browser) -> None:
    client = await watching(made, one)
    for _ in range(8):
        for _ in range(20):
            made.send(1)
            made.tick()
        await report(one, tick=max(0, made.hub.ticks - 60))
    told = await one.read(lambda: one.last("slow"))
    assert told["late_ms"] > 2000
    assert client.frames < made.hub.ticks / 2 + 20


@scenario
async def test_the_rhythm_is_told_when_it_changes(made: Bench, one: Browser) -> None:
    for _ in range(20):
        made.hub.adapt(0.06)
    await one.read(lambda: one.last("tick"))
    assert one.last("tick") == {"type": "tick", "tick_ms": 100}
    assert made.hub.metrics(0.0)["rhythm"]["tick_ms"] == 100


@scenario
async def test_arrays_are_sent_row_by_row(made: Bench, one: Browser) -> None:
    wave = {"name": "wave", "type": {"type": "array", "items": "float"}}
    time = {"name": "time", "type": "long", "logicalType": "timestamp-nanos"}
    encode = made.use([time, wave])
    await one.ask("subscribe", "c.wave", arrays=True)
    for n in range(3):
        made.sender.send(encode(time=made.start + n * MS, wave=[n, n + 0.5]))
        made.tick()
    await one.read(lambda: sum(len(block.data) for frame in one.frames for block in frame.blocks[1::2]) == 3)
    rows = [
        block.data.tolist()
        for frame in one.frames
        for block in frame.blocks
        if block.kind == frames.KIND_ARRAYS
    ]
    assert [row for some in rows for row in some] == [[0, 0.5], [1, 1.5], [2, 2.5]]


@pytest.mark.parametrize("size", [80, 60 << 10])
def test_fault_74_who_says_too_much_is_closed(size: int) -> None:
    async def run() -> None:
        async with bench() as made, browser(made) as one, browser(made) as other:
            message = json.dumps({"type": "report", "tick": 0, "fps": 60, "more": "x" * (size - 60)})
            with contextlib.suppress(ConnectionClosed):
                for _ in range(1000):
                    await one.connection.send(message)
            async with asyncio.timeout(DEADLINE_S):
                await one.connection.wait_closed()
            assert (one.connection.close_code, one.connection.close_reason) == (1008, "too many messages")
            await other.ask("subscribe", "c.ramp")
            assert len(made.hub.clients) == 1

    asyncio.run(run())


@scenario
async def test_the_past_is_asked_for_once_the_time_is_known(made: Bench, one: Browser) -> None:
    asked: list[tuple[object, ...]] = []
    past: Any = SimpleNamespace(
        want=lambda *told: asked.append(told), tick=lambda _: (), keep=lambda _: None, close=lambda: None
    )
    made.hub._past = past
    made.hub.apply([made.info()])
    await one.ask("subscribe", "c.ramp", "c.message", window=20)
    assert asked == []
    made.tick()
    assert asked == [(made.channel(), made.start - 20_000 * MS, 20 * MS, made.start)]
    await one.ask("subscribe", "c.counter", window=30)
    assert [told[1] for told in asked[1:]] == [made.start - 30_000 * MS]
