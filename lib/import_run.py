"""An import from file to archive: records are made in threads, sent in order, and noted when they are acknowledged."""

import hashlib
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Protocol

from speeddata.import_plan import Chunk, Fit, Records, Source
from speeddata.import_sender import Answer
from speeddata.import_state import ImportState

__all__ = ["Importer", "Sent", "Sender"]

AHEAD = 4  # pieces whose records are made before it is their turn
CONNECTIONS = 3


class Sender(Protocol):
    """What brings records to the archive."""

    def append(self, channel: str, key: str, body: bytes, durability: str = "block") -> Answer: ...
    def stop(self) -> None: ...


@dataclass
class Sent:
    """What an import has brought to the archive."""

    rows: int = 0
    repeated: int = 0  # of them, those that the service had already
    channels: dict[str, int] = field(default_factory=dict)  # rows
    sizes: Counter[str] = field(default_factory=Counter)  # bytes of a channel's records


class Importer:
    """Imports one source; `names` are the channels by the number of their key."""

    def __init__(
        self, source: Source, sender: Sender, state: ImportState, names: Sequence[str], salt: str
    ) -> None:
        self.source = source
        self.sender = sender
        self.state = state
        self.names = list(names)
        # What keys are made of besides the piece and the channel.
        self.salt = salt
        self.sent = Sent()
        self._lock = threading.Lock()

    def run(self, chunks: Sequence[Chunk], fit: Fit, progress: Callable[[int, int], None]) -> Sent:
        """Bring all pieces that are not acknowledged yet; progress is told the size of each, and its rows."""
        with ThreadPoolExecutor(2, "records") as makers, ThreadPoolExecutor(CONNECTIONS, "send") as senders:
            waiting: set[Future[None]] = set()
            try:
                for number, made in self._made(makers, fit):
                    waiting.add(senders.submit(self._deliver, number, made, chunks[number], progress))
                    if len(waiting) > CONNECTIONS:
                        waiting = _settled(waiting)
                while waiting:
                    waiting = _settled(waiting)
            except BaseException:
                self.sender.stop()
                for one in waiting:
                    one.cancel()
                raise
        return self.sent

    def _made(self, makers: ThreadPoolExecutor, fit: Fit) -> Iterator[tuple[int, Records]]:
        """The records of pieces in their order, some of them being made ahead."""
        ahead: deque[tuple[int, Future[Records]]] = deque()
        for number, job in self.source.jobs(fit, self.state.done):
            ahead.append((number, makers.submit(job)))
            if len(ahead) >= AHEAD:
                first, made = ahead.popleft()
                yield first, made.result()
        while ahead:
            first, made = ahead.popleft()
            yield first, made.result()

    def _deliver(
        self, number: int, made: Records, chunk: Chunk, progress: Callable[[int, int], None]
    ) -> None:
        """Bring the records of a piece, and note when all of them are acknowledged."""
        bodies: Counter[int] = Counter()  # of each channel
        for key, count, body in made:
            channel = self.names[key]
            answer = self.sender.append(channel, self._key(channel, chunk, bodies[key]), body)
            bodies[key] += 1
            with self._lock:
                self.sent.rows += count
                self.sent.repeated += count if answer.repeated else 0
                self.sent.channels[channel] = self.sent.channels.get(channel, 0) + count
                self.sent.sizes[channel] += len(body)
        with self._lock:
            self.state.add(number, chunk.rows)
            progress(chunk.size, chunk.rows)

    def _key(self, channel: str, chunk: Chunk, body: int) -> str:
        more = f" {body}" if body else ""
        return hashlib.sha256(f"{self.salt} {channel} {chunk.mark}{more}".encode()).hexdigest()[:40]


def _settled(waiting: set[Future[None]]) -> set[Future[None]]:
    """Those that are still waiting when one has ended; raises what that one has raised."""
    done, rest = wait(waiting, return_when=FIRST_COMPLETED)
    for one in done:
        one.result()
    return rest
