"""What is added to a channel's archive, in the order of arrival, found by looking at it again and again.

A look costs a stat of the folder and one of each segment that may still grow; segments are opened where they did.
"""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from speeddata.archive import segment_paths
from speeddata.damage import Damage
from speeddata.follow_blocks import Blocks, Rows, open_segment
from speeddata.follow_history import History
from speeddata.follow_positions import Positions
from speeddata.segment import Segment, Signature, signature_of

__all__ = ["Tail"]

RESCAN = 25  # looks after which the folder is listed though it seems unchanged


class Tail:
    """Reads one channel's folder from a position on, and keeps the position up to what was given."""

    def __init__(
        self, folder: Path, wanted: Sequence[str] | None = None, positions: Positions | None = None
    ) -> None:
        self.folder = folder
        self.wanted = wanted
        # Damage met since it was last taken.
        self.damages: list[Damage] = []
        # Records that were given, or skipped, and are not there any more: a tail that was cut off.
        self.cut = 0
        # Segments that were deleted before it was known that they had been read to their end.
        self.gone: list[str] = []
        self._told: set[Damage] = set()
        # The segments there are by name, and what told that nothing was added to them.
        self._listed: list[str] = []
        self._listed_at: Signature | None = None
        self._looks = 0
        self._begun = False
        # By segment that may grow: what told its state when it was read last (None: not read yet).
        self._growing: dict[str, Signature | None] = {}
        self.positions = self._snapshot() if positions is None else positions
        for name in self._names():
            if name in self.positions.counts or name >= self.positions.floor:
                self._growing[name] = None
        self._begun = True
        if positions is not None:
            last = [*positions.counts][-1:] + ([positions.key[1]] if positions.key else [])
            self.gone += sorted(set(last) - set(self._listed))

    def history(self, start_ns: int) -> History:
        """The records from a time on that the position has as read; it is then one in a history."""
        return History(self.folder, self._names(), self.positions, start_ns, self.wanted)

    def fresh(self) -> Iterator[Rows]:
        """The records that came since, a run of blocks at a time; each moves the position when it has been taken."""
        self._names()
        for name in list(self._growing):  # the one that came last is at the end
            yield from self._fresh_of(name)

    def _snapshot(self) -> Positions:
        """The position at the end of what is there now."""
        names = self._names()
        if not names:
            return Positions()
        # The open one is the last by name, but after the clock was set back: then the one that changed last.
        newest = max(names, key=lambda name: (_signature(self.folder / name) or (0, 0, 0, 0))[2])
        made = Positions(names[-1])
        for name in dict.fromkeys([newest, names[-1]]):
            made.set(name, self._count(name))
        return made

    def _count(self, name: str) -> int:
        try:
            with Segment(self.folder / name) as segment:
                return Blocks(segment).count
        except OSError:  # an ArchiveError too
            return 0

    def _names(self) -> list[str]:
        """The segments there are, oldest first by name."""
        signature = _signature(self.folder)
        self._looks += 1
        if signature is None or signature != self._listed_at or self._looks % RESCAN == 0:
            known = set(self._listed)
            self._listed = [path.name for path in segment_paths(self.folder)]
            if self._begun:
                # One that was not there is new whatever its name: the clock may have been set back.
                for name in self._listed:
                    if name not in known and name not in self._growing:
                        self.positions.set(name, self.positions.counts.get(name, 0))
                        self._growing[name] = None
            self._listed_at = signature
            for gone in sorted(self._growing.keys() - set(self._listed)):
                del self._growing[gone]
                self.gone.append(gone)
        return self._listed

    def _fresh_of(self, name: str) -> Iterator[Rows]:
        path = self.folder / name
        signature = _signature(path)
        if signature is None:
            return  # deleted since the folder was listed: the next look tells
        if signature == self._growing.get(name):
            self._retire(name)
            return
        try:
            segment = open_segment(path)
        except FileNotFoundError:
            return
        except OSError as error:  # an ArchiveError too
            self._growing[name] = signature
            self.damages.append(Damage(name, 0, signature[1], None, error.strerror or str(error)))
            return
        with segment:
            yield from self._beyond(segment, name)
            self.damages += [damage for damage in segment.damages if damage not in self._told]
            self._told.update(segment.damages)
            self._growing[name] = segment.signature

    def _beyond(self, segment: Segment, name: str) -> Iterator[Rows]:
        """The records of a segment beyond the position."""
        all_blocks = Blocks(segment)
        done = self.positions.read_of(name)
        if done > all_blocks.count:
            self.cut += done - all_blocks.count
            self.positions.set(name, all_blocks.count)
            return
        for blocks in all_blocks.from_record(done):
            for rows in all_blocks.read(blocks, self.wanted, self.damages):
                new = rows.numbers >= done
                if new.any():
                    self.positions.set(name, int(rows.numbers[-1]) + 1)
                    yield rows if new.all() else rows.take(new)
            self.positions.set(name, max(done, int(all_blocks.begin[blocks.stop])))

    def _retire(self, name: str) -> None:
        """Look no more at a segment that has been read to its end and is followed by another."""
        if list(self._growing)[-1] != name and self._growing[name] is not None:
            del self._growing[name]


def _signature(path: Path) -> Signature | None:
    try:
        status = os.lstat(path)
    except OSError:
        return None
    return signature_of(status)
