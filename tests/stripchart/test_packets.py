from live import EXAMPLE, Encoder

from speeddata.plan import Plan
from speeddata.schema import Schema
from speeddata.stripchart.packets import join

SCHEMA = Schema.parse(EXAMPLE)
PLAN = Plan(SCHEMA)
ENCODE = Encoder(EXAMPLE)
RECORDS = [
    ENCODE(time=n, message="a" * n, counter=n, sine_wave=0.5, ramp=1.0, square_wave=-1.0, is_on=True)
    for n in range(4)
]


def test_good_packets_are_joined_and_bad_ones_counted() -> None:
    packets = [RECORDS[0] + RECORDS[1], b"", RECORDS[2][:-1], b"\xff" * 40, RECORDS[3], RECORDS[3] + b"x"]
    batch = join(PLAN, packets)
    assert batch.data == RECORDS[0] + RECORDS[1] + RECORDS[3]
    assert (batch.records, batch.packets, batch.bad) == (3, 2, 4)


def test_nothing_is_an_empty_batch() -> None:
    batch = join(PLAN, [])
    assert (batch.data, batch.records, batch.packets, batch.bad) == (b"", 0, 0, 0)
