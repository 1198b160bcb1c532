"""Records of several versions of a schema, shown under the signals of the newest."""

import itertools
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from live import EXAMPLE, Framed

from speeddata.schema import Schema
from speeddata.stripchart.catalogue import ChannelInfo
from speeddata.stripchart.channel import LiveChannel
from speeddata.stripchart.versions import MARK, versions

MS = 1_000_000
NOW = 1_795_312_800_000 * MS
TIME = {"name": "time", "type": {"type": "long", "logicalType": "timestamp-nanos"}}


def schema(*fields: dict[str, Any], time: dict[str, Any] = TIME) -> dict[str, Any]:
    return {"type": "record", "name": "r", "fields": [time, *fields]}


def field(name: str, kind: Any, unit: str | None = None) -> dict[str, Any]:
    return {"name": name, "type": kind} | ({"speeddata": {"unit": unit}} if unit else {})


GPS = {"type": "record", "name": "gps", "fields": [field("lat", "double"), field("fix", "int")]}
OLDEST = schema(
    field("kept", "double"), field("volts", "double", "mV"), field("count", "int"), field("word", "string")
)
OLDER = schema(
    field("gone", "double"), field("word", "string"), field("kept", "double"), field("gps", GPS),
    time={"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}, "speeddata": {"role": "time"}},
)  # fmt: skip
NEWEST = schema(
    field("kept", ["null", "double"]), field("volts", "double", "V"), field("count", "long"), field("word", "string"),
    field("gps", {**GPS, "fields": [*GPS["fields"], field("height", "float")]}), field("at", "long"),
)  # fmt: skip


def make(*schemas: dict[str, Any]) -> LiveChannel:
    parsed = tuple(map(Schema.parse, schemas))
    info = ChannelInfo("c", ("239.255.43.1", 1), None, "1", None, parsed[-1], parsed)
    return LiveChannel(info, itertools.count(1))


def samples(channel: LiveChannel, path: str) -> list[float | None]:
    row = channel.by_path[path].row
    assert row is not None
    return [None if math.isnan(value) else value for value in channel.ring.values(row, channel.ring.first)]


def test_versions_are_found_by_what_stands_before_their_records() -> None:
    found = make(OLDEST, NEWEST)._schema_versions
    assert list(found) == [MARK + Schema.parse(one).fingerprint for one in (OLDEST, NEWEST)]
    plain = ChannelInfo("c", ("239.255.43.1", 1), None, "1", None, Schema.parse(EXAMPLE))
    assert list(versions(plain)) == [b""]


def test_signals_of_the_same_name_type_and_unit_are_the_newest_versions_too() -> None:
    shown = [version.shown for version in make(OLDEST, OLDER, NEWEST)._schema_versions.values()]
    assert shown == [
        ["time", "kept", "word"],
        ["at", "word", "kept", "gps.lat", "gps.fix"],
        Schema.parse(NEWEST).signal_names,
    ]


def test_records_of_older_versions_have_values_where_they_can() -> None:
    channel = make(OLDEST, OLDER, NEWEST)
    oldest, older, newest = map(Framed, (OLDEST, OLDER, NEWEST))
    gps = {"lat": 7.0, "fix": 3}
    packets = [
        newest(time=NOW, kept=0.0, volts=0.5, count=1, word="a", gps={**gps, "height": 2.0}, at=5),
        oldest(time=NOW + MS, kept=1.0, volts=9.0, count=9, word="b"),
        older(at=NOW // MS + 2, kept=2.0, gone=9.0, word="c", gps=gps),
        newest(time=NOW + 3 * MS, kept=None, volts=0.6, count=2, word="d", gps={**gps, "height": 2.0}, at=6),
        oldest(time=NOW + 4 * MS, kept=4.0, volts=9.0, count=9, word="e"),
    ]
    channel.ingest(packets, NOW)
    assert channel.ring.times(0).tolist() == [NOW + n * MS for n in range(5)]
    expected = {
        "kept": [0, 1, 2, None, 4],
        "volts": [0.5, None, None, 0.6, None],
        "count": [1, None, None, 2, None],
        "gps.lat": [7, None, 7, 7, None],
        "gps.fix": [3, None, 3, 3, None],
        "gps.height": [2, None, None, 2, None],
    }
    assert {path: samples(channel, path) for path in expected} == expected
    # A long that is the time of an older version is a signal as any other in the newest.
    assert samples(channel, "at") == [5, None, NOW // MS + 2, 6, None]
    assert channel.texts == {"time": "2026-11-22T02:00:00.004Z", "word": "e"}
    assert (channel.packets, channel.records, channel.bad) == (5, 5, 0)


def test_a_fingerprint_of_no_version_is_bad_until_it_is_one() -> None:
    channel = make(OLDEST)
    packet = Framed(NEWEST)(
        time=NOW, kept=1.0, volts=1.0, count=1, word="", gps={"lat": 0.0, "fix": 1, "height": 0.0}, at=1
    )
    plain = packet[10:]
    channel.ingest([packet, plain, Framed(OLDEST)(time=NOW, kept=1.0, volts=1.0, count=1, word="")], NOW)
    assert (channel.packets, channel.bad) == (1, 2)
    assert not channel.adopt(make(OLDEST, NEWEST).info), "made anew, with the newest version's signals"
    channel = make(OLDEST, NEWEST)
    channel.ingest([packet], NOW)
    assert (channel.packets, channel.bad) == (1, 0)


def test_versions_that_become_known_are_adopted() -> None:
    parsed = Schema.parse(EXAMPLE)
    plain = ChannelInfo("c", ("239.255.43.1", 1), None, "1", None, parsed)
    channel = LiveChannel(plain, itertools.count(1))
    assert channel.adopt(ChannelInfo("c", ("239.255.43.1", 1), None, "2", None, parsed, (parsed,)))
    values = {"message": "m", "counter": 0, "sine_wave": 0.0, "ramp": 3.0, "square_wave": 0.0, "is_on": False}
    channel.ingest([Framed(EXAMPLE)(time=NOW, **values)], NOW)
    assert samples(channel, "ramp") == [3]


@pytest.mark.parametrize("kind", ["string", "boolean", "float", ["null", "double"]])
def test_arrays_of_something_else_have_no_numbers(kind: Any) -> None:
    def array(items: Any) -> dict[str, Any]:
        return schema(field("core", {"type": "array", "items": items}))

    value = {"string": "x", "boolean": True, "float": 1.5}.get(str(kind))
    channel = make(array(kind), array("double"))
    older, newest = Framed(array(kind)), Framed(array("double"))
    channel.ingest([older(time=NOW, core=[value] * 3), newest(time=NOW + MS, core=[1.0, 2.0])], NOW)
    found = samples(channel, "core[1]")
    assert found[1] == 2
    assert found[0] in ((1.5,) if kind == "float" else (None, 1.0))
    assert channel.bad == 0


def test_arrays_unfold_from_records_of_any_version() -> None:
    core = field("core", {"type": "array", "items": "double"})
    old, new = schema(core), schema(core, field("more", "int"))
    channel = make(old, new)
    channel.ingest(
        [Framed(new)(time=NOW, core=[5.0], more=1), Framed(old)(time=NOW + MS, core=[6.0, 7.0])], NOW
    )
    assert channel.has_grown
    assert (samples(channel, "core[0]"), samples(channel, "core[1]")) == ([5, 6], [None, 7])
    assert samples(channel, "more") == [1, None]


A = schema(field("x", "double"), field("a", "double"))
B = schema(field("b", "int"), field("x", "double"))
C = schema(field("x", "double"), field("b", "int"), field("a", "double"))
ENCODE = {letter: Framed(one) for letter, one in zip("ABC", (A, B, C), strict=True)}
SENT = st.lists(st.tuples(st.sampled_from("ABC?"), st.integers(-20, 20)), max_size=25)


@given(st.lists(SENT, max_size=4))
def test_whatever_is_mixed_every_record_stands_at_its_time(ticks: list[list[tuple[str, int]]]) -> None:
    channel, wanted, bad = make(A, B, C), [], 0
    for number, tick in enumerate(ticks):
        now = NOW + number * 50 * MS
        packets, came = [], []
        for n, (letter, ms) in enumerate(tick):
            if letter == "?":
                packets.append(b"\xc3\x01" + bytes(8) + bytes(24))
                bad += 1
                continue
            x = float(1000 * number + n)
            packets.append(ENCODE[letter](time=now + ms * MS, x=x, a=-x, b=n))
            came.append((now + ms * MS, x, -x if letter != "B" else None, n if letter != "A" else None))
        channel.ingest(packets, now)
        wanted += sorted(came, key=lambda row: row[0])
    rows = zip(channel.ring.times(0).tolist(), *(samples(channel, path) for path in "xab"), strict=True)
    found = [row for row in rows if row[1] is not None]  # breaks between ticks
    assert found == wanted
    assert (channel.records, channel.bad) == (len(wanted), bad)


def test_one_version_alone_is_decoded_as_a_plain_stream_is() -> None:
    plain = LiveChannel(
        ChannelInfo("c", ("239.255.43.1", 1), None, "1", None, Schema.parse(A)), itertools.count(1)
    )
    framed, rng = make(A), np.random.default_rng(3)
    packets = [ENCODE["A"](time=NOW + n * MS, x=x, a=1.0) for n, x in enumerate(rng.normal(size=50))]
    framed.ingest(packets, NOW)
    plain.ingest([packet[10:] for packet in packets], NOW)
    assert samples(framed, "x") == samples(plain, "x")
    assert framed.texts == plain.texts
