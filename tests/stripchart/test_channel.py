import itertools
import math
import random
from typing import Any

import numpy as np
import pytest
from live import EXAMPLE, Encoder

from speeddata.schema import Schema
from speeddata.stripchart import frames
from speeddata.stripchart.catalogue import ChannelInfo
from speeddata.stripchart.channel import LiveChannel

MS = 1_000_000
NOW = 1_795_312_800_000 * MS
ENCODE = Encoder(EXAMPLE)


def make(schema: dict[str, Any] = EXAMPLE, **more: Any) -> LiveChannel:
    told = {"source": None, "revision": "1", "time_unit": None, **more}
    info = ChannelInfo(name="c", group=("239.255.43.1", 1), schema=Schema.parse(schema), **told)
    return LiveChannel(info, itertools.count(1))


def record(time_ms: float, **more: Any) -> bytes:
    values = {"message": "m", "counter": 0, "sine_wave": 0.0, "ramp": 0.0, "square_wave": 0.0, "is_on": False}
    return ENCODE(time=int(NOW + time_ms * MS), **values | more)


def samples(channel: LiveChannel, path: str) -> list[float | None]:
    row = channel.by_path[path].row
    assert row is not None
    return [None if math.isnan(value) else value for value in channel.ring.values(row, channel.ring.first)]


def test_packets_become_samples_and_texts() -> None:
    channel = make()
    channel.ingest([record(n, sine_wave=n / 2, message=f"m{n}", is_on=n == 2) for n in range(3)], NOW)
    assert samples(channel, "sine_wave") == [0, 0.5, 1]
    assert samples(channel, "is_on") == [0, 0, 1]
    assert channel.ring.times(0).tolist() == [NOW, NOW + MS, NOW + 2 * MS]
    assert channel.texts == {"message": "m2", "time": "2026-11-22T02:00:00.002Z"}
    assert (channel.packets, channel.records, channel.bad) == (3, 3, 0)


def test_a_bad_packet_is_counted_and_the_rest_taken() -> None:
    channel = make()
    channel.ingest([record(0, ramp=1.0), record(1)[:-1], b"", b"rubbish" * 9, record(2, ramp=2.0)], NOW)
    assert samples(channel, "ramp") == [1, 2]
    assert (channel.packets, channel.bad) == (2, 3)
    channel.ingest([b"\xff"], NOW)
    assert (channel.packets, channel.bad) == (2, 4)


def test_a_gap_breaks_the_trace() -> None:
    channel = make()
    channel.ingest([record(20 * n, ramp=n) for n in range(6)], NOW)
    channel.ingest([record(2000, ramp=6.0)], NOW + 2000 * MS)
    assert samples(channel, "ramp")[-3:] == [5, None, 6]


@pytest.mark.parametrize("late_ms", [40, 400, 3000, 6000])
def test_late_arrival_breaks_nothing(late_ms: int) -> None:
    """Times 20 ms apart that arrive in clumps, up to `late_ms` and more late; every tenth is overtaken by the next fifteen."""
    rng, channel, arrived = random.Random(late_ms), make(), NOW
    waiting = sorted(range(600), key=lambda n: n + 15.5 * (n % 10 == 5))
    while waiting:
        arrived += rng.randint(1, late_ms) * MS
        ready = sum(NOW + 20 * n * MS <= arrived for n in waiting)
        count = rng.randint(0, ready)
        channel.ingest([record(20 * n, ramp=n) for n in waiting[:count]], arrived)
        del waiting[:count]
    assert sorted(channel.ring.times(0).tolist()) == [NOW + 20 * n * MS for n in range(600)]
    assert None not in samples(channel, "ramp")
    assert channel.status()["skew"] == 0


def test_a_known_loss_breaks_the_trace() -> None:
    channel = make()
    channel.ingest([record(0, ramp=1.0)], NOW)
    channel.has_lost = True
    channel.ingest([record(20, ramp=2.0)], NOW)
    channel.ingest([record(40, ramp=3.0)], NOW)
    assert samples(channel, "ramp") == [1, None, 2, 3]


def test_samples_of_a_batch_are_put_in_order() -> None:
    channel = make()
    channel.ingest([record(5, ramp=5.0), record(3, ramp=3.0), record(4, ramp=4.0)], NOW)
    assert samples(channel, "ramp") == [3, 4, 5]


def test_short_arrays_unfold() -> None:
    items = {"type": "array", "items": "double"}
    fields = [
        {"name": "time", "type": "long"},
        {"name": "core", "type": items},
        {"name": "wave", "type": items},
    ]
    schema = {"type": "record", "name": "r", "fields": fields}
    channel, encode = make(schema), Encoder(schema)
    assert not channel.has_grown
    channel.ingest([encode(time=NOW // MS, core=[1.0, 2.0], wave=[0.0] * 100)], NOW)
    assert channel.has_grown
    assert [signal.path for signal in channel.signals] == ["time", "core", "wave", "core[0]", "core[1]"]
    channel.ingest([encode(time=NOW // MS + 1, core=[3.0], wave=[])], NOW)
    channel.ingest([encode(time=NOW // MS + 2, core=[4.0, 5.0, 6.0], wave=[])], NOW)
    assert samples(channel, "core[0]") == [1, 3, 4]
    assert samples(channel, "core[1]") == [2, None, 5]
    assert samples(channel, "core[2]") == [None, None, 6]
    assert channel.texts["core"] == "[4.0, 5.0, 6.0]"


def test_blocks_hold_all_samples_or_their_extremes() -> None:
    channel = make()
    values = np.random.default_rng(1).normal(size=1000)
    channel.ingest([record(20 * n, sine_wave=value) for n, value in enumerate(values)], NOW + 20_000 * MS)
    signal = channel.by_path["sine_wave"]
    times, whole = frames.parse(frames.frame(1, 0, channel.blocks(0, [signal], 1000))).blocks
    assert whole.data.tolist() == values.tolist()
    assert times.data.tolist() == [NOW / 1e6 + 20 * n for n in range(1000)]
    times, reduced = frames.parse(frames.frame(1, 0, channel.blocks(0, [signal], 128))).blocks
    assert len(reduced.data) == len(times.data) <= 128
    assert (reduced.count, reduced.flags) == (1000, frames.FLAG_REDUCED)
    assert (reduced.data.min(), reduced.data.max()) == (values.min(), values.max())


def test_samples_of_a_time_are_shared_by_signals() -> None:
    channel = make()
    channel.ingest([record(n, ramp=n) for n in range(5)], NOW)
    signals = [channel.by_path[path] for path in ("counter", "ramp", "square_wave")]
    blocks = frames.parse(frames.frame(1, 0, channel.blocks(2, signals, 128))).blocks
    kinds = [frames.KIND_TIMES, frames.KIND_FLOAT64, frames.KIND_FLOAT64, frames.KIND_FLOAT32]
    assert [block.kind for block in blocks] == kinds
    assert blocks[2].data.tolist() == [2, 3, 4]


def test_what_the_ring_no_longer_has_is_a_gap() -> None:
    channel = make()
    channel.ring.limit = 10
    channel.ingest([record(n) for n in range(50)], NOW)
    (times,) = frames.parse(frames.frame(1, 0, channel.blocks(5, [], 128))).blocks
    assert times.flags == frames.FLAG_GAP
    assert len(times.data) == 10


@pytest.mark.parametrize(("window_s", "start"), [(600, 0), (1.0, 50), (0.001, 99)])
def test_a_window_ends_now_and_has_a_sample(window_s: float, start: int) -> None:
    channel = make()
    assert channel.window_start(10, NOW) == 0
    channel.ingest([record(20 * n) for n in range(100)], NOW + 2000 * MS)
    assert channel.window_start(window_s, NOW + 2000 * MS) == start


def test_another_schema_is_not_adopted() -> None:
    channel = make()
    assert channel.adopt(make(revision="2", time_unit="ns").info)
    assert channel.info.revision == "2"
    assert not channel.adopt(make({**EXAMPLE, "doc": "other"}).info)


def test_status_tells_when_and_how_much() -> None:
    channel = make()
    assert channel.status()["last"] is None
    for n in range(5):
        channel.ingest([record(5000 * n)], NOW + 5000 * n * MS)
    status = channel.status()
    assert (status["last"], status["limit"], status["records"]) == (NOW // MS + 20_000, 15_000, 5)


def test_a_wrong_clock_is_told() -> None:
    channel = make()
    channel.ingest([record(-3_600_000)], NOW)
    assert channel.status()["skew"] == -3_600_000
    assert channel.ring.times(0)[-1] == NOW
    assert channel.texts["time"] == "2026-11-22T01:00:00.000Z"
