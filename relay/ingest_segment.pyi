from speeddata.relay.ingest_records import Records

Place = tuple[int, int, int]
"""Where a segment ends: bytes, index entries, records."""

class IngestSegment:
    """A segment of a channel, whose `folder` is there; `header` is what it begins with, `unit` the TimeUnit that it states.

    Everything raises OSError: ENOENT when its files are gone, ESTALE when they are not what they were.
    """

    folder: str
    records: int
    unit: int

    def __init__(self, channel: str, folder: str, header: bytes, unit: int) -> None: ...
    @property
    def name(self) -> str: ...
    @property
    def sync_marker(self) -> bytes: ...
    def sibling(self) -> IngestSegment:
        """Another of the same channel and head, not begun."""

    @property
    def place(self) -> Place:
        """Where it ends, and the next block goes."""

    @property
    def synced(self) -> tuple[int, int]:
        """Bytes and index entries that are known to be on the disk."""

    @property
    def pending(self) -> int:
        """Records that are not known to be on the disk."""

    @property
    def is_open(self) -> bool: ...
    def begin(self, start_us: int) -> None:
        """Make the files; the name tells the start, or the next microsecond that is free. Nothing is fsynced."""

    def reopen(self) -> None:
        """Open the files again, if they are not, and cut off what does not count."""

    def cut(self) -> None:
        """Cut off what an append or undo that failed may have left behind what counts, if one has."""

    def check(self) -> None:
        """See that it is whole and where it was made, else raise; what must be cut off is cut off first."""

    def append(self, records: Records) -> None:
        """Write the blocks of records and their index entries: all of them, or none when it fails."""

    def undo(self, place: Place) -> None:
        """Cut it back to where it ended before."""

    def mark_synced(self, place: Place) -> None:
        """Somebody has brought it to the disk as far as this place."""

    def sync(self) -> None:
        """fdatasync of both files."""

    def rescue(self, into: IngestSegment) -> int:
        """Copy the blocks that are not known to be on the disk, as far as they still are what they were; gives their records."""

    def give_up(self) -> None:
        """Cut it to what is known to be on the disk."""

    def close(self) -> None:
        """Close the files; closing twice is fine."""

    def remove(self) -> None:
        """Delete the files."""

def sync_file_system(fd: int) -> None:
    """Bring all of the file system that a descriptor is of to the disk; OSError where that fails."""
