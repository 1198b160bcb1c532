"""Bringing a registry database of an older version to the present one: forward only, after a copy was laid aside."""

import logging
import sqlite3
from importlib import resources
from pathlib import Path

__all__ = ["OLDEST", "VERSION", "back_up", "backup_path", "migrate"]

log = logging.getLogger(__name__)

VERSION = 5  # PRAGMA user_version
OLDEST = 1  # that can be brought to it


def backup_path(path: Path, version: int) -> Path:
    """Where the copy of a database is laid before it leaves a version."""
    return path.with_name(f"{path.name}.v{version}.bak")


def migrate(connection: sqlite3.Connection, path: Path, version: int) -> None:
    """Bring a database from its version to the present one, wholly or not at all."""
    if version == VERSION:
        return
    copy = backup_path(path, version)
    back_up(connection, copy)
    folder = resources.files("speeddata.registry")
    scripts = [
        folder.joinpath(f"from_{step}.sql").read_text(encoding="utf-8") for step in range(version, VERSION)
    ]
    try:
        connection.executescript(
            f"BEGIN IMMEDIATE;\n{''.join(scripts)}\nPRAGMA user_version = {VERSION};\nCOMMIT;"
        )
    except sqlite3.Error:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    log.info("%s brought from version %d to %d, the former one is %s", path, version, VERSION, copy.name)


def back_up(connection: sqlite3.Connection, copy: Path) -> None:
    """Copy a database; the copy is there as a whole or not at all."""
    fresh = copy.with_name(f".{copy.name}.new")
    fresh.unlink(missing_ok=True)
    other = sqlite3.connect(fresh)
    try:
        connection.backup(other)
    finally:
        other.close()
    fresh.replace(copy)
