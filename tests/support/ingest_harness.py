"""A store in the test's own process, without sockets: what it is asked is answered in lists."""

from pathlib import Path
from typing import Any

from store_client import FINGERPRINT, numbers, part, rows, store_spec

from speeddata.relay.ingest_recovery import recover
from speeddata.relay.ingest_store import IngestStore

Json = dict[str, Any]


class Clock:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Harness:
    """One data folder, and the store on it."""

    def __init__(self, folder: Path, most_open: int = 512) -> None:
        self.folder = folder
        self.archive = folder / "archive"
        self.journal = folder / "ingest.journal"
        self.clock = Clock()
        self.most_open = most_open
        self.store = self._begin()

    def _begin(self) -> IngestStore:
        assert recover(self.journal) == []
        return IngestStore(self.journal, self.most_open, self.clock)

    def ask(self, head: Json, body: bytes = b"") -> Json:
        """Ask and commit; gives the answer, however many turns it takes."""
        answers: list[Json] = []
        self.store.handle(head, memoryview(body), answers.append)
        self.store.commit()
        if not answers:
            self.settle()
        return answers[0]

    def settle(self) -> None:
        """Let what is due be done."""
        self.clock.now += 1
        for _ in range(3):
            self.store.tick()
            self.store.segments.collect(wait=True)
        self.store.tick()

    def open(self, *names: str, **other: Any) -> None:
        specs = [store_spec(self.archive, name, **other) for name in names]
        assert self.ask({"op": "open", "specs": specs}) == {"ok": True}

    def head(self, *parts: tuple[str, int, int], **options: Any) -> tuple[Json, bytes]:
        """An append of parts of (channel, first number, count)."""
        told = [
            {"channel": name, "schema": FINGERPRINT, "records": count, "bytes": len(rows(first, count))}
            for name, first, count in parts
        ]
        head = {"op": "append", "key": None, "durability": None, "live": False, "parts": told, **options}
        return head, b"".join(part(*one)[3] for one in parts)

    def append(self, *parts: tuple[str, int, int], **options: Any) -> Json:
        return self.ask(*self.head(*parts, **options))

    def kill(self) -> None:
        """Begin anew as after a kill: nothing of the former store is brought to its end."""
        former = self.store
        former.segments.collect(wait=True)
        former.segments.flusher.close()
        former.journal.close()
        self.store = self._begin()

    def close(self) -> None:
        self.store.close()

    def numbers(self, name: str) -> list[int]:
        return numbers(self.archive / name)

    def files(self, name: str, ending: str = "avro") -> list[Path]:
        return sorted((self.archive / name).glob(f"*.{ending}"))
