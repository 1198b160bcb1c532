"""One multicast group and its socket: drained once per tick, drops of the kernel counted."""

import errno
import logging
import socket
import struct

from speeddata.host_addresses import address_indexes, index_of

_log = logging.getLogger(__name__)

_SO_MEMINFO = 55  # socket(7) does not name them; include/uapi/linux/sock_diag.h
_MEMINFO_DROPS = 8
_SO_RCVBUFFORCE = 33
_IP_MULTICAST_ALL = 49
_BUFFER_BYTES = 8 << 20
_PACKET_MAX = 65536
_PER_DRAIN = 20000  # packets, so that a flood in one group does not starve the others

Address = tuple[str, int]


class Receiver:
    """Takes what is sent to one group."""

    def __init__(self, group: Address, interface: str) -> None:
        self.group = group
        self.interface = interface
        # The number of the interface that has the address, before it is joined by that.
        self.index = index_of(interface, address_indexes() or {})
        # Packets that the kernel threw away because the socket's buffer was full.
        self.drops = 0
        self._socket = _join(group, interface)

    def drain(self) -> list[tuple[bytes, Address]]:
        """Give the packets that wait, each with its sender."""
        received: list[tuple[bytes, Address]] = []
        while len(received) < _PER_DRAIN:
            try:
                received.append(self._socket.recvfrom(_PACKET_MAX))
            except BlockingIOError:
                break
            except OSError as error:
                # A pending network error is reported once by the next call; the socket goes on.
                _log.warning("multicast group %s:%d: %s", *self.group, error)
                break
        self.drops = self._read_drops()
        return received

    def _read_drops(self) -> int:
        info = self._socket.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, 4 * (_MEMINFO_DROPS + 1))
        return int(struct.unpack(f"{len(info) // 4}I", info)[_MEMINFO_DROPS])

    def close(self) -> None:
        """Leave the group."""
        self._socket.close()


def _join(group: Address, interface: str) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setsockopt(socket.IPPROTO_IP, _IP_MULTICAST_ALL, 0)
        try:
            sock.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _BUFFER_BYTES)
        except PermissionError:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_BYTES)
        # Bound to the group, not to any address: other groups with this port stay out.
        sock.bind(group)
        member = socket.inet_aton(group[0]) + socket.inet_aton(interface)
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
    except OSError as error:
        sock.close()
        reason = errno.errorcode.get(error.errno or 0, "")
        raise OSError(
            error.errno, f"cannot join {group[0]}:{group[1]} on {interface}: {error.strerror} ({reason})"
        ) from error
    return sock
