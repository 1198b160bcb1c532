"""Unix sockets in a run folder that is held by a descriptor: their path itself may be too long for an address."""

import contextlib
import os
import socket

__all__ = ["listen", "socket_address"]


def socket_address(folder: int, name: str) -> str:
    """The address of a socket in a folder."""
    return f"/proc/self/fd/{folder}/{name}"


def listen(folder: int, name: str, backlog: int) -> socket.socket:
    """Listen under a name, for this user alone, in the place of whoever listened there before.

    The socket gets its name when it listens: who finds it there is not refused.
    """
    early = f".{name}.new"
    with contextlib.suppress(FileNotFoundError):
        os.unlink(early, dir_fd=folder)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(socket_address(folder, early))
    os.chmod(early, 0o600, dir_fd=folder)
    listener.listen(backlog)
    os.rename(early, name, src_dir_fd=folder, dst_dir_fd=folder)
    return listener
