"""How `speeddata stop` and `restart` are run: one after the other on a data folder, saying line by line what they do."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from speeddata.errors import RelayError
from speeddata.lock import wait_for_lock
from speeddata.relay.data_folder import DataFolder

__all__ = ["carry_out"]

WAIT_LIMIT_S = 60.0


def carry_out(command: Callable[[DataFolder], Iterator[str]], path: Path) -> None:
    """Print the lines of a command as they come. What goes wrong is said, and ends the process with status 1.

    Of a folder that is not there nothing is known to run: status 2, for it may be mistyped.
    """
    data = DataFolder(path)
    if not data.path.is_dir():
        print(f"speeddata: --data {path}: there is no such folder", file=sys.stderr)
        sys.exit(2)
    said = False
    try:
        with _alone(data):
            for line in command(data):
                print(line, flush=True)
                said = True
    except (OSError, RelayError) as error:
        print(f"speeddata: {path}: {error}", file=sys.stderr)
        sys.exit(1)
    if not said:
        print(f"nothing runs on {data.path}")


@contextmanager
def _alone(data: DataFolder) -> Iterator[None]:
    """Wait for the command before. One that takes too long is not waited for."""
    lock = wait_for_lock(data.command_lock, WAIT_LIMIT_S) if data.run.is_dir() else None
    try:
        yield
    finally:
        if lock is not None:
            os.close(lock)
