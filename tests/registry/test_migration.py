"""A database as SpeedData made it before there were tags and versions of schemas, brought to the present version."""

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from speeddata.registry.migration import VERSION, backup_path
from speeddata.registry.schema_versions import SchemaVersions
from speeddata.registry.store import Store, StoreError
from speeddata.registry.tags import Tag, Tags

# What version 1 ran, as it stood in its schema.sql.
OLD = """
CREATE TABLE channels (
    name            TEXT PRIMARY KEY,
    port            INTEGER NOT NULL UNIQUE CHECK (port BETWEEN 1 AND 65535), -- UDP port of its packets
    schema_path     TEXT,                              -- as it was given; NULL: the schema came inline
    schema          TEXT NOT NULL,                     -- Avro schema, JSON
    fingerprint     TEXT NOT NULL,                     -- of the schema, CRC-64-AVRO, as it stands on the wire, hex
    time_unit       TEXT,                              -- as schema or config state it; NULL: found from the first record
    config_json     TEXT,                              -- the channel's own settings, as given; NULL: none were
    multicast_index INTEGER NOT NULL UNIQUE,           -- from which its multicast groups and ports follow
    created_at      TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP -- YYYY-MM-DD HH:MM:SS, UTC
) STRICT;
CREATE TABLE facts (
    name  TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT;
INSERT INTO facts VALUES ('multicast_base', 77), ('multicast_last', 4);
INSERT INTO channels (name, port, schema, fingerprint, multicast_index) VALUES ('x', 26000, '{}', '00', 4);
PRAGMA user_version = 1;
"""


@pytest.fixture
def old(tmp_path: Path) -> Path:
    path = tmp_path / "registry.db"
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.executescript(OLD)
    connection.close()
    return path


def dump(path: Path) -> tuple[int, list[str]]:
    """Version and content of a database."""
    connection = sqlite3.connect(path)
    try:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        return version, list(connection.iterdump())
    finally:
        connection.close()


def tables(path: Path) -> list[str]:
    """What the tables are; a table that was renamed has its name in quotes."""
    lines = (line.replace('"channels"', "channels") for line in dump(path)[1])
    return sorted(line for line in lines if line.startswith("CREATE TABLE"))


def test_fault_40_an_old_database_is_brought_on_and_its_copy_laid_aside(old: Path, tmp_path: Path) -> None:
    before = dump(old)
    store = Store(old)
    assert [channel.name for channel in store.channels()] == ["x"]
    assert store.multicast_base == 77
    Tags(store).add(Tag("run", 1, 2))
    (former,) = store.channels()
    with SchemaVersions(store).adding(replace(former, schema="[]", fingerprint="01"), 2):
        pass
    assert [(one.version, one.schema) for one in SchemaVersions(store).of("x")] == [(1, "{}"), (2, "[]")]
    store.close()
    assert dump(backup_path(old, 1)) == before
    assert backup_path(old, 1).name == "registry.db.v1.bak"
    fresh = Store(tmp_path / "fresh.db")
    fresh.close()
    assert tables(old) == tables(tmp_path / "fresh.db")
    assert dump(old)[0] == dump(tmp_path / "fresh.db")[0] == VERSION


def test_it_is_brought_on_once(old: Path) -> None:
    Store(old).close()
    stamp = backup_path(old, 1).stat()
    Store(old).close()
    assert backup_path(old, 1).stat() == stamp


def test_a_newer_database_is_refused_and_stays_as_it_is(old: Path) -> None:
    connection = sqlite3.connect(old)
    connection.execute("PRAGMA user_version = 6")
    connection.close()
    before = dump(old)
    with pytest.raises(StoreError, match=r"another version \(6\), wanted 5; move it away"):
        Store(old)
    assert dump(old) == before
    assert not backup_path(old, 1).exists()


def test_where_no_copy_can_be_laid_aside_nothing_is_done(old: Path) -> None:
    before = dump(old)
    (old.parent / ".registry.db.v1.bak.new").mkdir()
    with pytest.raises(StoreError, match="cannot be used as registry"):
        Store(old)
    assert dump(old) == before


def test_fault_40_what_fails_half_way_leaves_the_old_version(old: Path) -> None:
    connection = sqlite3.connect(old)
    connection.execute("CREATE TABLE tags (something TEXT)")
    connection.close()
    before = dump(old)
    with pytest.raises(StoreError, match="table tags already exists"):
        Store(old)
    assert dump(old) == before


def test_channels_of_version_2_are_kept(old: Path) -> None:
    Store(old).close()
    connection = sqlite3.connect(old)
    connection.executescript(
        "DROP TABLE channels; DROP TABLE acknowledgements; DROP TABLE leases; DROP TABLE events;"
        + OLD[OLD.index("CREATE TABLE channels") : OLD.index("CREATE TABLE facts")]
        + "INSERT INTO channels (name, port, schema, fingerprint, multicast_index) VALUES ('y', 26001, '{}', '00', 5);"
        + "PRAGMA user_version = 2;"
    )
    connection.close()
    store = Store(old)
    (kept,) = store.channels()
    assert (kept.name, kept.port, kept.multicast_index) == ("y", 26001, 5)
    for name in ("p", "q"):
        store.insert(replace(kept, name=name, port=None, multicast_index=None), (), streams=False)
    assert [(name, port, index) for name, port, index in store.places() if name != "y"] == [
        ("p", None, None),
        ("q", None, None),
    ]
    store.close()
    assert backup_path(old, 2).exists()


def test_channels_and_tags_of_version_3_are_kept(old: Path) -> None:
    store = Store(old)
    tag = Tags(store).add(Tag("run", 1, 2))
    store.close()
    connection = sqlite3.connect(old)
    connection.executescript(
        "DROP TABLE acknowledgements; DROP TABLE leases; DROP TABLE events; PRAGMA user_version = 3;"
    )
    before = list(connection.iterdump())
    connection.close()
    store = Store(old)
    assert [channel.name for channel in store.channels()] == ["x"]
    assert Tags(store).list() == [tag]
    with store.reading() as reader:
        assert reader.execute("SELECT * FROM acknowledgements").fetchall() == []
    store.close()
    assert dump(backup_path(old, 3)) == (3, before)
