"""`speeddata stop`: end everything that runs on a data folder, whoever started it."""

import logging
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from speeddata.errors import RelayError
from speeddata.relay.client import KeeperClient
from speeddata.relay.data_folder import DataFolder
from speeddata.relay.lock import lock_holder
from speeddata.relay.strays import Stray, end, find_stray, open_process, wait_end
from speeddata.settings_table import SERVICES

__all__ = ["main", "stop_all"]

ORCHESTRATOR_GRACE_S = 20.0
SERVICE_GRACE_S = 5.0
KEEPER_GRACE_S = 10.0


def stop_all(data: DataFolder) -> Iterator[str]:
    """End orchestrators, then services, then the keeper with its relays; says what it ended."""
    orchestrators = [
        process
        for pid in sorted({lock_holder(data.lock(service)) or 0 for service in SERVICES} - {0})
        if (process := open_process("orchestrator", pid))
    ]
    yield from _end(orchestrators, ORCHESTRATOR_GRACE_S)
    strays = [stray for path in sorted(data.run.glob("*.pid")) if (stray := find_stray(path))]
    yield from _end(strays, SERVICE_GRACE_S)
    yield from _stop_keeper(data)


def _end(processes: list[Stray], grace_s: float) -> Iterator[str]:
    killed = end(processes, grace_s)
    for process in processes:
        yield f"{process.name} {process.pid} {'killed, it did not end' if process in killed else 'ended'}"
        process.close()


def _stop_keeper(data: DataFolder) -> Iterator[str]:
    client = KeeperClient(data.path)
    answer = client.ping()
    pid = answer["pid"] if answer else lock_holder(data.keeper_lock)
    keeper = open_process("keeper", pid) if pid else None
    if keeper is None:
        return
    if answer:
        try:
            client.shutdown()
        except RelayError as error:
            logging.warning("keeper: %s", error)
    if answer and wait_end(keeper, KEEPER_GRACE_S):
        yield f"keeper {keeper.pid} ended, with {answer['channels']} relays"
        keeper.close()
    else:
        yield from _end([keeper], KEEPER_GRACE_S)


@click.command()
@click.option("--data", type=click.Path(path_type=Path), required=True)
def main(data: Path) -> None:
    """End everything that runs on a data folder."""
    said = False
    try:
        for line in stop_all(DataFolder(data)):
            print(line, flush=True)
            said = True
    except OSError as error:
        print(f"speeddata: {data}: {error}", file=sys.stderr)
        sys.exit(1)
    if not said:
        print(f"nothing runs on {data.absolute()}")


if __name__ == "__main__":
    main()
