"""A bounded cache of finished answers. Each is good as long as a token of the archive's state over its range is the same."""

import threading
from collections import OrderedDict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["Answer", "ResultCache"]

SHARE = 8  # an answer of more than this part of the cache is not kept


@dataclass(frozen=True, eq=False)
class Answer:
    """A finished answer: its bytes in pieces, and what it is."""

    parts: tuple[bytes, ...]
    media_type: str
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def size(self) -> int:
        return sum(map(len, self.parts))


@dataclass(frozen=True)
class _Entry:
    token: Hashable
    answer: Answer
    channels: tuple[str, ...]
    size: int


class ResultCache:
    """Answers by key, a canonical text of the request. Threads may share it."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._lock = threading.Lock()
        self._entries: OrderedDict[str, _Entry] = OrderedDict()
        self._bytes = self._hits = self._misses = self._outdated = self._evicted = 0

    def get(self, key: str, token: Hashable) -> Answer | None:
        """The answer to a request, if the archive's state has still this token."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is not None and entry.token == token:
                self._entries.move_to_end(key)
                self._hits += 1
                return entry.answer
            if entry is not None:
                self._drop(key)
                self._outdated += 1
            self._misses += 1
            return None

    def put(self, key: str, token: Hashable, answer: Answer, channels: Sequence[str]) -> None:
        """Keep an answer about some channels, unless it is too large."""
        size = answer.size + 2 * len(key) + 512
        with self._lock:
            self._drop(key)
            if size * SHARE > self.limit:
                return
            self._entries[key] = _Entry(token, answer, tuple(channels), size)
            self._bytes += size
            while self._bytes > self.limit:
                self._drop(next(iter(self._entries)))
                self._evicted += 1

    def clear(self, channel: str | None = None) -> int:
        """Forget all answers, or those about a channel; how many there were."""
        with self._lock:
            gone = [
                key for key, entry in self._entries.items() if channel is None or channel in entry.channels
            ]
            for key in gone:
                self._drop(key)
            return len(gone)

    def keys(self) -> list[str]:
        """The requests whose answers are kept, that used last at the end."""
        with self._lock:
            return list(self._entries)

    def stats(self) -> dict[str, Any]:
        """How full it is, and how often it had an answer."""
        with self._lock:
            return {
                "entries": len(self._entries),
                "bytes": self._bytes,
                "max_bytes": self.limit,
                "hits": self._hits,
                "misses": self._misses,
                "outdated": self._outdated,
                "evicted": self._evicted,
            }

    def _drop(self, key: str) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._bytes -= entry.size
