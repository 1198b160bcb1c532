"""Ending a keeper with its relays, in order where they answer, by force where they do not."""

import contextlib
import logging
import os
from collections.abc import Callable, Iterator

from speeddata.counted import counted
from speeddata.errors import RelayError
from speeddata.relay.client import KeeperClient
from speeddata.relay.handover import living_relays
from speeddata.relay.losses import note_loss
from speeddata.relay.strays import Stray, end, open_process, wait_end, wake

__all__ = ["end_all", "end_keeper", "end_relays"]

log = logging.getLogger(__name__)

KEEPER_GRACE_S = 10.0
DEAF_GRACE_S = 1.0
RELAY_GRACE_S = 5.0


def end_keeper(client: KeeperClient, pid: int) -> Iterator[str]:
    """End a keeper and its relays, all data flushed unless they are deaf; says what it ended."""
    keeper = open_process("keeper", pid)
    if keeper is None:
        return
    relays = _relays(client)
    for process in (keeper, *relays):
        wake(process)
    answer = client.ping()
    if answer:
        try:
            client.shutdown()
        except RelayError as error:
            log.warning("keeper: %s", error)
    if answer and wait_end(keeper, KEEPER_GRACE_S):
        yield f"keeper {pid} ended, with {counted(answer['channels'], 'relay')}"
        keeper.close()
    else:
        yield from end_all([keeper], DEAF_GRACE_S)
    yield from end_relays(client, relays)


def end_relays(client: KeeperClient, relays: list[Stray] | None = None) -> Iterator[str]:
    """End relays that have no keeper any more; says what it ended."""
    relays = _relays(client) if relays is None else relays
    left = [relay for relay in relays if not wait_end(relay, 0)]
    yield from end_all(left, RELAY_GRACE_S, lambda line: _note(client, line))
    for relay in relays:
        if relay not in left:
            relay.close()


def _relays(client: KeeperClient) -> list[Stray]:
    with contextlib.suppress(FileNotFoundError), _run_folder(client) as folder:
        return [stray for pid in living_relays(folder) if (stray := open_process("relay", pid))]
    return []


def _note(client: KeeperClient, line: str) -> None:
    with contextlib.suppress(OSError), _run_folder(client) as folder:
        note_loss(folder, f"{line}: what it had not written is lost")


@contextlib.contextmanager
def _run_folder(client: KeeperClient) -> Iterator[int]:
    folder = os.open(client.data / "run", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield folder
    finally:
        os.close(folder)


def end_all(
    processes: list[Stray], grace_s: float, on_kill: Callable[[str], None] | None = None
) -> Iterator[str]:
    """End processes and let go of them; says how each ended, `on_kill` is told of those that had to be killed."""
    killed = end(processes, grace_s)
    for process in processes:
        line = f"{process.name} {process.pid} "
        line += "killed, it did not end" if process in killed else "ended"
        if on_kill and process in killed:
            on_kill(line)
        yield line
        process.close()
