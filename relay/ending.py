"""Ending a keeper with its relays, in order where they answer, by force where they do not."""

import logging
from collections.abc import Iterator

from speeddata.errors import RelayError
from speeddata.relay.client import KeeperClient
from speeddata.relay.strays import Stray, children, end, open_process, wait_end

__all__ = ["end_all", "end_keeper"]

log = logging.getLogger(__name__)

KEEPER_GRACE_S = 10.0
DEAF_GRACE_S = 1.0
RELAY_GRACE_S = 5.0


def end_keeper(client: KeeperClient, pid: int) -> Iterator[str]:
    """End a keeper and its relays, all data flushed unless they are deaf; says what it ended."""
    keeper = open_process("keeper", pid)
    if keeper is None:
        return
    relays = [stray for child in children(pid) if (stray := open_process("relay", child))]
    answers = client.ping() is not None
    if answers:
        try:
            client.shutdown()
        except RelayError as error:
            log.warning("keeper: %s", error)
    if answers and wait_end(keeper, KEEPER_GRACE_S):
        yield f"keeper {pid} ended, with {len(relays)} relays"
        keeper.close()
    else:
        yield from end_all([keeper], DEAF_GRACE_S)
    # They flush and end when the keeper is gone.
    left = [relay for relay in relays if not wait_end(relay, 0)]
    yield from end_all(left, RELAY_GRACE_S)
    for relay in relays:
        if relay not in left:
            relay.close()


def end_all(processes: list[Stray], grace_s: float) -> Iterator[str]:
    """End processes and let go of them; says how each ended."""
    killed = end(processes, grace_s)
    for process in processes:
        yield f"{process.name} {process.pid} {'killed, it did not end' if process in killed else 'ended'}"
        process.close()
