"""Where things lie in a data folder, and the locks that say who acts on it."""

import fcntl
import os
from pathlib import Path

from speeddata.errors import RelayError

__all__ = ["DataFolder", "lock_holder", "take_lock"]


class DataFolder:
    """Paths of one data folder."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self.registry = self.path / "registry.db"
        self.archive = self.path / "archive"
        self.run = self.path / "run"
        self.log = self.path / "log"
        self.keeper_lock = self.run / "keeper.lock"

    def make(self) -> None:
        """Make what is not there; OSError if that cannot be."""
        for folder in (self.path, self.run, self.log):
            folder.mkdir(parents=True, exist_ok=True, mode=0o750)

    def lock(self, service: str) -> Path:
        """The lock of the orchestrator that runs a service."""
        return self.run / f"{service}.lock"

    def pidfile(self, name: str) -> Path:
        """The pid of a process that an orchestrator started."""
        return self.run / f"{name}.pid"

    def log_file(self, name: str) -> Path:
        """What such a process says."""
        return self.log / f"{name}.log"


def take_lock(path: Path) -> int:
    """Take a lock and write our pid into it; RelayError names who has it. It is ours as long as we live."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        pid = os.pread(fd, 32, 0).decode().strip()
        os.close(fd)
        raise RelayError(f"{path.parent.parent} is in use by process {pid or 'unknown'}") from None
    os.ftruncate(fd, 0)
    os.pwrite(fd, f"{os.getpid()}\n".encode(), 0)
    return fd


def lock_holder(path: Path) -> int | None:
    """The process that holds a lock."""
    try:
        fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        text = os.pread(fd, 32, 0).decode().strip()
        return int(text) if text.isdigit() else None
    finally:
        os.close(fd)
    return None
