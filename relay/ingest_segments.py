"""The segments that the shared relay works on: which are open, which are still to be brought to the disk, which end.

A segment whose fsync failed is never trusted again: what the kernel still holds of its newest blocks goes into another, and
it is cut to what is known to be on the disk.
"""

import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from speeddata.durable import sync_folder
from speeddata.relay.ingest_channel import Counts, IngestChannel
from speeddata.relay.ingest_flush import Flusher, Job, bring_to_disk
from speeddata.relay.ingest_journal import Journal, OpenSegment
from speeddata.relay.ingest_records import Records
from speeddata.relay.ingest_segment import IngestSegment

__all__ = ["Segments"]

log = logging.getLogger(__name__)

FOR_EVER = float("inf")


@dataclass(slots=True, eq=False)
class _Unsynced:
    """A segment that is not on the disk as far as it goes."""

    channel: IngestChannel
    segment: IngestSegment
    due: float  # monotonic
    fresh: bool  # its name may not be on the disk either


class Segments:
    """All segments that are not ended."""

    def __init__(
        self, journal: Journal, most_open: int, total: Counts, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.journal = journal
        self.most_open = most_open
        self.total = total
        self.clock = clock
        self.flusher = Flusher()
        # Segments whose files are open, the one used last at the end.
        self.opened: OrderedDict[IngestSegment, None] = OrderedDict()
        self.unsynced: dict[IngestSegment, _Unsynced] = {}
        # Those that are appended to no more, and end when they are on the disk; with what is to be told then.
        self.ending: dict[IngestSegment, tuple[IngestChannel, list[Callable[[], None]]]] = {}
        # Those whose fsync failed, until they are mended.
        self.suspects: list[_Unsynced] = []
        self.fsyncs = self.failed_fsyncs = 0
        self.soonest = FOR_EVER  # no segment is due before
        self._fresh: set[IngestSegment] = set()

    def begin(self, channel: IngestChannel, records: Records) -> IngestSegment:
        """Begin a segment for records; it is noted, not yet written in the journal. OSError when it cannot be."""
        segment = channel.begin(records)
        self._note_begun(segment)
        return segment

    def _note_begun(self, segment: IngestSegment) -> None:
        length, entries, _ = segment.place
        about = OpenSegment(segment.folder, segment.sync_marker.hex(), length, entries)
        self.journal.note_begun(segment.name, about)
        self._fresh.add(segment)
        self.touch(segment)

    def use(self, segment: IngestSegment) -> None:
        """See that a segment is open and sound. OSError says why it is not."""
        segment.reopen()
        segment.check()
        self.touch(segment)

    def touch(self, segment: IngestSegment) -> None:
        """Note that a segment is open; of many, that which was used longest ago is closed."""
        self.opened[segment] = None
        self.opened.move_to_end(segment)
        while len(self.opened) > self.most_open:
            self.opened.popitem(last=False)[0].close()

    def appended(self, channel: IngestChannel, segment: IngestSegment) -> None:
        """Note that records were appended: when they are to be on the disk at the latest."""
        if segment not in self.unsynced:
            fresh = segment in self._fresh
            self._fresh.discard(segment)
            self.unsynced[segment] = _Unsynced(channel, segment, self._due(channel), fresh)

    def _due(self, channel: IngestChannel) -> float:
        spec = channel.spec
        due = FOR_EVER if spec.durability == "none" else self.clock() + spec.flush_interval_s
        self.soonest = min(self.soonest, due)
        return due

    def undone(self, segment: IngestSegment) -> None:
        """Forget a segment that was begun in vain, and is removed."""
        self._fresh.discard(segment)
        self._forget(segment)

    def drop(self, channel: IngestChannel) -> None:
        """Forget a channel's segment, that somebody has deleted or spoiled."""
        segment = channel.segment
        assert segment is not None, "there is one"
        log.warning("%s: %s is not what it was, going on in another", channel.name, segment.name)
        self.journal.note_ended([segment.name])
        self._forget(segment)
        channel.let_go()

    def _forget(self, segment: IngestSegment) -> None:
        self.opened.pop(segment, None)
        self.unsynced.pop(segment, None)
        self.ending.pop(segment, None)
        segment.close()

    def end(self, channel: IngestChannel, then: Callable[[], None] | None = None) -> None:
        """Append no more to a channel's segment; `then` is called when it is on the disk and ended."""
        segment = channel.segment
        assert segment is not None, "there is one"
        self.ending[segment] = channel, [then] if then else []
        known = self.unsynced.get(segment)
        if known is None:
            self.unsynced[segment] = _Unsynced(channel, segment, 0.0, segment in self._fresh)
            self._fresh.discard(segment)
        else:
            known.due = 0.0
        self.soonest = 0.0
        channel.segment = channel.plan = None

    def sync(self, segments: Iterable[IngestSegment]) -> bool:
        """Bring segments to the disk now; False when one may not be there: then `rescue` is to follow."""
        self.collect(wait=True)
        if self.suspects:  # what they have of batches that are not done must not be saved
            return False
        wanted = [self.unsynced[one] for one in segments if one in self.unsynced]
        jobs = [Job.of(one.segment) for one in wanted]
        self.fsyncs += 1
        failed = {job.segment for job in bring_to_disk(jobs, _folders(wanted))}
        self.failed_fsyncs += bool(failed)
        self.suspects += [one for one in wanted if one.segment in failed]
        for job in jobs:
            if job.segment not in failed:
                self._synced(job)
        return not failed

    def _synced(self, job: Job) -> None:
        """A segment is on the disk as far as it went then."""
        known = self.unsynced[job.segment]
        job.segment.mark_synced(job.place)
        if job.segment.place == job.place and job.segment not in self.ending:
            del self.unsynced[job.segment]
        else:
            known.due, known.fresh = self._due(known.channel), False
        if job.segment in self.ending:
            known.due = self.soonest = 0.0

    def rescue(self) -> None:
        """Mend what the last `sync` or `collect` left, when every batch is done or undone."""
        suspects, self.suspects = self.suspects, []
        for one in suspects:
            if one.segment in self.unsynced:
                self._rescue(one)

    def next_due(self) -> float:
        """When something is to be brought to the disk; for ever where nothing is, or the disk is at it."""
        return FOR_EVER if self.flusher.jobs else self.soonest

    def flush(self) -> None:
        """Have all that is not on the disk brought there, by the thread."""
        if self.flusher.jobs:
            return
        self.soonest = FOR_EVER
        wanted = [one for one in self.unsynced.values() if one.due != FOR_EVER]
        if wanted:
            self.fsyncs += 1
            jobs = [Job.of(one.segment) for one in wanted]
            self.flusher.start(jobs, _folders(wanted), self.journal.fd)

    def collect(self, *, wait: bool = False) -> None:
        """See what came of the flush; where it failed, `rescue` is to follow."""
        result = self.flusher.finish(wait=wait)
        if result is None:
            return
        self.failed_fsyncs += bool(result.failed) or not result.journal
        if not result.journal:
            self.journal.suspect = True
        bad = {job.segment for job in result.failed}
        for job in result.jobs:
            known = self.unsynced.get(job.segment)
            if known is None:
                continue
            if job.segment in bad:
                self.suspects.append(known)
                continue
            self._synced(job)
            if job.segment in self.ending and job.segment.place == job.place:
                self._ended(job.segment)

    def _ended(self, segment: IngestSegment) -> None:
        """A segment is on the disk: if it was to end, it has."""
        ending = self.ending.pop(segment, None)
        if ending is None:
            return
        try:
            segment.cut()
            self.journal.note_ended([segment.name])
        except OSError as error:  # the next start cuts it
            log.error("%s cannot be cut: %s", segment.name, error)
        self._forget(segment)
        for then in ending[1]:
            then()

    def _rescue(self, one: _Unsynced) -> None:
        """Bring what a failed fsync left of a segment into another one; both end."""
        channel, old = one.channel, one.segment
        log.error("%s: fsync of %s failed", channel.name, old.name)
        pending, saved = old.pending, 0
        fresh = old.sibling()
        try:
            old.reopen()
            saved = self._copy(old, fresh)
            log.warning("%s: %d records of it are in %s now", channel.name, saved, fresh.name)
        except OSError as error:
            log.error("%s: %d records cannot be saved: %s", channel.name, pending, error)
            with suppress(OSError):
                fresh.remove()
            self.journal.note_cut(old.name, old.synced)
        for counts in (channel.counts, self.total):
            counts.rescued += saved
            counts.lost += pending - saved
            counts.archived -= pending - saved
        if channel.segment is old:
            channel.let_go()
        self._abandon(old, fresh)

    def _copy(self, old: IngestSegment, fresh: IngestSegment) -> int:
        """Copy what is not on the disk, and let it count there instead; how many records."""
        fresh.begin(time.time_ns() // 1000)
        self._note_begun(fresh)
        self.journal.write()
        saved = old.rescue(fresh)
        fresh.sync()
        sync_folder(Path(fresh.folder))
        self.journal.note_cut(old.name, old.synced, (fresh.name, *fresh.place[:2]))
        self.journal.write()
        self.journal.sync()
        return saved

    def _abandon(self, old: IngestSegment, fresh: IngestSegment) -> None:
        """End both segments of a rescue; the old one is cut first, if not now then at the next start."""
        ended = [fresh.name]
        try:
            old.give_up()
            ended.append(old.name)
        except OSError as error:
            log.error("%s cannot be cut: %s", old.name, error)
        self.journal.note_ended(ended)
        _, then = self.ending.get(old, (None, ()))
        self._fresh.discard(fresh)
        self._forget(fresh)
        self._forget(old)
        for call in then:
            call()

    def close(self) -> None:
        """Bring everything to the disk and end it."""
        self.collect(wait=True)
        self.rescue()
        for one in self.unsynced.values():
            one.due = 0.0
        while self.unsynced:
            self.flush()
            if not self.flusher.jobs:
                break
            self.collect(wait=True)
            self.rescue()
        self.flusher.close()
        for segment in list(self.opened):
            self._forget(segment)


def _folders(wanted: Iterable[_Unsynced]) -> set[Path]:
    """Folders whose names may not be on the disk."""
    new = [Path(one.segment.folder) for one in wanted if one.fresh]
    return {*new, *(folder.parent for folder in new)}
