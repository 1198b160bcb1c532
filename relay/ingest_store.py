"""What the shared relay does with requests: channels opened, batches appended, segments ended. Sockets are not its affair.

Batches of one turn of the loop are committed together: the journal is written once, and where a batch asks for it, fsynced
once. Until then each can be undone.
"""

import errno
import json
import logging
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from speeddata.relay.ingest_alarms import IngestAlarms, read_seen
from speeddata.relay.ingest_channel import Counts, IngestChannel, read_spec
from speeddata.relay.ingest_journal import Journal
from speeddata.relay.ingest_live import LiveStreams
from speeddata.relay.ingest_parts import Part, read_options, read_parts, rounds
from speeddata.relay.ingest_protocol import Refusal
from speeddata.relay.ingest_segment import IngestSegment, Place
from speeddata.relay.ingest_segments import Segments
from speeddata.times import format_time

__all__ = ["Batch", "IngestStore"]

log = logging.getLogger(__name__)

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
RETRY_AFTER_S = 1
_SORTED = json.JSONEncoder(sort_keys=True).encode

Json = dict[str, Any]
Reply = Callable[[Json], None]


class Mark(NamedTuple):
    """What a batch did to a segment, so that it can be undone."""

    channel: IngestChannel
    segment: IngestSegment
    place: Place  # where it ended before
    begun: bool  # the batch began it


@dataclass(slots=True, eq=False)
class Batch:
    """A batch that is written, and not yet done."""

    key: str | None
    content: str  # hash of it, where there is a key
    parts: list[Part]
    durable: bool
    live: bool | None
    reply: Reply
    marks: list[Mark] = field(default_factory=list)
    # Where its segments ended when it was written: what came after it in the same turn is not its own.
    ends: list[tuple[str, int, int]] = field(default_factory=list)

    @property
    def records(self) -> int:
        return sum(part.records.count for part in self.parts)

    def find_ends(self) -> list[tuple[str, int, int]]:
        """Where its segments end now."""
        return [(one.name, *one.place[:2]) for one in {mark.segment for mark in self.marks}]


class IngestStore:
    """The shared relay of one data folder. `reply` is called with the answer to a request, now or at a later commit."""

    def __init__(
        self, journal: Path, most_open: int = 512, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """OSError when the journal cannot be used; segments that it names must be mended before (`recover`)."""
        self.clock = clock
        self.since_ns = time.time_ns()
        self.channels: dict[str, IngestChannel] = {}
        self.total = Counts()
        self.repeated = 0
        self.refused: Counter[str] = Counter()
        self.journal = Journal(journal)
        self.journal.begin()
        self.segments = Segments(self.journal, most_open, self.total, clock)
        # Batches that are written, and not yet done.
        self.turn: list[Batch] = []
        self.alarms = IngestAlarms(journal.with_suffix(".alarms"), clock)
        self.live = LiveStreams(self.total, self.alarms, clock)
        # What who serves it has to tell, beside what is counted here.
        self.about_server: Callable[[], Json] = dict
        self._looked = 0.0

    def handle(self, head: Json, body: memoryview, reply: Reply) -> None:
        """Do what a request asks for."""
        try:
            self._handle(head, body, reply)
        except Refusal as refusal:
            self.refused[refusal.body.get("reason") or str(refusal.status)] += 1
            reply(refusal.body)

    def _handle(self, head: Json, body: memoryview, reply: Reply) -> None:
        op = head["op"]
        if op == "append":
            self._append(head, body, reply)
        elif op == "open":
            self._open(head)
            reply({"ok": True})
        elif op == "seal":
            self._seal(_name(head), reply)
        elif op == "forget":
            self._forget(_name(head), reply)
        elif op == "segments":
            reply({"ok": True, "segments": sorted(self.journal.state.segments)})
        elif op == "stats":
            reply({"ok": True, **self.stats(with_channels=bool(head.get("channels")))})
        elif op == "alarms":
            self.live.look_at_alarms()
            reply({"ok": True, "channels": self.alarms.raised, "unchecked": self.alarms.unchecked})
        elif op == "acknowledge":
            self.live.acknowledge(_name(head), read_seen(head))
            reply({"ok": True})
        else:
            ops = "open, append, seal, forget, segments, stats, alarms or acknowledge"
            raise Refusal(400, "no such operation", op=str(op)[:80], wanted=ops)

    def commit(self) -> None:
        """Let the batches of this turn be done, or undo them all; each is answered."""
        turn, self.turn = self.turn, []
        if not turn:
            return
        durable = [batch for batch in turn if batch.durable]
        try:
            if durable and not self.segments.sync(
                {mark.segment for batch in durable for mark in batch.marks}
            ):
                raise OSError(errno.EIO, "it could not be brought to the disk")
            for batch in turn:
                self.journal.note_done(batch.key, batch.content, batch.records, batch.ends)
            self.journal.write()
            if durable:
                self._sync_journal(turn)
        except OSError as error:
            self._undo_turn(turn, error)
            return
        for batch in turn:
            self._done(batch)

    def _sync_journal(self, turn: list[Batch]) -> None:
        try:
            self.journal.sync()
        except OSError:
            self.journal.retract([batch.key for batch in turn if batch.key is not None])
            raise

    def _undo_turn(self, turn: list[Batch], error: OSError) -> None:
        log.error("%d batches are undone: %s", len(turn), error.strerror or error)
        refusal = _refusal_of(error)
        for batch in reversed(turn):
            self._undo(batch)
        self.journal.give_back([end for batch in turn for end in batch.find_ends()])
        self.segments.rescue()
        for batch in turn:
            self.refused[str(refusal.status)] += 1
            batch.reply(refusal.body)

    def _done(self, batch: Batch) -> None:
        for part in batch.parts:
            for counts in (part.channel.counts, self.total):
                counts.records += part.records.count
                counts.archived += part.records.count
                counts.bad_time += part.records.bad_time
                counts.bytes += part.records.size
        for channel in {part.channel for part in batch.parts}:
            channel.counts.batches += 1
        self.total.batches += 1
        batch.reply({"ok": True, "records": batch.records, "repeated": False})
        self.live.send(batch.parts, batch.live)

    def _open(self, head: Json) -> None:
        told = head.get("specs") or [head.get("spec")]
        if not isinstance(told, list):
            raise Refusal(400, "specs are wrong", field="specs", wanted="a list of channel specs")
        self.commit()  # its batches are of the versions that were known until now
        for spec in map(read_spec, told):
            known = self.channels.get(spec.name)
            if known is None:
                self.channels[spec.name] = IngestChannel(spec, self.clock)
            else:
                known.use(spec)

    def _append(self, head: Json, body: memoryview, reply: Reply) -> None:
        options = read_options(head)
        key, content = options.key, ""
        if key is not None:
            content = _hash(head, body)
            if any(batch.key == key for batch in self.turn):
                self.commit()
            if self._repeated(key, content, reply):
                return
        parts = read_parts(head, body, self.channels)
        durable = options.durability == "block" or (
            options.durability is None and any(part.channel.spec.durability == "block" for part in parts)
        )
        batch = Batch(key, content, parts, durable, options.live, reply)
        try:
            for group in rounds(parts, self.segments.most_open // 2):
                self._begin(group, batch)
                self._write(group, batch)
        except OSError as error:
            self._undo(batch)
            raise _refusal_of(error) from None
        except BaseException:
            self._undo(batch)
            raise
        batch.ends = batch.find_ends()
        self.turn.append(batch)

    def _repeated(self, key: str, content: str, reply: Reply) -> bool:
        done = self.journal.find(key)
        if done is None:
            return False
        if done.hash != content:
            raise Refusal(409, "this key was used for another batch", key=key)
        self.repeated += 1
        reply({"ok": True, "records": done.records, "repeated": True})
        return True

    def _begin(self, group: list[Part], batch: Batch) -> None:
        """See that each part has a segment to go into; new ones are in the journal before anything is in them."""
        begun = False
        for part in group:
            channel, records = part.channel, part.records
            if channel.must_end(records):
                self.segments.end(channel)
            segment = channel.segment
            if segment is not None:
                try:
                    self.segments.use(segment)
                except OSError as error:
                    if error.errno not in (errno.ENOENT, errno.ESTALE, errno.ELOOP):
                        raise
                    self.segments.drop(channel)
            if channel.segment is None:
                segment = self.segments.begin(channel, records)
                batch.marks.append(Mark(channel, segment, segment.place, begun=True))
                begun = True
        if begun:
            self.journal.write()
            self.journal.sync()  # when power fails, too, all that may be on the disk is known

    def _write(self, group: list[Part], batch: Batch) -> None:
        for part in group:
            segment = part.channel.segment
            assert segment is not None, "it was begun"
            batch.marks.append(Mark(part.channel, segment, segment.place, begun=False))
            self.segments.appended(part.channel, segment)
            segment.append(part.records)
            part.channel.touched = self.clock()
            part.channel.note_unit(part.fingerprint, part.records.unit)

    def _undo(self, batch: Batch) -> None:
        """Take back what a batch has written."""
        for mark in reversed(batch.marks):
            try:
                if mark.begun:
                    self._take_back(mark)
                else:
                    mark.segment.undo(mark.place)
                    self.segments.touch(mark.segment)
            except OSError as error:
                # The next append tries again, else the next start: the journal tells where it ends.
                log.error(
                    "%s: %s is to be cut, and cannot be: %s", mark.channel.name, mark.segment.name, error
                )

    def _take_back(self, mark: Mark) -> None:
        """Remove a segment that was begun."""
        self.journal.note_ended([mark.segment.name])
        self.segments.undone(mark.segment)
        if mark.channel.segment is mark.segment:
            mark.channel.let_go()
        mark.segment.remove()

    def _seal(self, name: str, reply: Reply) -> None:
        channel = self.channels.get(name)
        if channel is None:
            raise Refusal(404, "no such channel", unknown=[name])
        self.commit()
        if channel.segment is None:
            reply({"ok": True, "segments": []})
            return
        sealed = channel.segment.name
        self.segments.end(channel, lambda: reply({"ok": True, "segments": [sealed]}))

    def _forget(self, name: str, reply: Reply) -> None:
        """A channel is not registered any more."""
        self.commit()
        channel = self.channels.pop(name, None)
        if channel is not None and channel.segment is not None:
            self.segments.end(channel)
        self.live.forget(name)
        reply({"ok": True})

    def tick(self) -> float:
        """Do what is due; gives the seconds until something else is."""
        now = self.clock()
        self.segments.collect()
        self.segments.rescue()
        if now - self._looked >= 1.0:
            self._looked = now
            for channel in list(self.channels.values()):
                if channel.too_old():
                    self.segments.end(channel)
        if self.segments.next_due() <= now:
            self.segments.flush()
        try:
            self.journal.keep_up()
        except OSError as error:
            log.error("the journal cannot be written: %s", error)
        self.live.keep_alarms()
        return max(0.0, min(1.0, self.segments.next_due() - self.clock(), self.live.tick()))

    def close(self) -> None:
        """Bring everything to the disk; every segment is ended."""
        self.commit()
        self.live.close()
        self.alarms.keep(now=True)
        for channel in self.channels.values():
            if channel.segment is not None:
                self.segments.end(channel)
        self.segments.close()
        self.journal.write()
        self.journal.close()

    def stats(self, *, with_channels: bool = False) -> Json:
        """What was done since the start."""
        told = {name: one.counts.to_json() for name, one in self.channels.items() if one.counts.batches}
        return {
            "since": format_time(self.since_ns),
            "total": self.total.to_json(),
            "repeated": self.repeated,
            "refused": dict(self.refused),
            "fsyncs": self.segments.fsyncs,
            "failed_fsyncs": self.segments.failed_fsyncs,
            "segments": len(self.journal.state.segments),
            "open_segments": len(self.segments.opened),
            "known_channels": len(self.channels),
            **self.about_server(),
            **({"channels": told} if with_channels else {}),
        }


def _name(head: Json) -> str:
    name = head.get("channel")
    if not isinstance(name, str):
        raise Refusal(400, "channel is wrong", field="channel", wanted="a channel's name")
    return name


def _hash(head: Json, body: memoryview) -> str:
    """What tells whether two batches are the same."""
    content = sha256(_SORTED(head.get("parts")).encode())
    content.update(body)
    return content.hexdigest()


def _refusal_of(error: OSError) -> Refusal:
    if error.errno in FULL:
        return Refusal(507, "no room on the disk", reason=error.strerror)
    return Refusal(503, "the disk refuses", reason=error.strerror or str(error), retry_after=RETRY_AFTER_S)
