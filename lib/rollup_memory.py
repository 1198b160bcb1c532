"""A bounded memory for rollups: what was used last is kept, within so many bytes. Threads may share it."""

import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, Protocol, TypeVar

__all__ = ["Memory"]


class _Sized(Protocol):
    @property
    def nbytes(self) -> int: ...


Value = TypeVar("Value", bound=_Sized)
OVERHEAD = 512  # bytes of an entry beside its arrays


class Memory(Generic[Value]):
    """Values by key, of at most `limit` bytes together."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.bytes = 0
        self._lock = threading.Lock()
        self._values: OrderedDict[Hashable, Value] = OrderedDict()

    def __len__(self) -> int:
        return len(self._values)

    def get(self, key: Hashable) -> Value | None:
        """What is known by a key."""
        with self._lock:
            value = self._values.get(key)
            if value is not None:
                self._values.move_to_end(key)
            return value

    def put(self, key: Hashable, value: Value) -> None:
        """Keep a value, unless it alone is too large."""
        size = value.nbytes + OVERHEAD
        with self._lock:
            self._drop(key)
            if size > self.limit:
                return
            self._values[key] = value
            self.bytes += size
            while self.bytes > self.limit:
                self._drop(next(iter(self._values)))

    def _drop(self, key: Hashable) -> None:
        value = self._values.pop(key, None)
        if value is not None:
            self.bytes -= value.nbytes + OVERHEAD
