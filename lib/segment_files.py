"""The files that a path on a command line stands for: itself, or the segments of a channel's folder, or of a whole archive."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

__all__ = ["segment_files"]


def segment_files(paths: Iterable[Path]) -> Iterator[tuple[Path, OSError | None]]:
    """The files named, and the .avro files below the folders named, each once; with an error, a folder that cannot be read.

    An index stands for its segment. Links are followed only where they are named themselves. What begins with a dot is not ready to be read.
    """
    seen: set[str] = set()
    for path in paths:
        path = path.resolve() if path.is_symlink() else path
        if path.suffix == ".idx" and path.with_suffix(".avro").is_file():
            path = path.with_suffix(".avro")
        for one, error in _below(path) if path.is_dir() else [(path, None)]:
            real = os.path.realpath(one)
            if real not in seen:
                seen.add(real)
                yield one, error


def _below(folder: Path) -> Iterator[tuple[Path, OSError | None]]:
    try:
        with os.scandir(folder) as found:
            entries = sorted(found, key=lambda entry: entry.name)
    except OSError as error:
        yield folder, error
        return
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _below(folder / entry.name)
        elif entry.name.endswith(".avro") and entry.is_file(follow_symlinks=False):
            yield folder / entry.name, None
