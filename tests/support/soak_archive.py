"""Reads the archives of a soak while they are written: each segment once, after it has ended."""

import contextlib
import os
import shutil
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from speeddata.archive import segment_paths
from speeddata.index import index_path
from speeddata.reader import Reader
from speeddata.segment import Segment

REST_S = 0.5
BEHIND_BYTES = 16 << 30  # of segments that are not read yet: the machine cannot follow


class ArchiveReader:
    """The segments of a channel's folder; `records` counts what was read, `deleted` those of it that somebody had deleted.

    What has ended is linked to a folder of ours, so that retention cannot take it away unread.
    """

    def __init__(self, folder: Path, held: Path) -> None:
        self.folder, self.held = folder, held
        self.records = self.deleted = self.segments = 0
        self.last = -1  # number of the last record that was read
        self.known: set[str] = set()  # segments that were held or read
        # Descriptors of segment and index that were deleted, by name.
        self.gone: dict[str, tuple[int, int]] = {}

    def delete(self, name: str) -> None:
        """Delete a segment under the relay's hands; what it held is read later all the same."""
        path = self.folder / name
        self.gone[name] = os.open(path, os.O_RDONLY), os.open(index_path(path), os.O_RDONLY)
        path.unlink()
        index_path(path).unlink()

    def hold(self, in_use: Sequence[str]) -> None:
        """Hold what came before all segments that are in use; where none is, nothing is sure to have ended."""
        if in_use:
            self._hold(min(in_use))

    def read_next(self) -> bool:
        """Read the oldest segment that is held; False when there is none."""
        path = min(self.held.glob("*.avro"), default=None)
        if path:
            self._read(path)
            path.unlink()
            index_path(path).unlink()
        return path is not None

    def read_rest(self) -> None:
        """Read everything that is left, when nobody writes any more."""
        self._hold("~")
        while self.read_next():
            pass

    def behind(self) -> int:
        """Bytes that are held."""
        return sum(path.stat().st_size for path in self.held.glob("*.avro"))

    def _hold(self, limit: str) -> None:
        self.held.mkdir(parents=True, exist_ok=True)
        names = {path.name for path in segment_paths(self.folder)} | self.gone.keys()
        for name in sorted(names - self.known):
            if name < limit:
                self._restore(name) if name in self.gone else self._link(name)
                self.known.add(name)

    def _link(self, name: str) -> None:
        for path in (index_path(self.folder / name), self.folder / name):
            os.link(path, self.held / path.name)

    def _restore(self, name: str) -> None:
        """Copy a deleted segment, as it was when its relay let go of it."""
        path = self.held / name
        for fd, target in zip(reversed(self.gone[name]), (index_path(path), path), strict=True):
            with os.fdopen(fd, "rb") as source, target.open("wb") as copy:
                shutil.copyfileobj(source, copy)

    def _read(self, path: Path) -> None:
        """Read one segment: numbers rise, from one to the next too."""
        with Reader([Segment(path)]) as reader:
            for table in reader.batches(["n"]):
                numbers = np.asarray(table.columns["n"])
                assert numbers[0] > self.last, f"{path.name}: {numbers[0]} after {self.last}"
                assert (np.diff(numbers) > 0).all(), f"{path.name}: not each once, in order"
                self.last = int(numbers[-1])
                self.records += len(numbers)
                self.deleted += len(numbers) if path.name in self.gone else 0
            assert reader.damages == [], f"{path.name}: {reader.damages}"
        self.segments += 1


class Follower(threading.Thread):
    """Reads several archives; `in_use` tells which segments of a channel are in use. `error` is why it has ended by itself."""

    def __init__(self, readers: dict[str, ArchiveReader], in_use: Callable[[str], Sequence[str]]) -> None:
        super().__init__(name="follower")
        self.readers, self.in_use = readers, in_use
        self.ended = threading.Event()
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            while not self.ended.is_set():
                for name, reader in self.readers.items():
                    reader.hold(self.in_use(name))
                    assert reader.behind() < BEHIND_BYTES, f"the archive of {name} is read too slowly"
                if not any([reader.read_next() for reader in self.readers.values()]):
                    self.ended.wait(REST_S)
        except BaseException as error:
            self.error = error

    def check(self) -> None:
        """Fail if it has failed."""
        if self.error:
            raise self.error

    def finish(self) -> None:
        """End it."""
        self.ended.set()
        with contextlib.suppress(RuntimeError):  # it was not begun
            self.join()
