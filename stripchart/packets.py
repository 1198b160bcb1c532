"""Packets of a stream, checked one by one and laid end to end for the column decoder.

Where the channel's own packets say which version of its schema they are of, so do those of its streams: `C3 01` and the
fingerprint stand before each record. All records of a packet are of one version.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from speeddata.errors import RecordError
from speeddata.plan import Plan


@dataclass
class Batch:
    """The records of one version of the schema that came in one tick."""

    parts: list[bytes] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    """Of each record: the number of its packet among all of the tick."""

    @property
    def data(self) -> bytes:
        """The records back to back."""
        return b"".join(self.parts)


@dataclass
class Joined:
    """What came in one tick."""

    batches: dict[bytes, Batch] = field(default_factory=dict)
    """By what stands before a record, in the order in which their last records came."""
    packets: int = 0
    bad: int = 0

    def order(self) -> NDArray[np.intp] | slice:
        """How the records of all batches, one batch after the other, are brought into the order in which they came."""
        if len(self.batches) < 2:
            return slice(None)
        return np.argsort(np.concatenate([batch.numbers for batch in self.batches.values()]), kind="stable")


def join(plans: Mapping[bytes, Plan], packets: Iterable[bytes]) -> Joined:
    """Join the records of valid packets by version; packets of no version, or not of whole records, are counted.

    `plans` are the versions by what stands before a record, which is equally long for all: nothing where packets are plain.
    """
    joined = Joined()
    head = len(next(iter(plans)))
    for number, packet in enumerate(packets):
        before = packet[:head]
        try:
            records, data = _records(plans[before], packet, head)
        except (KeyError, RecordError):
            joined.bad += 1
            continue
        batch = joined.batches.setdefault(before, Batch())
        batch.parts.append(data)
        batch.numbers += [number] * records
        joined.packets += 1
    joined.batches = dict(sorted(joined.batches.items(), key=lambda item: item[1].numbers[-1]))
    return joined


def _records(plan: Plan, packet: bytes, head: int) -> tuple[int, bytes]:
    """How many records a packet has, and these without what stands before each; RecordError when that is not all."""
    if not head:
        return plan.packet(packet), packet
    parts: list[bytes] = []
    offset = 0
    while offset < len(packet) or not parts:
        if packet[offset : offset + head] != packet[:head]:
            raise RecordError("a record of another version, or none", "trailing")
        length = plan.walk(packet, offset + head)[0]
        parts.append(packet[offset + head : offset + head + length])
        offset += head + length
    return len(parts), b"".join(parts)
