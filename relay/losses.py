"""What the end of a data folder's relays has cost, kept for who looks afterwards: `run/losses`, a line each.

The keeper reserves the room when it starts, as the disk may be full when there is something to say.
"""

import os
from pathlib import Path

__all__ = ["note_loss", "reserve_losses", "take_losses"]

NAME = "losses"
ROOM = 1 << 16


def reserve_losses(run_folder: int) -> None:
    """Make room for what may be said; what was said before is gone. OSError when there is none."""
    fd = _open(run_folder, os.O_TRUNC)
    try:
        os.pwrite(fd, b"\n" * ROOM, 0)
    finally:
        os.close(fd)


def note_loss(run_folder: int, line: str) -> None:
    """Add a line, as far as there is room, unless it has been said."""
    fd = _open(run_folder)
    try:
        said = list(filter(None, os.pread(fd, ROOM, 0).split(b"\n")))
        new = line.replace("\n", " ").encode()
        os.pwrite(fd, b"\n".join([*said, *([new] if new not in said else [])])[:ROOM], 0)
    finally:
        os.close(fd)


def take_losses(run: Path) -> list[str]:
    """Read what was said, and forget it."""
    path = run / NAME
    try:
        lines = path.read_text(errors="replace").split("\n")
    except FileNotFoundError:
        return []
    path.unlink()
    return list(filter(None, lines))


def _open(run_folder: int, flags: int = 0) -> int:
    flags |= os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    return os.open(NAME, flags, 0o640, dir_fd=run_folder)
