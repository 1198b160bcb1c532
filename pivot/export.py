"""Makes the HDF5 file of an export. It blocks, so it runs in a thread; `stop` ends it early."""

import errno
import logging
import os
import tempfile
import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import h5py

from speeddata.archive import Archive
from speeddata.hdf5 import create_file, write_group
from speeddata.pivot.problem import Problem
from speeddata.pivot.request import ExportRequest, choose_signals
from speeddata.pivot.spool import Spool
from speeddata.reader import Reader
from speeddata.times import format_time

__all__ = ["Export", "Stopped", "checker", "export_hdf5", "sweep", "temporary_folder"]

logger = logging.getLogger(__name__)

PREFIX = ".speeddata-export-"
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
Check = Callable[[], None]


class Stopped(Exception):
    """The export was not wanted any more."""


def checker(stop: threading.Event) -> Check:
    """What raises Stopped as soon as it is called after the event."""

    def check() -> None:
        if stop.is_set():
            raise Stopped

    return check


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
    check = checker(stop)
    with ExitStack() as stack:
        readers = {}
        for name, archive in archives.items():
            check()
            readers[name] = stack.enter_context(archive.open(request.start_ns, request.end_ns))
        try:
            return _write(request, readers, folder, check)
        except OSError as error:
            if error.errno not in NO_ROOM:
                raise
            logger.warning("no room for an export in %s: %s", folder, error.strerror)
            raise Problem(507, "No room for the export on the service's disk, ask for less at once") from None


def _write(request: ExportRequest, readers: Mapping[str, Reader], folder: Path, check: Check) -> Export:
    """Write what the readers give; OSError where the disk does not take it."""
    chosen = choose_signals(request.signals, {name: _signals(reader) for name, reader in readers.items()})
    with ExitStack() as stack:
        out = stack.enter_context(tempfile.TemporaryFile(dir=folder, prefix=PREFIX, buffering=0))
        spool = Spool(out.fileno())

        def check_all() -> None:
            check()
            spool.check()

        with create_file(spool, **_about(request)) as file:
            damages = 0
            for name, reader in readers.items():
                _write_channel(file, name, reader, chosen[name], check_all)
                damages += len(reader.damages)
                for damage in reader.damages:
                    logger.warning("%s: %s", name, damage)
            file.attrs["corrupt_blocks"] = damages
        spool.check()
        stack.pop_all()
        return Export(out, os.fstat(out.fileno()).st_size, damages)


def _about(request: ExportRequest) -> dict[str, Any]:
    """What the file says of the request."""
    return {
        "start": format_time(request.start_ns),
        "end": format_time(request.end_ns),
        "start_ns": request.start_ns,
        "end_ns": request.end_ns,
        "channels": ",".join(request.channels),
        "signals": ",".join(request.signals),
    }


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
