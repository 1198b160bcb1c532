"""`speeddata restart`: renew every process of a data folder in place, as after an upgrade, without losing a packet.

First the orchestrator with its services, which begins anew in its own process; then the keeper, whose relays the next one
adopts; then the relays, one after another.
"""

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import click

from speeddata.counted import counted
from speeddata.errors import RelayError
from speeddata.lock import lock_holder
from speeddata.relay.client import KeeperClient
from speeddata.relay.data_folder import DataFolder
from speeddata.relay.strays import open_process, wait_end
from speeddata.relay.upkeep import carry_out
from speeddata.settings_table import SERVICES

__all__ = ["main", "restart_all"]

ORCHESTRATOR_LIMIT_S = 30.0
KEEPER_LIMIT_S = 10.0
REST_S = 0.02


def restart_all(data: DataFolder) -> Iterator[str]:
    """Renew what runs; says what it did. RelayError when something did not come back; of relays at the end."""
    for pid in sorted({lock_holder(data.lock(service)) or 0 for service in SERVICES} - {0}):
        yield _renew_orchestrator(data, pid)
    keeper = lock_holder(data.keeper_lock)
    if keeper is None:
        return
    client = KeeperClient(data.path)
    yield _renew_keeper(client, keeper)
    failed = []
    for channel in client.list():
        name = channel["name"]
        try:
            yield f"{name}: relay {channel['pid']} replaced by {client.replace(name)}"
        except RelayError as error:
            failed.append(name)
            yield f"{name}: not replaced: {error}"
    if failed:
        raise RelayError(f"not replaced are {counted(len(failed), 'relay')}: {', '.join(failed)}")


def _renew_orchestrator(data: DataFolder, pid: int) -> str:
    """Have an orchestrator begin anew; it keeps its pid, and signs its locks again."""
    locks = [data.lock(service) for service in SERVICES if lock_holder(data.lock(service)) == pid]
    signed = {lock: lock.stat().st_mtime_ns for lock in locks}
    os.kill(pid, signal.SIGUSR1)

    def renewed() -> bool:
        if not os.path.exists(f"/proc/{pid}"):
            raise RelayError(
                f"orchestrator {pid} did not begin anew, what it said tells why; recording goes on"
            )
        return all(
            lock.stat().st_mtime_ns > then and lock_holder(lock) == pid for lock, then in signed.items()
        )

    _wait(renewed, ORCHESTRATOR_LIMIT_S, f"orchestrator {pid} does not begin anew")
    return f"orchestrator {pid} began anew"


def _renew_keeper(client: KeeperClient, pid: int) -> str:
    """Have another keeper adopt the relays of one."""
    former = open_process("keeper", pid)
    try:
        client.leave()
    except RelayError:  # it does not answer, or not to this
        if former:
            signal.pidfd_send_signal(former.pidfd, signal.SIGKILL)
    if former:
        if not wait_end(former, KEEPER_LIMIT_S):
            raise RelayError(f"keeper {pid} does not end")
        former.close()
    return f"keeper {pid} replaced by {client.start_keeper()}"


def _wait(condition: Callable[[], bool], limit_s: float, failure: str) -> None:
    deadline = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() > deadline:
            raise RelayError(failure)
        time.sleep(REST_S)


@click.command()
@click.option("--data", type=click.Path(path_type=Path), required=True)
@click.option("--json", "as_json", is_flag=True)
def main(data: Path, as_json: bool) -> None:
    """Renew every process of a data folder."""
    carry_out(restart_all, data, as_json)


if __name__ == "__main__":
    main()
