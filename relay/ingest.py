"""The shared relay: appends what comes by HTTP or import, for all channels of a data folder, whether they have a UDP port or not.

    python -P -m speeddata.relay.ingest --data FOLDER [--pidfile FILE]

It is asked on `run/ingest.sock` (see ingest_protocol.py). Its segments are its own: those of a channel's relay have one
writer too, and readers merge them by time.
"""

import contextlib
import logging
import os
import resource
import signal
import sys
from pathlib import Path

import click

from speeddata import logs
from speeddata.errors import RelayError
from speeddata.exit_codes import CANNOT_START
from speeddata.lock import take_lock
from speeddata.pidfile import pidfile
from speeddata.relay.data_folder import DataFolder
from speeddata.relay.ingest_recovery import recover
from speeddata.relay.ingest_server import IngestServer
from speeddata.relay.ingest_store import IngestStore

__all__ = ["main"]

log = logging.getLogger(__name__)

MOST_OPEN = 512  # segments, of two files each
OTHER_FILES = 768  # connections, sockets of live streams
LEAST_OPEN = 16


@click.command()
@click.option("--data", type=click.Path(path_type=Path, file_okay=False), required=True)
@click.option("--pidfile", "pid_path", type=click.Path(path_type=Path))
def main(data: Path, pid_path: Path | None) -> None:
    """Append what comes by HTTP."""
    logs.set_up("ingest")
    folder = DataFolder(data)
    try:
        folder.make()
        lock = take_lock(
            folder.run / "ingest.lock", f"{folder.path} has a shared relay already, process {{pid}}"
        )
        with pidfile(pid_path):
            serve(folder)
    except (RelayError, OSError) as error:
        print(f"ingest: {error}", file=sys.stderr)
        sys.exit(CANNOT_START)
    os.close(lock)


def serve(folder: DataFolder) -> None:
    """Serve until SIGTERM or SIGINT; then everything is brought to the disk."""
    for line in recover(folder.journal):
        log.error("cannot be mended, left as it is: %s", line)
    store = IngestStore(folder.journal, allow_files())
    run = os.open(folder.run, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    server = IngestServer(store, run)
    with _stopped_by_signals(server):
        log.info("appending to %s", folder.archive)
        server.run()
    server.close()
    store.close()
    os.close(run)


@contextlib.contextmanager
def _stopped_by_signals(server: IngestServer):  # type: ignore[no-untyped-def]
    wake, waker = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(waker, warn_on_full_buffer=False)

    def stop() -> None:
        os.read(wake, 64)
        server.stopping = True

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    server.watch(wake, stop)
    try:
        yield
    finally:
        signal.set_wakeup_fd(-1)
        os.close(wake)
        os.close(waker)


def allow_files() -> int:
    """Allow as many open files as are wanted; gives how many segments may be open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * MOST_OPEN + OTHER_FILES
    if soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(hard, wanted)
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return max(LEAST_OPEN, min(MOST_OPEN, (soft - OTHER_FILES) // 2))


if __name__ == "__main__":
    main()
