"""Makes the file of an export. It blocks, so it runs in a thread; an event ends it early."""

import errno
import json
import logging
import os
import socket
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

import speeddata
from speeddata.archive import Archive
from speeddata.errors import SchemaError
from speeddata.pivot.attendance import Stopped
from speeddata.pivot.export_formats import DEFAULT, ZIP, Format
from speeddata.pivot.export_sink import Sink
from speeddata.pivot.export_stream import Stream, make_streams
from speeddata.pivot.export_zip import write_zip
from speeddata.pivot.problem import Problem
from speeddata.pivot.request import ExportRequest, choose_signals
from speeddata.pivot.spool import Spool
from speeddata.reader import Reader
from speeddata.times import format_time

__all__ = ["PREFIX", "Export", "Work", "make_export", "sweep", "temporary_folder"]

logger = logging.getLogger(__name__)

PREFIX = ".speeddata-export-"
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
NO_ROOM_TOLD = "No room for the export on the service's disk, ask for less at once"
Check = Callable[[], None]


@dataclass
class Work:
    """How an export that is being made can be watched and ended."""

    stop: threading.Event = field(default_factory=threading.Event)
    tags: Sequence[Mapping[str, Any]] = ()  # that overlap it
    min_free_percent: float = 0  # of the disk that it is written to, below which it is given up
    room: Callable[[], int] | None = (
        None  # bytes that it may have, which may change meanwhile; None: any number
    )
    total: int = 0  # records to be read, at most
    read: int = 0  # records read so far
    size: int = 0  # bytes written so far

    def count(self, records: int) -> None:
        """Tell that so many more were read."""
        self.read += records

    def check(self, descriptor: int) -> None:
        """Raise Stopped when it is not wanted any more, and ENOSPC where it takes too much of the disk."""
        if self.stop.is_set():
            raise Stopped
        self.size = os.fstat(descriptor).st_size
        if self.room is not None and self.size > self.room():
            raise OSError(errno.ENOSPC, "the exports that are kept have no more room")
        if self.min_free_percent:
            disk = os.fstatvfs(descriptor)
            if disk.f_bavail * 100 < disk.f_blocks * self.min_free_percent:
                raise OSError(errno.ENOSPC, f"less than {self.min_free_percent:g} % of the disk is free")


@dataclass
class Export:
    """A finished export. By default its file has no name, so nothing is left of it when it is closed, by whatever end."""

    file: BinaryIO
    size: int
    damages: int  # places in the archive that could not be read
    records: int = 0  # read
    media: str = DEFAULT.media[0]
    suffix: str = DEFAULT.suffix


def make_export(
    request: ExportRequest,
    archives: Mapping[str, Archive],
    folder: Path,
    work: Work,
    out: BinaryIO | None = None,
) -> Export:
    """Write the channels of a request to a file in `folder`, or to an empty and unbuffered one that is given."""
    with ExitStack() as stack:
        readers = {}
        for name, archive in archives.items():
            if work.stop.is_set():
                raise Stopped
            readers[name] = stack.enter_context(archive.open(request.start_ns, request.end_ns))
        work.total = sum(reader.count for reader in readers.values())
        try:
            return _write(request, readers, folder, work, out)
        except SchemaError as error:
            raise Problem(400, f"The columns are not to be had as Avro: {error}", field="format") from None
        except OSError as error:
            if error.errno not in NO_ROOM:
                raise
            logger.warning("no room for an export in %s: %s", folder, error.strerror)
            raise Problem(507, NO_ROOM_TOLD) from None


def _write(
    request: ExportRequest, readers: Mapping[str, Reader], folder: Path, work: Work, given: BinaryIO | None
) -> Export:
    """Write what the readers give; OSError where the disk does not take it."""
    chosen = choose_signals(request.signals, {name: _signals(reader) for name, reader in readers.items()})

    def make_temporary() -> BinaryIO:
        return tempfile.TemporaryFile(dir=folder, prefix=PREFIX, buffering=0)

    with ExitStack() as stack:
        out = stack.enter_context(make_temporary()) if given is None else given
        if request.options.format.grouped:
            spool = Spool(out.fileno())
            check = _both(work, out.fileno(), spool)
            streams = make_streams(request, readers, chosen, check, work.count)
            request.options.format.writer(streams, spool, _attributes(request, work), request.options)
            made: Format = request.options.format
        else:
            sink = Sink(out.fileno())
            check = _both(work, out.fileno(), sink)
            streams = make_streams(request, readers, chosen, check, work.count)
            made = _write_plain(request, streams, sink, make_temporary, work)
        check()  # what the last records took counts too
        _tell(readers)
        stack.pop_all()
        size = os.fstat(out.fileno()).st_size
        work.size = size
        out.seek(0)
        compression = request.options.compression
        damages = sum(len(reader.damages) for reader in readers.values())
        media, suffix = made.media_of(compression), made.full_suffix(compression)
        return Export(out, size, damages, work.read, media, suffix)


def _write_plain(
    request: ExportRequest,
    streams: Sequence[Stream],
    sink: Sink,
    make_temporary: Callable[[], BinaryIO],
    work: Work,
) -> Format:
    """Write a format whose files hold one channel."""
    about = _metadata(request, work)
    if len(streams) == 1:
        early = {f"speeddata.{key}": value for key, value in streams[0].about().items()}
        request.options.format.writer(streams[0], sink, {**about, **early}, request.options)
        return request.options.format
    write_zip(streams, sink, about, request.options, make_temporary)
    return ZIP


def _both(work: Work, descriptor: int, sink: Spool | Sink) -> Check:
    def check() -> None:
        work.check(descriptor)
        sink.check()

    return check


def _attributes(request: ExportRequest, work: Work) -> dict[str, Any]:
    """What an HDF5 file says of the request."""
    return {
        "start": format_time(request.start_ns),
        "end": format_time(request.end_ns),
        "start_ns": request.start_ns,
        "end_ns": request.end_ns,
        "channels": ",".join(request.channels),
        "signals": ",".join(request.signals),
        "request": json.dumps(dict(request.asked)),
        "tags": json.dumps(list(work.tags)),
    }


def _metadata(request: ExportRequest, work: Work) -> dict[str, str]:
    """What other files say of the request, as far as they have a place for it."""
    told = {
        "version": speeddata.__version__,
        "host": socket.gethostname(),
        "created": datetime.now(UTC).isoformat(),
        **{key: str(value) for key, value in _attributes(request, work).items()},
    }
    return {f"speeddata.{key}": value for key, value in told.items()}


def _tell(readers: Mapping[str, Reader]) -> None:
    for name, reader in readers.items():
        for damage in reader.damages:
            logger.warning("%s: %s", name, damage)


def _signals(reader: Reader) -> list[str] | None:
    """Names of a channel's signals besides its time; None when there is nothing that tells them."""
    return (
        None
        if reader.schema is None
        else [name for name in reader.schema.signal_names if name != reader.schema.time]
    )


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
