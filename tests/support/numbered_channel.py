"""A channel under a keeper, and its source of numbered records."""

import contextlib
import os
import socket
from pathlib import Path

from ledger import balanced, packets
from line import make_spec, wait_until
from ports import free_port

from speeddata.relay.client import KeeperClient

THREADS = 4  # of a relay that is ready


@contextlib.contextmanager
def keeping(folder):
    """A keeper, which ends at the end."""
    keeper = KeeperClient(folder / "data")
    keeper.start_keeper()
    try:
        yield keeper
    finally:
        keeper.shutdown()


class NumberedChannel:
    """The channel `test` of a keeper, from its start to its stop."""

    def __init__(self, keeper, folder, **settings):
        self.keeper = keeper
        self.spec = make_spec(folder, port=free_port()) | settings
        self.archive = Path(self.spec["archive"])
        self.sent = 0
        self.pid = keeper.start(self.spec)
        self.source = socket.socket(type=socket.SOCK_DGRAM)
        self.source.connect(("127.0.0.1", self.spec["port"]))

    def __enter__(self):
        self.wait_ready()
        return self

    def __exit__(self, *_):
        self.source.close()
        if self.keeper.list("test"):
            self.keeper.stop("test")

    @property
    def state(self):
        """Pid, state and reason, as the keeper tells them."""
        return self.keeper.list("test")[0]

    @property
    def stats(self):
        return self.keeper.stats("test")

    def wait_ready(self):
        """Wait until all threads of the relay run; gives its pid."""
        return wait_until(lambda: (pid := self.state["pid"]) and _threads(pid) >= THREADS and pid, "a relay")

    def send(self, count):
        """Send the next records, a packet each."""
        for packet in packets(self.sent, count):
            self.source.send(packet)
        self.sent += count

    def settle(self, limit_s=20.0):
        """Wait until each record that was sent is archived or counted as lost; gives the counters."""
        try:
            return wait_until(
                lambda: (s := self.stats)["records"] == self.sent and balanced(s) and s, "books", limit_s
            )
        except AssertionError as error:
            raise AssertionError(f"{error}: sent {self.sent}, {self.state}, {self.stats}") from None

    def stop(self):
        """Stop the relay when all is on the disk, or soon will not be; gives the last counters."""
        with contextlib.suppress(AssertionError):
            wait_until(lambda: (s := self.stats)["durable"] == s["archived"], limit_s=2)
        stats = self.stats
        self.keeper.stop("test")
        return stats


def _threads(pid):
    try:
        return len(os.listdir(f"/proc/{pid}/task"))
    except (FileNotFoundError, ProcessLookupError):
        return 0
