"""Packets of a decimated stream, checked one by one and laid end to end for the column decoder.

The relay sends that stream plain, whatever framing the channel's own packets have.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from speeddata.errors import RecordError
from speeddata.plan import Plan


@dataclass
class Batch:
    """What came in one tick."""

    data: bytes
    records: int
    packets: int
    bad: int


def join(plan: Plan, packets: Iterable[bytes]) -> Batch:
    """Join the records of valid packets; packets that are not whole records are counted."""
    parts: list[bytes] = []
    records = good = bad = 0
    for packet in packets:
        try:
            records += plan.packet(packet, "plain")
        except RecordError:
            bad += 1
            continue
        good += 1
        parts.append(packet)
    return Batch(b"".join(parts), records, good, bad)
