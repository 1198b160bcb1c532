"""Which segments the tags pin: those with a block that overlaps a tagged range. Remembered, since it costs reading an index."""

from collections.abc import Sequence

from speeddata.index import entries_of
from speeddata.registry.tags import Tags
from speeddata.relay.inventory import Found, Inventory
from speeddata.segment import Segment
from speeddata.times import parse_time

__all__ = ["Pins"]

Signature = tuple[int, int, int]
Span = tuple[int, int]


class Pins:
    """What the tags pin of an archive."""

    def __init__(self, tags: Tags, inventory: Inventory) -> None:
        self.tags = tags
        self.inventory = inventory
        # By channel and name: for which file and which version of the tags it was decided, and how.
        self._decided: dict[tuple[str, str], tuple[Signature, int, bool]] = {}
        # The time from the first to the last record of files that were read.
        self._spans: dict[tuple[str, str], tuple[Signature, Span | None]] = {}

    def hold(self, found: Found) -> bool:
        """Whether a segment is pinned."""
        version = self.tags.version
        ranges = self.tags.ranges(found.channel)
        if not ranges:
            return False
        key = found.channel, found.name
        signature, of_version, pinned = self._decided.get(key, (None, -1, False))
        if (signature, of_version) != (found.signature, version):
            pinned = self._decide(found, ranges)
            self._decided[key] = found.signature, version, pinned
        return pinned

    def forget_all_but(self, segments: set[tuple[str, str]]) -> None:
        """Forget segments that are no more."""
        for gone in self._decided.keys() - segments:
            self._decided.pop(gone)
            self._spans.pop(gone, None)

    def _decide(self, found: Found, ranges: Sequence[Span]) -> bool:
        key = found.channel, found.name
        signature, span = self._spans.get(key, (None, None))
        if signature == found.signature and (span is None or not _overlap([span], ranges)):
            return False
        blocks = self._blocks(found)
        whole = (min(low for low, _ in blocks), max(high for _, high in blocks)) if blocks else None
        self._spans[key] = found.signature, whole
        return _overlap(blocks, ranges)

    def _blocks(self, found: Found) -> list[Span]:
        """The times of a segment's blocks; one that cannot be read is taken for one block, of the times of receipt."""
        try:
            with Segment(self.inventory.path(found)) as segment:
                return [(entry.min_ns, entry.max_ns) for entry in entries_of(segment.entries)]
        except FileNotFoundError:
            return []
        except OSError:
            begun = parse_time(found.name.removesuffix(".avro").rpartition("_")[2])
            return [(begun, max(begun, found.arrival_ns))]


def _overlap(blocks: Sequence[Span], ranges: Sequence[Span]) -> bool:
    return any(low <= end and high >= start for low, high in blocks for start, end in ranges)
