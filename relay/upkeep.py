"""How `speeddata stop` and `restart` are run: one after the other on a data folder, saying line by line what they do."""

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from speeddata.errors import RelayError
from speeddata.exit_codes import FAILED, USAGE
from speeddata.lock import wait_for_lock
from speeddata.progress_bar import waiting
from speeddata.relay.data_folder import DataFolder

__all__ = ["carry_out"]

WAIT_LIMIT_S = 60.0


def carry_out(command: Callable[[DataFolder], Iterator[str]], path: Path, as_json: bool = False) -> None:
    """Print the lines of a command as they come, or all as JSON. What goes wrong is said, and ends the process as failed.

    Of a folder that is not there nothing is known to run: wrong usage, for it may be mistyped.
    """
    data = DataFolder(path)
    if not data.path.is_dir():
        print(f"speeddata: --data {path}: there is no such folder", file=sys.stderr)
        sys.exit(USAGE)
    said: list[str] = []
    failure = ""
    try:
        with _alone(data):
            lines = command(data)
            while line := _next(lines):
                said.append(line)
                if not as_json:
                    print(line, flush=True)
    except (OSError, RelayError) as error:
        failure = str(error)
        print(f"speeddata: {path}: {failure}", file=sys.stderr)
    if as_json:
        print(json.dumps({"data": str(data.path), "done": said, "error": failure or None}))
    elif not said and not failure:
        print(f"nothing runs on {data.path}")
    if failure:
        sys.exit(FAILED)


def _next(lines: Iterator[str]) -> str:
    """The next line; empty after the last."""
    with waiting("waiting for processes"):
        return next(lines, "")


@contextmanager
def _alone(data: DataFolder) -> Iterator[None]:
    """Wait for the command before. One that takes too long is not waited for."""
    lock = wait_for_lock(data.command_lock, WAIT_LIMIT_S) if data.run.is_dir() else None
    try:
        yield
    finally:
        if lock is not None:
            os.close(lock)
