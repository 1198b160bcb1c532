"""Unix sockets in a run folder that is held by a descriptor: their path itself may be too long for an address."""

import contextlib
import os
import socket

__all__ = ["listen", "socket_address"]


def socket_address(folder: int, name: str) -> str:
    """The address of a socket in a folder."""
    return f"/proc/self/fd/{folder}/{name}"


def listen(folder: int, name: str, backlog: int) -> socket.socket:
    """Listen under a name, for this user alone, in the place of whoever listened there before."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(name, dir_fd=folder)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(socket_address(folder, name))
    os.chmod(name, 0o600, dir_fd=folder)
    listener.listen(backlog)
    return listener
