"""The registry's rows in SQLite. One process writes, in short transactions; reads have a connection of their own."""

import json
import logging
import random
import sqlite3
import threading
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import Any

from speeddata.errors import SpeedDataError
from speeddata.registry.migration import OLDEST, VERSION, back_up, migrate
from speeddata.registry.multicast import CAPACITY, free_index, ports_free
from speeddata.settings_values import CHANNEL_NAME

__all__ = ["Channel", "NameTaken", "PortTaken", "Store", "StoreError", "copy_path", "open_store"]

log = logging.getLogger(__name__)

BUSY_TIMEOUT_S = 5.0
WRITTEN = "name, port, schema_path, schema, fingerprint, time_unit, config_json, multicast_index"
COLUMNS = f"{WRITTEN}, created_at, ttl_s"


class StoreError(SpeedDataError):
    """The database cannot be used."""


class NameTaken(SpeedDataError):
    """A channel of this name is registered."""


class PortTaken(SpeedDataError):
    """A channel with this port is registered."""


Place = tuple[str, int | None, int | None]  # of a channel: its name, port and multicast index


@dataclass(frozen=True)
class Channel:
    """A registered channel."""

    name: str
    port: int | None  # None: what comes by HTTP is all it has
    schema_path: str | None
    schema: str  # JSON
    fingerprint: str  # hex
    time_unit: str | None
    config: Mapping[str, Any] | None  # its own settings, as given
    # Given by the store; None: it has no live streams.
    multicast_index: int | None = None
    created_at: str = ""  # given by the store
    ttl_s: float | None = None  # its lease; None: it has none, and is there until it is de-registered


class Store:
    """The channels of one registry database.

    With `instead_of` it is the copy of one that cannot be used, for the reason given: it is read, and nothing is written.
    """

    def __init__(self, path: Path, instead_of: str = "") -> None:
        self.path = path
        self.instead_of = instead_of
        self._copied = -1  # revision that was last copied
        self._write_lock = threading.Lock()
        self._read_lock = threading.Lock()
        # Rows that are no channels, by name, with what is wrong with each.
        self.damaged: dict[str, str] = {}
        # What was read of the channels, and of which state of the database.
        self._known: tuple[int, dict[str, Channel], list[Place]] = (-1, {}, [])
        try:
            mode = "mode=ro&immutable=1" if instead_of else "mode=rwc"
            # The connection that writes, and the one that all reads share.
            self._writer = self._open(f"{path.resolve().as_uri()}?{mode}")
            try:
                self._prepare()
                self._reader = self._open(f"{path.resolve().as_uri()}?{mode.replace('rwc', 'ro')}")
            except BaseException:
                self._writer.close()
                raise
        except (sqlite3.Error, OSError) as error:
            raise StoreError(f"{path} cannot be used as registry: {error}; {ADVICE}") from error
        self.multicast_base = self._facts()["multicast_base"]

    def copy(self) -> None:
        """Lay a copy beside the database where it has changed since the last, whole or not at all. StoreError, OSError."""
        if self.instead_of or self.revision == self._copied:
            return
        with self._write_lock, self._errors():
            back_up(self._writer, copy_path(self.path))
            self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            self._copied = self.revision  # which clearing the log of writes has raised

    def close(self) -> None:
        """Close the database; closing twice is fine."""
        with self._write_lock, self._read_lock:
            self._reader.close()
            self._writer.close()

    def channels(self, *, live: bool = False) -> list[Channel]:
        """All channels by name; `live`: those that have live streams."""
        known = self._read()[1].values()
        return [channel for channel in known if not live or channel.multicast_index is not None]

    def get(self, name: str) -> Channel | None:
        """The channel of a name."""
        return self._read()[1].get(name)

    def places(self) -> list[Place]:
        """Name, port and multicast index of all channels, also of those whose rows are damaged otherwise."""
        return self._read()[2]

    @property
    def revision(self) -> int:
        """A number that is another one whenever something was written."""
        with self.reading() as reader:
            (version,) = reader.execute("PRAGMA data_version").fetchone()
        return int(version)

    def insert(self, channel: Channel, reserved: Collection[int], *, streams: bool = True) -> Channel:
        """Add a channel; its multicast ports, where it has streams, will be no input port and none of the `reserved` ones."""
        with self.transaction() as writer:
            rows = writer.execute("SELECT name, port, multicast_index FROM channels").fetchall()
            if any(name == channel.name for name, _, _ in rows):
                raise NameTaken(channel.name)
            if channel.port is not None and any(port == channel.port for _, port, _ in rows):
                raise PortTaken(str(channel.port))
            if streams:
                ports = {port for _, port, _ in rows} | {channel.port, *reserved}
                facts = dict(writer.execute("SELECT name, value FROM facts"))
                index = free_index(facts["multicast_last"], {index for _, _, index in rows}, ports)
                writer.execute("UPDATE facts SET value = ? WHERE name = 'multicast_last'", (index,))
                channel = replace(channel, multicast_index=index)
            _insert(writer, channel)
        inserted = self.get(channel.name)
        assert inserted is not None, "nobody else writes"
        return inserted

    def insert_all(
        self, channels: Iterable[Channel], streamed: Collection[str], reserved: Collection[int]
    ) -> None:
        """Add channels without a port, of names that are free, all or none; those `streamed` get streams."""
        with self.transaction() as writer:
            rows = writer.execute("SELECT port, multicast_index FROM channels").fetchall()
            ports, used = {port for port, _ in rows} | set(reserved), {index for _, index in rows}
            last = dict(writer.execute("SELECT name, value FROM facts"))["multicast_last"]
            for channel in channels:
                if channel.name in streamed:
                    last = free_index(last, used, ports)
                    used.add(last)
                    channel = replace(channel, multicast_index=last)
                _insert(writer, channel)
            writer.execute("UPDATE facts SET value = ? WHERE name = 'multicast_last'", (last,))

    def delete(self, name: str) -> bool:
        """Remove a channel; False if there is none."""
        with self.deleting(name) as found:
            return found

    @contextmanager
    def deleting(self, name: str) -> Iterator[bool]:
        """Remove a channel at the end of the context, unless that fails; begin by making sure that it can be."""
        with self.transaction() as writer:
            for table in ("former_schemas", "acknowledgements", "leases"):
                writer.execute(f"DELETE FROM {table} WHERE channel = ?", (name,))
            yield writer.execute("DELETE FROM channels WHERE name = ?", (name,)).rowcount > 0

    @contextmanager
    def changing(self, channel: Channel) -> Iterator[None]:
        """Give a channel other settings, limits in its schema, another lease at the end of the context, unless that fails."""
        config = None if channel.config is None else json.dumps(channel.config)
        with self.transaction() as writer:
            writer.execute(
                "UPDATE channels SET config_json = ?, schema = ? WHERE name = ?",
                (config, channel.schema, channel.name),
            )
            _set_lease(writer, channel)
            yield

    def move_multicast(self, reserved: Collection[int]) -> list[Channel]:
        """Give another index to channels whose multicast ports have become input ports or `reserved` ones."""
        if self.instead_of:
            return []
        channels = self.channels()
        ports = {channel.port for channel in channels} | set(reserved)
        used = {channel.multicast_index for channel in channels}
        moved = []
        for channel in channels:
            if channel.multicast_index is not None and not ports_free(channel.multicast_index, ports):
                index = free_index(self._facts()["multicast_last"], used, ports)
                used.add(index)
                with self.transaction() as writer:
                    writer.execute(
                        "UPDATE channels SET multicast_index = ? WHERE name = ?", (index, channel.name)
                    )
                    writer.execute("UPDATE facts SET value = ? WHERE name = 'multicast_last'", (index,))
                moved.append(replace(channel, multicast_index=index))
        return moved

    def _open(self, uri: str) -> sqlite3.Connection:
        return sqlite3.connect(
            uri, uri=True, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
        )

    def _prepare(self) -> None:
        """Check the database, or make one."""
        if self.instead_of:
            self._writer.execute("PRAGMA quick_check(1)")
            return
        (version,) = self._writer.execute("PRAGMA user_version").fetchone()
        (tables,) = self._writer.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if tables and not OLDEST <= version <= VERSION:
            raise StoreError(
                f"{self.path} is a registry of another version ({version}), wanted {VERSION}; {ADVICE}"
            )
        (finding,) = self._writer.execute("PRAGMA quick_check(1)").fetchone()
        if finding != "ok":
            raise StoreError(f"{self.path} is damaged: {finding}; {ADVICE}")
        self._writer.execute("PRAGMA journal_mode = WAL")
        self._writer.execute("PRAGMA synchronous = FULL")
        if tables:
            migrate(self._writer, self.path, version)
        else:
            script = resources.files("speeddata.registry").joinpath("schema.sql").read_text(encoding="utf-8")
            base = random.SystemRandom().randrange(CAPACITY)
            self._writer.executescript(
                f"BEGIN IMMEDIATE;\n{script}\n"
                f"INSERT INTO facts VALUES ('multicast_base', {base}), ('multicast_last', {CAPACITY - 1});\n"
                f"PRAGMA user_version = {VERSION};\nCOMMIT;"
            )

    def _facts(self) -> dict[str, int]:
        with self.reading() as reader:
            return dict(reader.execute("SELECT name, value FROM facts"))

    def _read(self) -> tuple[int, dict[str, Channel], list[Place]]:
        """The channels as they are; read again when anything was written since, as thousands of them take their time."""
        with self.reading() as reader:
            (version,) = reader.execute("PRAGMA data_version").fetchone()
            if version != self._known[0]:
                rows = reader.execute(
                    f"SELECT {COLUMNS} FROM channels LEFT JOIN leases ON channel = name ORDER BY name"
                ).fetchall()
                found = {channel.name: channel for row in rows if (channel := self._channel(row))}
                self._known = version, found, [(row[0], row[1], row[7]) for row in rows]
            return self._known

    def _channel(self, row: tuple[Any, ...]) -> Channel | None:
        """The channel of a row; one that somebody spoiled by hand must not keep the others from running."""
        try:
            return _channel(row)
        except ValueError as error:
            name = str(row[0])
            if self.damaged.get(name) != str(error):
                log.error("%s: the row of %.100r is passed over: %s", self.path, name, error)
            self.damaged[name] = str(error)
            return None

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """The connection that reads. StoreError when the database refuses."""
        with self._read_lock, self._errors():
            yield self._reader

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """The connection that writes, until the context ends. StoreError when the database refuses."""
        if self.instead_of:
            raise StoreError(f"nothing can be changed: {self.instead_of}")
        with self._write_lock, self._errors():
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer
                self._writer.execute("COMMIT")
            except BaseException:
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")
                raise

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise StoreError(f"{self.path}: {error}") from error


def copy_path(path: Path) -> Path:
    """Where the copy of a database lies that is made when it changes."""
    return path.with_name(f"{path.name}.bak")


def open_store(path: Path) -> Store:
    """The database, or while it cannot be used its last copy, which can only be read. StoreError where there is none."""
    _keep_copy(path)
    try:
        return Store(path)
    except StoreError as error:
        copy = copy_path(path)
        if not copy.is_file():
            raise
        try:
            store = Store(copy, str(error))
        except StoreError:
            raise error from None
        log.error(
            "%s; going on with its copy %s, and nothing can be changed until it is put in its place",
            error,
            copy,
        )
        return store


def _keep_copy(path: Path) -> None:
    """Lay the copy of a database that is not there any more aside: that of the new one is not to take its place. OSError."""
    copy = copy_path(path)
    if path.exists() or not copy.is_file():
        return
    stamp = datetime.fromtimestamp(copy.stat().st_mtime, UTC)
    kept = path.with_name(f"{path.name}.{stamp:%Y%m%dT%H%M%SZ}.bak")
    copy.replace(kept)
    log.warning(
        "%s is not there and is begun anew, without any channel; what its last copy knows is kept as %s: "
        "where it was not deleted on purpose, stop, and move that to %s",
        path,
        kept,
        path,
    )


ADVICE = "move it away, or use another data folder"


def _insert(writer: sqlite3.Connection, channel: Channel) -> None:
    config = None if channel.config is None else json.dumps(channel.config)
    writer.execute(
        f"INSERT INTO channels ({WRITTEN}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (channel.name, channel.port, channel.schema_path, channel.schema, channel.fingerprint)
        + (channel.time_unit, config, channel.multicast_index),
    )
    if channel.ttl_s is not None:
        _set_lease(writer, channel)


def _set_lease(writer: sqlite3.Connection, channel: Channel) -> None:
    writer.execute("DELETE FROM leases WHERE channel = ?", (channel.name,))
    if channel.ttl_s is not None:
        writer.execute("INSERT INTO leases VALUES (?, ?)", (channel.name, channel.ttl_s))


def _channel(row: tuple[Any, ...]) -> Channel:
    """The channel of a row; ValueError says what is wrong with it."""
    name, port, schema_path, schema, fingerprint, time_unit, config_json, index, created_at, ttl_s = row
    if not CHANNEL_NAME.fullmatch(name):
        raise ValueError("name: not a channel's name")
    try:
        config = None if config_json is None else json.loads(config_json)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"config_json: {error}") from None
    if not isinstance(config, dict | None):
        raise ValueError("config_json: not an object")
    return Channel(name, port, schema_path, schema, fingerprint, time_unit, config, index, created_at, ttl_s)
