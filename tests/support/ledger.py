"""What was sent to a relay and what its archive has of it: numbered records, and the books."""

import fastavro
import numpy as np
from line import NUMBERED

from speeddata.index import HEAD_SIZE, entries_of, index_path
from speeddata.plan import Plan
from speeddata.rows import encode
from speeddata.schema import Schema
from speeddata.segment import Segment, scan

FIRST = 1 << 27  # from here on numbers take five bytes, and all packets one size
BEGAN_NS = 1_790_000_000_000_000_000
PLAN = Plan(Schema.parse(NUMBERED))


def record(n):
    """Record `n` of all that are sent, as fastavro reads it."""
    return {"time": BEGAN_NS + n * 1000, "n": FIRST + n, "value": n * 0.5}


def packets(first, count):
    """Records `first` and on, a packet each."""
    numbers = np.arange(first, first + count)
    columns = {"time": BEGAN_NS + numbers * 1000, "n": FIRST + numbers, "value": numbers * 0.5}
    data = encode(PLAN, columns)
    size = len(data) // count
    return [data[at : at + size] for at in range(0, len(data), size)]


def segments(folder):
    return sorted(folder.glob("test_*.avro"))


def read_numbers(paths):
    """Numbers of the records in some segments, in the order of the archive, by fastavro; each is of one that was sent."""
    numbers = []
    for path in sorted(paths):
        with path.open("rb") as file:
            for found in fastavro.reader(file):
                n = found["n"] - FIRST
                assert found | {"time": BEGAN_NS + n * 1000} == record(n), f"{path.name}: {found}"
                numbers.append(n)
    return numbers


def check_index(path):
    """The index has each block of its segment, as it is; a segment without blocks may do without one."""
    blocks = scan(path)
    with Segment(path) as segment:
        damages = list(segment.damages)
        assert sum(piece.count for piece in segment.read(segment.entries, damages)) == sum(
            b.count for b in blocks
        )
        assert (damages, segment.end) == ([], segment.size), path.name
    index = index_path(path)
    known = list(entries_of(index.read_bytes()[HEAD_SIZE:])) if blocks or index.exists() else []
    told = [[(e.offset, e.length, e.count, e.first_ns, e.min_ns, e.max_ns, e.flags, e.crc) for e in entries]
            for entries in (blocks, known)]  # fmt: skip
    assert told[0] == told[1], path.name


def balanced(stats):
    """Whether each record that was received is archived or counted as lost."""
    return stats["records"] == stats["archived"] + stats["ring_full"] + sum(stats["not_archived"].values())
