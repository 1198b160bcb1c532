"""Packets of a decimated stream, checked one by one and laid end to end for the column decoder.

Where the channel's own packets say which version of its schema they are of, so do those of this stream: `C3 01` and the
fingerprint stand before their one record.
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
        before, record = packet[:head], packet[head:]
        try:
            records = plans[before].packet(record)
            if head and records > 1:  # what follows the first has no right to be there
                raise RecordError("more than one record", "trailing")
        except (KeyError, RecordError):
            joined.bad += 1
            continue
        batch = joined.batches.setdefault(before, Batch())
        batch.parts.append(record)
        batch.numbers += [number] * records
        joined.packets += 1
    joined.batches = dict(sorted(joined.batches.items(), key=lambda item: item[1].numbers[-1]))
    return joined
