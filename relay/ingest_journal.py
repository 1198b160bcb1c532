"""The journal of the shared relay: which segments it works on, and how far each belongs to batches that are done.

A batch is done when its record is here, which is written after the batch's own bytes; what a segment has beyond that is
cut off at the next start. So a batch is in the archive whole or not at all, whenever the process is killed. The record also
keeps the batch's key, so that the same batch sent again is known.

A file is records one after the other, each `u32 bytes, u32 CRC-32C, JSON`, little-endian; it is reserved ahead, so zeros
follow the last. Keys live for two generations: this file, and the one before it as `<name>.1`.
"""

import errno
import json
import os
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from speeddata.blocks import crc32c
from speeddata.durable import sync_folder
from speeddata.relay.ingest_protocol import encode

__all__ = ["Done", "Journal", "OpenSegment", "State", "read_state"]

FRAME = struct.Struct("<II")
ROOM = 1 << 20  # bytes that are reserved at a time
MAX_BYTES = 16 << 20  # of the file, before it is written anew
MAX_KEYS = 50_000  # of a generation
MAX_AGE_S = 12 * 3600.0  # of a generation
KEY_AGE_S = 24 * 3600.0
CHUNK = 10_000  # keys or segments in one record


class OpenSegment(NamedTuple):
    """A segment that is not ended: its folder, and where it ends as far as batches are done."""

    folder: str
    sync: str  # its sync marker, hex
    bytes: int
    entries: int


class Done(NamedTuple):
    """A batch that is done: the hash of its content, its records, and when (seconds since 1970)."""

    hash: str
    records: int
    time: float


@dataclass
class State:
    """What a journal says."""

    segments: dict[str, OpenSegment] = field(default_factory=dict)
    keys: dict[str, Done] = field(default_factory=dict)

    def take(self, record: dict[str, Any]) -> None:
        """Go on by one record."""
        if "anew" in record:
            self.segments, self.keys = {}, {}
        for name, *about in record.get("open", ()):
            self.segments[name] = OpenSegment(*about)
        for name, length, entries in record.get("ends", ()):
            if name in self.segments:
                self.segments[name] = self.segments[name]._replace(bytes=length, entries=entries)
        if "key" in record:
            self.keys[record["key"]] = Done(record["hash"], record["records"], record["time"])
        for key, *done in record.get("keys", ()):
            self.keys[key] = Done(*done)
        for name in record.get("ended", ()):
            self.segments.pop(name, None)


def read_state(path: Path) -> tuple[State, dict[str, Done]]:
    """What the journal says, and the keys of the generation before."""
    former = State()
    for record in _records(_former(path)):
        former.take(record)
    state = State()
    if path.exists():
        for record in _records(path):
            state.take(record)
        return state, former.keys
    return State(former.segments, {}), former.keys  # killed between the two steps of a new generation


class Journal:
    """The journal, open for writing. What is noted counts when it has been written."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        """Read what is there. `begin` is to follow, once the segments it names are mended."""
        self.path = path
        self.clock = clock
        self.state, self.former_keys = read_state(path)
        self.fd = -1
        self.offset = 0
        self.reserved = 0
        # What could not be written or fsynced: only a new file can be trusted.
        self.suspect = False
        self._since = clock()
        self._last = 0  # where what was written last begins
        self._noted: list[tuple[bytes, dict[str, Any]]] = []

    def begin(self) -> None:
        """Begin a new file that knows the keys, and no segment. OSError when that cannot be."""
        oldest = self.clock() - KEY_AGE_S
        keys = self.former_keys | self.state.keys
        young = {key: done for key, done in keys.items() if done.time >= oldest}
        self.state, self.former_keys = State(keys=young), {}
        self._write_anew(young)
        _former(self.path).unlink(missing_ok=True)

    def close(self) -> None:
        """Close the file."""
        if self.fd >= 0:
            os.close(self.fd)
        self.fd = -1

    def find(self, key: str) -> Done | None:
        """The batch of a key, if it is done and not forgotten."""
        return self.state.keys.get(key) or self.former_keys.get(key)

    def note_begun(self, name: str, segment: OpenSegment) -> None:
        """Note a segment that is begun."""
        self._note({"open": [[name, *segment]]})

    def note_done(
        self, key: str | None, content: str, records: int, ends: list[tuple[str, int, int]]
    ) -> None:
        """Note a batch that is written, and where its segments end now."""
        record: dict[str, Any] = {"ends": ends}
        if key is not None:
            record |= {"key": key, "hash": content, "records": records, "time": round(self.clock(), 3)}
        self._note(record)

    def note_cut(self, name: str, synced: tuple[int, int], into: tuple[str, int, int] | None = None) -> None:
        """Note that a segment ends where it was fsynced; in the same record, that what followed is in another."""
        self._note({"ends": [(name, *synced), *([into] if into else [])]})

    def note_ended(self, names: list[str]) -> None:
        """Note segments that are appended to no more."""
        self._note({"ended": names})

    def write(self) -> None:
        """Write what was noted; when that fails (OSError) it is as if it had not been noted."""
        noted, self._noted = self._noted, []
        if not noted:
            return
        try:
            self._append(b"".join(packed for packed, _ in noted))
        except OSError:
            # What became of segments stays to be said.
            self._noted = [one for one in noted if "open" in one[1] or "ended" in one[1]] + self._noted
            raise
        for _, record in noted:
            self.state.take(record)

    def _append(self, data: bytes) -> None:
        if self.suspect:
            self._write_anew(self.state.keys)
        if self.offset + len(data) + FRAME.size > self.reserved:
            wanted = len(data) + ROOM
            os.posix_fallocate(self.fd, self.offset, wanted)
            self.reserved = self.offset + wanted
        self._last = self.offset
        try:
            if os.pwrite(self.fd, data, self.offset) != len(data):
                raise OSError(errno.EIO, "the journal was not written whole")
        except OSError:
            self._strike_out()  # the first records of it may be there, whole
            raise
        self.offset += len(data)

    def sync(self) -> None:
        """fdatasync; after a failure the file is trusted no more."""
        if self.suspect:
            self._write_anew(self.state.keys)
        try:
            os.fdatasync(self.fd)
        except OSError:
            self.suspect = True
            raise

    def retract(self, keys: list[str]) -> None:
        """What was written last is undone after all: it is struck out, and the file trusted no more."""
        for key in keys:
            self.state.keys.pop(key, None)
        self._strike_out()

    def _strike_out(self) -> None:
        with suppress(OSError):
            os.pwrite(self.fd, bytes(FRAME.size), self._last)
        self.offset, self.suspect = self._last, True

    def give_back(self, ends: list[tuple[str, int, int]]) -> None:
        """Segments end here again, after batches were undone."""
        self.state.take({"ends": ends})

    def keep_up(self) -> None:
        """Write what is noted. Begin another file when this one is large, has many keys or old ones, or is not trusted."""
        if self.suspect or self.offset >= MAX_BYTES:
            self._write_anew(self.state.keys)
        elif len(self.state.keys) >= MAX_KEYS or self.clock() - self._since >= MAX_AGE_S:
            self._next_generation()
        self.write()

    def _note(self, record: dict[str, Any]) -> None:
        self._noted.append((_frame(record), record))

    def _next_generation(self) -> None:
        fresh = self._fresh({})
        self.suspect = True  # until the new file has taken the place
        try:
            self.path.replace(_former(self.path))
        except OSError:
            os.close(fresh[0])
            raise
        self._put(fresh)
        self.former_keys, self.state.keys = self.state.keys, {}
        self._since = self.clock()

    def _write_anew(self, keys: dict[str, Done]) -> None:
        self._put(self._fresh(keys))

    def _fresh(self, keys: dict[str, Done]) -> tuple[int, int]:
        """A new file with all that still counts, on the disk: its descriptor and length."""
        out = [_frame({"anew": 1})]
        opened = [[name, *about] for name, about in self.state.segments.items()]
        known = [[key, *done] for key, done in keys.items()]
        for word, items in (("open", opened), ("keys", known)):
            out += [_frame({word: items[at : at + CHUNK]}) for at in range(0, len(items), CHUNK)]
        data = b"".join(out)
        path = self.path.with_name(f".{self.path.name}.new")
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o640)
        try:
            os.posix_fallocate(fd, 0, len(data) + ROOM)
            if os.pwrite(fd, data, 0) != len(data):
                raise OSError(errno.EIO, "the journal was not written whole")
            os.fsync(fd)
        except BaseException:
            os.close(fd)
            with suppress(OSError):
                path.unlink()
            raise
        return fd, len(data)

    def _put(self, fresh: tuple[int, int]) -> None:
        """Let a new file take the place. From then on it is the one that is written to, and trusted when its name is on the disk."""
        self.suspect = True
        try:
            self.path.with_name(f".{self.path.name}.new").replace(self.path)
        except OSError:
            os.close(fresh[0])
            raise
        self.close()
        self.fd, self.offset = fresh
        self.reserved = self.offset + ROOM
        sync_folder(self.path.parent)
        self.suspect = False


def _former(path: Path) -> Path:
    return path.with_name(f"{path.name}.1")


def _frame(record: dict[str, Any]) -> bytes:
    data = encode(record).encode()
    return FRAME.pack(len(data), crc32c(data)) + data


def _records(path: Path) -> Iterator[dict[str, Any]]:
    """The records of a file, up to the first that is not whole."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return
    at = 0
    while at + FRAME.size <= len(data):
        length, crc = FRAME.unpack_from(data, at)
        payload = data[at + FRAME.size : at + FRAME.size + length]
        if not length or len(payload) != length or crc32c(payload) != crc:
            return
        yield json.loads(payload)
        at += FRAME.size + length
