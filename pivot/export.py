"""Makes the HDF5 file of an export. It blocks, so it runs in a thread; `stop` ends it early."""

import logging
import os
import tempfile
import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import h5py

from speeddata.archive import Archive
from speeddata.hdf5 import create_file, write_group
from speeddata.pivot.request import ExportRequest, choose_signals
from speeddata.reader import Reader
from speeddata.times import format_time

__all__ = ["Export", "Stopped", "export_hdf5", "sweep", "temporary_folder"]

logger = logging.getLogger(__name__)

PREFIX = ".speeddata-export-"
Check = Callable[[], None]


class Stopped(Exception):
    """The export was not wanted any more."""


@dataclass
class Export:
    """A finished export. Its file has no name, so nothing is left of it when it is closed, by whatever end."""

    file: BinaryIO
    size: int
    damages: int  # places in the archive that could not be read


def export_hdf5(
    request: ExportRequest, archives: Mapping[str, Archive], folder: Path, stop: threading.Event
) -> Export:
    """Write the channels of a request to a file in `folder`."""

    def check() -> None:
        if stop.is_set():
            raise Stopped

    with ExitStack() as stack:
        readers = {}
        for name, archive in archives.items():
            check()
            readers[name] = stack.enter_context(archive.open(request.start_ns, request.end_ns))
        known = {name: _signals(reader) for name, reader in readers.items()}
        chosen = choose_signals(request.signals, known)
        descriptor, path = tempfile.mkstemp(dir=folder, prefix=PREFIX, suffix=".h5")
        out = os.fdopen(descriptor, "rb")
        try:
            with create_file(
                path,
                start=format_time(request.start_ns),
                end=format_time(request.end_ns),
                start_ns=request.start_ns,
                end_ns=request.end_ns,
                channels=",".join(request.channels),
                signals=",".join(request.signals),
            ) as file:
                Path(path).unlink(missing_ok=True)
                damages = 0
                for name, reader in readers.items():
                    _write_channel(file, name, reader, chosen[name], check)
                    damages += len(reader.damages)
                    for damage in reader.damages:
                        logger.warning("%s: %s", name, damage)
                file.attrs["corrupt_blocks"] = damages
            return Export(out, os.fstat(out.fileno()).st_size, damages)
        except BaseException:
            out.close()
            Path(path).unlink(missing_ok=True)
            raise


def _signals(reader: Reader) -> list[str] | None:
    """Names of a channel's signals besides its time; None when there is nothing that tells them."""
    return (
        None
        if reader.schema is None
        else [name for name in reader.schema.signal_names if name != reader.schema.time]
    )


def _write_channel(file: h5py.File, name: str, reader: Reader, names: list[str] | None, check: Check) -> None:
    if reader.schema is None:  # a channel without records so far
        group = write_group(file, name, [], kinds={}, units={})
        group.finish(damage=[damage.as_json() for damage in reader.damages])
        return
    kinds = {signal.name: signal.type for signal in reader.schema.signals}
    units = {signal.name: signal.unit for signal in reader.schema.signals}
    group = write_group(file, name, reader.batches(names, check), kinds=kinds, units=units)
    if not group.records:
        group.write([reader.empty(names)])
    group.finish(reader.schema.text, reader.gaps, [damage.as_json() for damage in reader.damages])


def temporary_folder(archive: Path) -> Path:
    """Where exports are made: on the archive's disk, or where temporary files are when that cannot be written."""
    if os.access(archive, os.W_OK | os.X_OK):
        return archive
    return Path(tempfile.gettempdir())


def sweep(folder: Path) -> None:
    """Remove what a service that was killed while it began an export has left."""
    for path in folder.glob(f"{PREFIX}*"):
        with suppress(OSError):
            path.unlink()
