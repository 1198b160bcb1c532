"""Brings what children say to the orchestrator's own log, and keeps their files within bounds.

Children write to files, which take everything at once: a child can neither be blocked by us nor lose its words with us. Here
the files are read on, once a second; of a flood so much is passed on, and how much more there was.
"""

import contextlib
import logging
import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from speeddata.logs import read_line

__all__ = ["MAX_LOG", "LogCollector"]

log = logging.getLogger(__name__)

LOOK_S = 1.0
MAX_LOG = 1 << 20  # bytes of a file; it is put aside and begun anew then
MOST_LINES = 100  # of a child that are passed on in one look
MOST_BYTES = 64 << 10
PIECE = 1 << 20
STOP_S = 2.0


@dataclass
class _File:
    """How far a file has been read."""

    inode: int
    at: int
    rest: bytes = b""  # of a line that is not whole yet


class LogCollector:
    """Reads the logs of children; `files` gives them by name, all in `folder`."""

    def __init__(self, files: Callable[[], Mapping[str, Path]], folder: Path) -> None:
        self.files = files
        self.left_out: dict[str, int] = {}  # lines that were not passed on, by name
        self._read: dict[str, _File] = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="logs", daemon=True)
        # What was said before us has been told, also by children that we have yet to start: bytes by inode.
        self._told: dict[int, int] = {}
        for path in folder.glob("*.log"):
            with contextlib.suppress(OSError):
                status = path.stat()
                self._told[status.st_ino] = status.st_size

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, when what was said by now has been passed on."""
        self._stopping.set()
        self._thread.join(STOP_S)

    def _run(self) -> None:
        while not self._stopping.wait(LOOK_S):
            self.look()
        self.look()

    def look(self) -> None:
        """Look at all files once."""
        for name, path in self.files().items():
            try:
                self._look_at(name, path)
            except OSError as error:
                log.debug("%s: %s", path, error)

    def _look_at(self, name: str, path: Path) -> None:
        try:
            fd = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
        except FileNotFoundError:
            self._read.pop(name, None)
            return
        try:
            status = os.fstat(fd)
            known = self._read.get(name)
            if known is None:
                known = self._read[name] = _File(status.st_ino, self._told.pop(status.st_ino, 0))
            if known.inode != status.st_ino or known.at > status.st_size:
                known = self._read[name] = _File(status.st_ino, 0)
            self._pass_on(name, fd, known)
            if known.at > MAX_LOG:
                put_aside(path, fd)
                known.at, known.rest = 0, b""
        finally:
            os.close(fd)

    def _pass_on(self, name: str, fd: int, known: _File) -> None:
        """Say what is new, as far as that is not too much."""
        lines, size, left_out = 0, 0, 0
        while data := os.pread(fd, PIECE, known.at):
            known.at += len(data)
            *whole, known.rest = (known.rest + data).split(b"\n")
            if len(known.rest) > PIECE:  # no line, whatever it is
                known.rest = b""
            for line in whole:
                if lines < MOST_LINES and size < MOST_BYTES:
                    lines, size = lines + 1, size + len(line)
                    _say(name, line)
                else:
                    left_out += 1
        if left_out:
            self.left_out[name] = self.left_out.get(name, 0) + left_out
            log.warning("%d more lines are left out, in one second", left_out, extra={"source": name})


def put_aside(path: Path, fd: int) -> None:
    """Keep the end of a log beside it, and begin it anew: who writes it appends, and goes on at its new end."""
    size = os.fstat(fd).st_size
    data = os.pread(fd, MAX_LOG, max(0, size - MAX_LOG))
    with path.with_suffix(".log.1").open("wb") as former:
        former.write(data)
    os.ftruncate(fd, 0)


def _say(name: str, raw: bytes) -> None:
    text = raw.decode(errors="replace").rstrip("\r")
    if text.strip():
        line = read_line(text, name)
        log.log(line.number, "%s", line.message, extra={"source": line.process})
