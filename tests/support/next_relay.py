"""How long a channel is without a receiver when its relay is killed: seen in the mapping that all its relays share."""

import os
import select
import signal
import time

from processes import open_files

from speeddata.relay.mapping import Mapping

BATCH = {False: 64, True: 16 * 64}  # most packets that a relay takes at once, by whether they are joined
LOOK_S = 0.0005  # between two looks, which are not to take the relay its processor
LIMIT_S = 20.0


class Watch:
    """Watches the receivers of a channel, whose relay of the moment has this pid."""

    def __init__(self, pid, *, joined):
        self.fd = open_mapping(pid)
        self.mapping = Mapping(self.fd)
        self.batch = BATCH[joined]

    def close(self):
        self.mapping = None
        os.close(self.fd)

    @property
    def packets(self):
        """How many have been received."""
        stats = self.mapping.stats()
        return stats["packets"] + sum(stats["rejected"].values())

    def kill(self, pid):
        """Kill the relay; the milliseconds until the next one has received.

        That begins with walking what the dead one has left in its slots, at most a batch, which does not count.
        """
        pidfd = os.pidfd_open(pid)
        begin = time.perf_counter()
        os.kill(pid, signal.SIGKILL)
        dying = select.poll()
        dying.register(pidfd, select.POLLIN)
        assert dying.poll(LIMIT_S * 1000), f"relay {pid} does not die"
        os.close(pidfd)
        left = self.packets + self.batch
        while self.packets <= left:
            assert time.perf_counter() - begin < LIMIT_S, f"nobody receives after relay {pid}"
            time.sleep(LOOK_S)
        return (time.perf_counter() - begin) * 1000


def open_mapping(pid):
    """A descriptor of a relay's mapping."""
    for path, name in open_files(pid).items():
        if name.startswith("/memfd:speeddata:"):
            return os.open(path, os.O_RDWR | os.O_CLOEXEC)
    raise AssertionError(f"process {pid} has no mapping")
