"""Looks for whole blocks in a segment where its index tells of none: its newest ones, or all when the index is lost."""

from collections.abc import Callable

from speeddata.blocks import Scanner, gather
from speeddata.container import Head, unpack
from speeddata.damage import Damage, damaged
from speeddata.errors import ArchiveError
from speeddata.index import each_entry

__all__ = ["WINDOW", "BlockSearch"]

WINDOW = 4 << 20  # bytes read at once


class BlockSearch:
    """A search in one segment. `pread` reads at an offset, giving less than it is asked for only at the file's end."""

    def __init__(self, name: str, head: Head, unit: str | None, pread: Callable[[int, int], bytes]) -> None:
        self.unit = unit  # of the source time; where it was not known, it is after the first plausible record
        self.damages: list[Damage] = []
        self._name = name
        self._head = head
        self._pread = pread

    def find(self, start: int, stop: int, arrival: int, growing: bool) -> bytes:
        """Make the entries of the whole blocks in [start, stop), received at `arrival`.

        What is not a block is left out, and the search goes on at the next sync marker. Where the segment is `growing`
        at `stop`, a last block that is not whole yet is no damage.
        """
        compressed = self._head.codec != "null"
        scanner = Scanner(self._head.sync, None if compressed else self._head.plan, self.unit, arrival)
        out = bytearray()
        at, window, lost = start, WINDOW, -1
        while at < stop:
            asked = min(window, stop - at)
            data = self._pread(at, asked)
            found, used, wanted = scanner.scan(data, at)
            if used and lost >= 0:
                self.damages.append(Damage(self._name, lost, at, None, "not a block"))
                lost = -1
            out += self._with_times(scanner, found, data, at) if compressed else found
            at += used
            window = max(WINDOW, wanted)
            if wanted < 0 or at + wanted > stop:
                after = self._find_sync(at, stop)
                if after < 0 and wanted > 0 and growing:
                    break
                lost = at if lost < 0 else lost
                at = stop if after < 0 else after
            elif len(data) < asked and not used:  # the file has been cut meanwhile
                break
        if lost >= 0:
            self.damages.append(Damage(self._name, lost, at, None, "not a block"))
        self.unit = scanner.unit
        return bytes(out)

    def _with_times(self, scanner: Scanner, found: bytes, data: bytes, base: int) -> bytes:
        """Complete the entries of compressed blocks; those whose content is not their records are left out."""
        out = bytearray()
        for entry in each_entry(found):
            try:
                content, _ = gather(data, base, entry, self._head.sync)
                whole = scanner.times(entry, unpack(self._head.codec, content), self._head.plan)
                reason = "not records"
            except ArchiveError as error:
                whole, reason = None, str(error)
            if whole is None:
                self.damages.append(damaged(self._name, entry, 0, reason))
            out += whole or b""
        return bytes(out)

    def _find_sync(self, start: int, stop: int) -> int:
        """The offset after the next sync marker in [start, stop); -1 when there is none."""
        at = start
        while at < stop:
            data = self._pread(at, min(WINDOW, stop - at))
            place = data.find(self._head.sync)
            if place >= 0:
                return at + place + 16
            if len(data) < 16:
                break
            at += len(data) - 15
        return -1
