import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from live import EXAMPLE, Encoder

from speeddata.plan import Plan
from speeddata.schema import Schema
from speeddata.stripchart.packets import Batch, join

PLAIN = {b"": Plan(Schema.parse(EXAMPLE))}
ENCODE = Encoder(EXAMPLE)
RECORDS = [
    ENCODE(time=n, message="a" * n, counter=n, sine_wave=0.5, ramp=1.0, square_wave=-1.0, is_on=True)
    for n in range(4)
]
SECOND = {"type": "record", "name": "data", "fields": [{"name": "time", "type": "long"}]}
HEADS = [b"\xc3\x01" + Schema.parse(schema).fingerprint for schema in (EXAMPLE, SECOND)]
FRAMED = dict(zip(HEADS, (Plan(Schema.parse(schema)) for schema in (EXAMPLE, SECOND)), strict=True))
TIMES = [Encoder(SECOND)(time=n) for n in range(4)]


def test_good_packets_are_joined_and_bad_ones_counted() -> None:
    packets = [RECORDS[0] + RECORDS[1], b"", RECORDS[2][:-1], b"\xff" * 40, RECORDS[3], RECORDS[3] + b"x"]
    joined = join(PLAIN, packets)
    assert joined.batches == {b"": Batch([RECORDS[0] + RECORDS[1], RECORDS[3]], [0, 0, 4])}
    assert joined.batches[b""].data == RECORDS[0] + RECORDS[1] + RECORDS[3]
    assert (joined.packets, joined.bad) == (2, 4)
    assert joined.order() == slice(None)


def test_nothing_is_no_batch() -> None:
    joined = join(PLAIN, [])
    assert (joined.batches, joined.packets, joined.bad) == ({}, 0, 0)


def test_framed_packets_are_sorted_by_version() -> None:
    first, second = HEADS
    packets = [
        first + RECORDS[0],
        second + TIMES[1],
        first + RECORDS[2],
        second + TIMES[3],
        second + TIMES[0],
    ]
    joined = join(FRAMED, packets)
    assert list(joined.batches.items()) == [
        (first, Batch([RECORDS[0], RECORDS[2]], [0, 2])),
        (second, Batch([TIMES[1], TIMES[3], TIMES[0]], [1, 3, 4])),
    ]
    order = joined.order()
    assert isinstance(order, np.ndarray)
    assert np.array([0, 2, 1, 3, 4])[order].tolist() == [0, 1, 2, 3, 4]
    assert list(join(FRAMED, packets[:3]).batches) == [second, first], (
        "the one whose record came last is last"
    )


def test_framed_packets_that_are_none_are_counted() -> None:
    first, second = HEADS
    unknown = b"\xc3\x01" + bytes(8)
    bad = [
        b"",
        first[:9],
        first,
        RECORDS[0],
        unknown + RECORDS[0],
        b"\xc3\x02" + first[2:] + RECORDS[0],
        first + RECORDS[0][:-1],
        first + RECORDS[0] + b"x",
        second + RECORDS[0],
        first + RECORDS[0] + RECORDS[1],
        first + RECORDS[0] + second + TIMES[1],
        first + RECORDS[0] + first + RECORDS[1][:-1],
        second + TIMES[0] + TIMES[1],
    ]
    joined = join(FRAMED, [*bad, first + RECORDS[0]])
    assert (joined.packets, joined.bad) == (1, len(bad))
    assert joined.batches == {first: Batch([RECORDS[0]], [len(bad)])}


def test_framed_packets_of_several_records_are_those_of_the_full_rate() -> None:
    head = HEADS[0]
    joined = join(FRAMED, [b"".join(head + record for record in RECORDS), head + RECORDS[2]])
    assert joined.batches == {head: Batch([b"".join(RECORDS), RECORDS[2]], [0, 0, 0, 0, 1])}
    assert (joined.packets, joined.bad) == (2, 0)


PACKETS = st.one_of(
    st.builds(lambda head, n: (head, head + (RECORDS if head == HEADS[0] else TIMES)[n]),
              st.sampled_from(HEADS), st.integers(0, 3)),
    st.binary(max_size=30).map(lambda data: (None, data)),
    st.builds(lambda head, data: (None, head + b"\xff" * 11 + data), st.sampled_from(HEADS), st.binary(max_size=5)),
)  # fmt: skip


@given(st.lists(PACKETS, max_size=30))
def test_whatever_is_mixed(sent: list[tuple[bytes | None, bytes]]) -> None:
    joined = join(FRAMED, [packet for _, packet in sent])
    good = [(head, packet[10:], n) for n, (head, packet) in enumerate(sent) if head]
    assert (joined.packets, joined.bad) == (len(good), len(sent) - len(good))
    for head in HEADS:
        wanted = [(record, n) for one, record, n in good if one == head]
        batch = joined.batches.get(head, Batch())
        assert list(zip(batch.parts, batch.numbers, strict=True)) == wanted
    flat = np.array([*itertools.chain(*(batch.numbers for batch in joined.batches.values()))])
    assert flat[joined.order()].tolist() == [n for _, _, n in good]
