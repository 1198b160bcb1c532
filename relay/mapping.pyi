from typing import Any

LOSSES: tuple[str, ...]
"""Why accepted records are not in the archive, besides a full ring."""

class Mapping:
    """A channel's shared mapping in this process.

    `Mapping.create(...)` makes a fresh one; `Mapping(fd)` attaches to one that another process made.
    """

    fd: int
    def __init__(self, fd: int) -> None: ...
    @staticmethod
    def create(name: str, block_bytes: int, ring_bytes: int) -> Mapping:
        """Make a mapping with empty books. The descriptor is the caller's to close."""

    def populate(self) -> bool:
        """Fault in and lock what receiving touches; False when it may not be locked (the relay works without)."""

    @property
    def armed(self) -> bool:
        """Whether the slots may hold packets that do not count yet: so while a receiver waits for some."""
    clean: bool
    """Whether the last relay ended in order, with everything it had received written."""
    words: str
    """Why the last relay ended by itself, in its own words."""

    @property
    def movers(self) -> tuple[int, int]:
        """Thread ids of the last relay's receiver and decimator: of all threads, these must be dead before others begin."""

    def sign(self, thread: str, tid: int) -> None:
        """Note the thread id of the `receiver` or the `decimator`."""

    def count_repair(self, cut_bytes: int, found_blocks: int) -> None:
        """Count a segment that was mended."""

    def note_disk_error(self, error: int) -> None:
        """For the writer: count on with the errno that keeps it from archiving."""

    def stats(self) -> dict[str, Any]:
        """The channel's counters, as a whole: the receiver's at one instant, the writer's at one instant."""

    @property
    def progress(self) -> int:
        """What only moves when the receiver goes on: the batches that it has begun, and how often nothing came."""

    @property
    def turns(self) -> int:
        """How often a signal went beyond its limits, or came back."""

    @property
    def skipped(self) -> int:
        """Blocks that the decimator came too late for: what is in them was held against no limits."""

    def standings(self) -> list[dict[str, Any]]:
        """How the signals stand that were ever beyond their limits, each side by itself, under their keys."""

    def restore(self, standings: list[dict[str, Any]]) -> None:
        """Have signals stand as they did in another life of the channel; before a decimator begins."""

    def acknowledge(self, signal: str, side: str, epoch: int, rises: int) -> bool:
        """For the keeper: note that so many rises are acknowledged; False where the signal is not there, or of another life."""

    def sources(self) -> list[dict[str, Any]]:
        """Who sends, in the order of their appearance: address and port, what came of each, when the last packet came."""

    def take_aside(self, most: int = 256) -> list[tuple[int, int, int, int, int, bytes]]:
        """Take refused packets out of the quarantine ring: arrival ns, IPv4 address, port, reason, offset, bytes."""

    def refused_waiting(self) -> bool:
        """Whether there are packets for `take_aside`."""

    def filed(self, packets: int) -> None:
        """Count packets that were filed in quarantine."""
