"""The records of a segment, or of another Avro container file, as text in the order of the file."""

from collections.abc import Callable, Iterator
from pathlib import Path

from speeddata.errors import ArchiveError
from speeddata.examination import Examination
from speeddata.index import ENTRY, Entry
from speeddata.index_state import read_index
from speeddata.record_text import Form
from speeddata.segment import Segment
from speeddata.unpack import Records
from speeddata.writers import writer_of

__all__ = ["Cat"]


class Cat:
    """Reads one file, a block at a time."""

    def __init__(
        self,
        path: Path,
        *,
        start_ns: int | None = None,
        end_ns: int | None = None,
        schema_text: str | None = None,
        watch: Callable[[int], None] = lambda _: None,
    ) -> None:
        self.path = path
        # Records of [start_ns, end_ns) are given; one whose time is impossible counts by its receive time, as in the index.
        self.start_ns, self.end_ns = start_ns, end_ns
        self.schema_text = schema_text
        self.watch = watch  # is told the bytes of each block that was read
        # Known when all has been read: what is damaged, and why nothing could be read.
        self.damages: list[str] = []
        self.error = ""

    def text(self, form: Form) -> Iterator[str]:
        """The records in a form, a text for each block."""
        try:
            index = read_index(self.path)
            with Segment(self.path, schema_text=self.schema_text, timed=False) as segment:
                yield from self._text(segment, index, form)
        except OSError as error:
            self.error = error.strerror or str(error)

    def _text(self, segment: Segment, index: bytes | None, form: Form) -> Iterator[str]:
        examination = Examination(segment, index)
        if segment.size:
            plan = segment.head.plan
            if not plan.schema.time and (self.start_ns, self.end_ns) != (None, None):
                raise ArchiveError("its records have no time to choose them by")
            yield form.begin(plan.schema)
            for packed, content in examination.read(self.start_ns, self.end_ns):
                entry = Entry._make(ENTRY.unpack(packed))
                records = Records(plan, content, segment.unit)
                yield "".join(form.line(record) for ns, record in records if self._wants(ns, entry))
                self.watch(entry.length)
        examination.find_tail()
        faults = list(examination.faults)
        if examination.tail and not writer_of(self.path):
            faults.append(examination.tail)
        self.damages = [f"{self.path}: {fault}" for fault in faults]

    def _wants(self, ns: int | None, entry: Entry) -> bool:
        if ns is None:
            ns = min(max(entry.arrival_ns, entry.min_ns), entry.max_ns)
        return (self.start_ns is None or ns >= self.start_ns) and (self.end_ns is None or ns < self.end_ns)
