"""What limits cost the decimator: records decimated without any, with one and eight signals that have them, and all eight beyond.

Each round handles a block of RECORDS records, which stays in the cache as a relay's does. Here the records are walked once more
than in a relay, which is about 10 ns.
"""

import socket
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from speeddata.plan import Plan
from speeddata.relay.ingest_records import Records
from speeddata.relay.live_copy import LiveCopy
from speeddata.relay.spec import Decimation
from speeddata.rows import encode
from speeddata.schema import Schema

RECORDS = 2500
SIGNALS = 8
LIMITS = {"speeddata": {"limits": {"warn": [-1.5, 1.5], "alarm": [-2, 2]}}}
HOWS = {"minmax": Decimation(), "downsample": Decimation(algorithm="downsample", factor=1000, rate_hz=None)}


@pytest.fixture
def hearer() -> Iterator[socket.socket]:
    """Where the decimated stream goes to, which nobody reads."""
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender,
    ):
        listener.bind(("127.0.0.1", 0))
        sender.connect(listener.getsockname())
        yield sender


def records(limited: int, factor: float) -> Records:
    """A block of records of eight doubles, of which so many have limits; waves of an amplitude of `factor`."""
    fields: list[dict[str, Any]] = [
        {"name": "time", "type": "long", "logicalType": "timestamp-nanos"},
        {"name": "n", "type": "long", "speeddata": {"role": "sequence"}},
        *({"name": f"x{n}", "type": "double"} | (LIMITS if n < limited else {}) for n in range(SIGNALS)),
    ]
    plan = Plan(Schema.parse({"type": "record", "name": "R", "fields": fields}))
    number = np.arange(RECORDS)
    columns: dict[str, Any] = {f"x{n}": factor * np.cos(number / 1e5) for n in range(SIGNALS)}
    data = encode(plan, columns | {"time": 1_700_000_000_000_000_000 + number * 1000, "n": number})
    return Records(plan, data, 0, len(data), 1 << 18, 4, 0)


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize(
    ("limited", "factor"),
    [(0, 1.0), (1, 1.0), (8, 1.0), (8, 5.0)],
    ids=["none", "one", "eight", "eight-beyond"],
)
def test_decimate(benchmark: Any, hearer: socket.socket, how: str, limited: int, factor: float) -> None:
    block = records(limited, factor)
    copy = LiveCopy([block.plan], False, -1, hearer.fileno(), *HOWS[how].resolved())
    benchmark(copy.send, block)
    assert len(copy.standings()) == (8 if factor > 2 else 0)
