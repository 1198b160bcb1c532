"""`speeddata stop`: end everything that runs on a data folder, whoever started it."""

from collections.abc import Iterator
from pathlib import Path

import click

from speeddata.errors import RelayError
from speeddata.lock import lock_holder
from speeddata.relay.client import KeeperClient
from speeddata.relay.data_folder import DataFolder
from speeddata.relay.ending import end_all, end_keeper, end_relays
from speeddata.relay.losses import take_losses
from speeddata.relay.services import INGEST
from speeddata.relay.strays import find_all_strays, open_process
from speeddata.relay.upkeep import carry_out
from speeddata.settings_table import SERVICES

__all__ = ["main", "stop_all"]

ORCHESTRATOR_GRACE_S = 20.0
SERVICE_GRACE_S = 5.0


def stop_all(data: DataFolder) -> Iterator[str]:
    """End orchestrators, then services, then the keeper with its relays; says what it ended.

    RelayError, at the end, when something that was received could not be brought to the disk.
    """
    orchestrators = [
        process
        for pid in sorted({lock_holder(data.lock(service)) or 0 for service in SERVICES} - {0})
        if (process := open_process("orchestrator", pid))
    ]
    yield from end_all(orchestrators, ORCHESTRATOR_GRACE_S)
    strays = find_all_strays(data.run)
    yield from end_all([one for one in strays if one.name != INGEST], SERVICE_GRACE_S)
    # After those that use it.
    yield from end_all([one for one in strays if one.name == INGEST], ORCHESTRATOR_GRACE_S)
    client = KeeperClient(data.path)
    keeper = lock_holder(data.keeper_lock)
    if keeper:
        yield from end_keeper(client, keeper)
    yield from end_relays(client)
    if lost := take_losses(data.run):
        raise RelayError("; ".join(lost))


@click.command()
@click.option("--data", type=click.Path(path_type=Path), required=True)
@click.option("--json", "as_json", is_flag=True)
def main(data: Path, as_json: bool) -> None:
    """End everything that runs on a data folder."""
    carry_out(stop_all, data, as_json)


if __name__ == "__main__":
    main()
