"""Packets of a multicast group, checked one by one and laid end to end for the column decoder."""

from collections.abc import Iterable
from dataclasses import dataclass

from speeddata.errors import RecordError
from speeddata.plan import Plan

_HEAD = 10  # single-object framing: C3 01 and the fingerprint


@dataclass
class Batch:
    """What came in one tick."""

    data: bytes
    records: int
    packets: int
    bad: int


def join(plan: Plan, packets: Iterable[bytes], framing: str) -> Batch:
    """Join the records of valid packets; packets that are not whole records are counted."""
    parts: list[bytes] = []
    records = good = bad = 0
    for packet in packets:
        try:
            records += plan.packet(packet, "single_object" if framing == "single_object" else "plain")
        except RecordError:
            bad += 1
            continue
        good += 1
        parts.extend(_bare(plan, packet) if framing == "single_object" else (packet,))
    return Batch(b"".join(parts), records, good, bad)


def _bare(plan: Plan, packet: bytes) -> Iterable[bytes]:
    """Give the records of a valid packet without their heads."""
    offset = 0
    while offset < len(packet):
        offset += _HEAD
        length = plan.walk(packet, offset)[0]
        yield packet[offset : offset + length]
        offset += length
