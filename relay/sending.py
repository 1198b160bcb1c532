"""The way out of a channel's live streams: found again when their interface has gone and come back, and in words why they do not go.

Nothing here is of the hot path. The sockets are shared by keeper and relay, so what one sets holds for both.
"""

import errno
import logging
import os
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from speeddata.host_addresses import index_of
from speeddata.relay.spec import Group, Multicast

__all__ = ["ABSENT", "Sending", "sending_error", "set_way"]

log = logging.getLogger(__name__)

# What is said where an interface is not there, or down, or without a route: it may come.
ABSENT = frozenset((errno.EADDRNOTAVAIL, errno.ENODEV, errno.ENETUNREACH, errno.ENETDOWN, errno.EHOSTUNREACH))
FIRST_WAIT_S, LONGEST_WAIT_S = 1.0, 8.0  # before a way that could not be set is tried again
NO_WAY = "the interface to send by was not there"
# Of each stream the counter of packets that went, and why the last one could not.
STREAMS = {"full_rate": ("forwarded", "forward_error"), "decimated": ("decimated", "decimate_error")}
STILL_S = 1.0  # after which a stream of which nothing goes is said not to be sent: one that is too fast goes by fits and starts


def sending_error(number: int) -> str | None:
    """Why the last packet could not go, by its errno; None for 0."""
    if not number:
        return None
    # An output that has found no way yet is connected to nothing.
    return NO_WAY if number == errno.EDESTADDRREQ else os.strerror(number)


def set_way(sock: socket.socket, interface: str, group: Group) -> None:
    """Have a socket send to a group by the interface that has an address just now. OSError where none has it, or it is down."""
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(interface))
    if not sock.getsockname()[1]:
        # The source address: without it the route would choose.
        sock.bind((interface, 0))
    sock.connect((group.address, group.port))


class Sending:
    """The outputs of a channel, each with its group, and the interface that they go by."""

    def __init__(
        self,
        multicast: Multicast,
        outputs: Sequence[tuple[socket.socket, Group]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.interface = multicast.interface
        self.outputs = outputs
        self.clock = clock
        self.trouble = ""  # why nothing can be sent; empty where nothing is known against it
        self._index: int | None = None  # of the interface that the outputs go by
        self._due, self._wait_s = 0.0, FIRST_WAIT_S
        self._went: dict[
            str, tuple[int, float]
        ] = {}  # of each stream how many packets, and when they were seen to be more

    def look(self, found: Mapping[str, int] | None) -> None:
        """Have the outputs go by the interface that has the address, of those found; tried again with back-off where that fails."""
        if found is None:
            return
        index = index_of(self.interface, found)
        if index is None:
            self._index, self._due, self._wait_s = None, 0.0, FIRST_WAIT_S
            self._say(f"no interface has the address {self.interface}")
        elif index != self._index and self.clock() >= self._due:
            self._go_by(index)

    def _go_by(self, index: int) -> None:
        try:
            for sock, group in self.outputs:
                set_way(sock, self.interface, group)
        except OSError as error:
            self._due = self.clock() + self._wait_s
            self._wait_s = min(2 * self._wait_s, LONGEST_WAIT_S)
            self._say(f"interface {self.interface}: {error.strerror}")
        else:
            self._index, self._wait_s = index, FIRST_WAIT_S
            self._say("")

    def _say(self, trouble: str) -> None:
        if trouble != self.trouble:
            groups = ", ".join(f"{group.address}:{group.port}" for _, group in self.outputs)
            if trouble:
                log.warning("nothing can be sent to %s: %s", groups, trouble)
            else:
                log.info("%s can be sent to again", groups)
        self.trouble = trouble

    def unsent(self, stats: Mapping[str, Any], *, full_rate: bool) -> str:
        """Which streams are not sent, and why, by a channel's counters; empty where all are."""
        streams = list(STREAMS) if full_rate else ["decimated"]
        if self.trouble:
            return f"not sent live ({', '.join(streams)}): {self.trouble}"
        still = {stream: self._is_still(stream, stats) for stream in streams}
        told = [f"{stream}: {stats[STREAMS[stream][1]]}" for stream in streams if still[stream]]
        return f"not sent live, {'; '.join(told)}" if told else ""

    def _is_still(self, stream: str, stats: Mapping[str, Any]) -> bool:
        """Whether the last packet of a stream could not go, and none has gone for a while."""
        counter, error = STREAMS[stream]
        now, went = self.clock(), stats[counter]
        known, since = self._went.get(stream, (went, now - STILL_S))
        if went != known:
            since = now
        self._went[stream] = went, since
        return bool(stats[error]) and now - since >= STILL_S
