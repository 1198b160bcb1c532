"""Reads the archive of a channel while it is written: each segment once, after it has ended and before retention deletes it."""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from speeddata.archive import segment_paths
from speeddata.index import index_path
from speeddata.reader import Reader
from speeddata.segment import Segment


class ArchiveReader:
    """The segments of a channel's folder; `records` counts what was read, `deleted` those of it that somebody had deleted."""

    def __init__(self, folder: Path, aside: Path) -> None:
        self.folder, self.aside = folder, aside
        self.records = self.deleted = self.segments = 0
        self.last = -1  # number of the last record that was read
        self.read: set[str] = set()
        # Descriptors of segment and index that were deleted, by name.
        self.gone: dict[str, tuple[int, int]] = {}

    def delete(self, name: str) -> None:
        """Delete a segment under the relay's hands; what it held is read later all the same."""
        path = self.folder / name
        self.gone[name] = os.open(path, os.O_RDONLY), os.open(index_path(path), os.O_RDONLY)
        path.unlink()
        index_path(path).unlink()

    def read_ended(self, in_use: Sequence[str]) -> None:
        """Read what came before all segments that are in use."""
        if in_use:
            self._read_all(min(in_use))

    def read_rest(self) -> None:
        """Read everything that is left."""
        self._read_all("~")

    def _read_all(self, limit: str) -> None:
        names = {path.name for path in segment_paths(self.folder)} | self.gone.keys()
        for name in sorted(names - self.read):
            if name < limit:
                self._read(name)
                self.read.add(name)

    def _read(self, name: str) -> None:
        """Read one segment: numbers rise, from one to the next too."""
        path = self._restored(name) if name in self.gone else self.folder / name
        with Reader([Segment(path)]) as reader:
            for table in reader.batches(["n"]):
                numbers = np.asarray(table.columns["n"])
                assert numbers[0] > self.last, f"{name}: {numbers[0]} after {self.last}"
                assert (np.diff(numbers) > 0).all(), f"{name}: not each once, in order"
                self.last = int(numbers[-1])
                self.records += len(numbers)
                self.deleted += len(numbers) if name in self.gone else 0
            assert reader.damages == [], f"{name}: {reader.damages}"
        self.segments += 1
        if name in self.gone:
            path.unlink()
            index_path(path).unlink()

    def _restored(self, name: str) -> Path:
        """A copy of a deleted segment, as it was when its relay let go of it."""
        self.aside.mkdir(exist_ok=True)
        path = self.aside / name
        for fd, target in zip(self.gone[name], (path, index_path(path)), strict=True):
            with os.fdopen(fd, "rb") as source, target.open("wb") as copy:
                shutil.copyfileobj(source, copy)
        return path
