"""Files that take the place of others: of the same owner and rights, and on the disk when it is said that they are."""

import os
import stat
from contextlib import suppress
from pathlib import Path

__all__ = ["sync_file", "sync_folder", "take_after"]


def take_after(fd: int, status: os.stat_result) -> None:
    """Give an open file rights, owner and group of another, as far as we may: who could read the other can read this."""
    with suppress(PermissionError):
        os.fchown(fd, status.st_uid, status.st_gid)
    os.fchmod(fd, stat.S_IMODE(status.st_mode))


def sync_folder(folder: Path) -> None:
    """Bring the names in a folder to the disk."""
    _sync(folder, os.O_DIRECTORY)


def sync_file(path: Path) -> None:
    """Bring a file that nobody has open to the disk; OSError for a symbolic link."""
    _sync(path, os.O_NOFOLLOW)


def _sync(path: Path, kind: int) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | kind)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
