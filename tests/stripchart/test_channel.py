import itertools
import math
import random
from typing import Any

import pytest
from live import EXAMPLE, Encoder, Framed

from speeddata.schema import Schema
from speeddata.stripchart.catalogue import ChannelInfo, Making
from speeddata.stripchart.channel import LiveChannel
from speeddata.stripchart.losses import Loss

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


def test_arrays_are_kept_row_by_row() -> None:
    items = {"type": "array", "items": "float"}
    fields = [{"name": "time", "type": "long"}, {"name": "wave", "type": items}]
    schema = {"type": "record", "name": "r", "fields": fields}
    channel, encode = make(schema), Encoder(schema)
    pairs = make(schema, making=Making(20 * MS, has_pairs=True))
    packets = [encode(time=NOW // MS + n // 2, wave=[float(n)] * 2048) for n in range(4)]
    for one in (channel, pairs):
        one.ingest(packets, NOW)
    times, rows = channel.rows["wave"].read(0)
    assert (times - NOW).tolist() == [0, 0, MS, MS]
    assert (rows.shape, rows[:, 0].tolist()) == ((4, 512), [0, 1, 2, 3])
    assert pairs.rows["wave"].read(0)[1][:, 0].tolist() == [1, 3]


def test_of_versions_that_differ_arrays_stay_with_their_times() -> None:
    items = {"type": "array", "items": "float"}
    time, wave = {"name": "time", "type": "long"}, {"name": "wave", "type": items}
    old, new = (
        {"type": "record", "name": "r", "fields": fields}
        for fields in ([time, wave], [time, wave, {"name": "x", "type": "int"}])
    )
    channel = make(new, versions=(Schema.parse(old), Schema.parse(new)))
    packets = [Framed(old)(time=NOW // MS, wave=[1.0]), Framed(new)(time=NOW // MS + 1, wave=[2.0], x=1)]
    channel.ingest([packets[1], packets[0], packets[1]], NOW)
    assert channel.rows["wave"].read(0)[1].tolist() == [[1], [2], [2]]


def test_pairs_are_put_in_the_order_of_the_trace() -> None:
    for making, expected in ((Making(20 * MS, has_pairs=True), [5, 6, 4, 2]), (Making(), [5, 6, 2, 4])):
        channel = make(making=making)
        channel.ingest([record(20 * (n // 2), ramp=value) for n, value in enumerate((5, 6, 2, 4))], NOW)
        assert samples(channel, "ramp") == expected


def test_a_jump_of_the_sequence_is_a_loss() -> None:
    fields = [*EXAMPLE["fields"][:2], {"name": "n", "type": "long", "speeddata": {"role": "sequence"}}]
    schema = {**EXAMPLE, "fields": fields}
    channel, encode = make(schema), Encoder(schema)
    numbers = [*range(30), 33, 34]
    channel.ingest([encode(time=NOW + n * MS, message="", n=n) for n in numbers], NOW)
    assert samples(channel, "n") == [*range(30), None, 33, 34]
    assert channel.losses.since(0) == [Loss(NOW + 29 * MS, NOW + 33 * MS, 3)]


def test_another_schema_is_not_adopted() -> None:
    channel = make()
    assert channel.adopt(make(revision="2", time_unit="ns").info)
    assert not channel.adopt(make(making=Making(20 * MS)).info)
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


def test_a_clock_that_is_put_right_breaks_the_trace_and_is_no_loss() -> None:
    channel = make()
    for n in range(200):
        late_ms = 3_600_000 if n < 100 else 0
        channel.ingest([record(50 * n - late_ms, ramp=float(n))], NOW + 50 * n * MS)
    assert channel.status()["skew"] == 0
    assert samples(channel, "ramp") == [*map(float, range(100)), None, *map(float, range(100, 200))]
    assert channel.losses.since(0) == []
