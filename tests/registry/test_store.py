import re
import sqlite3
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from speeddata.registry.multicast import streams
from speeddata.registry.store import Channel, NameTaken, PortTaken, Store, StoreError

ROW = Channel("x", 26000, None, '{"a": 1}', "00" * 8, "ns", {"decimation": 5})


def test_what_is_inserted_is_there_after_a_restart(tmp_path: Path) -> None:
    store = Store(tmp_path / "registry.db")
    inserted = store.insert(ROW, ())
    base = store.multicast_base
    store.close()
    again = Store(tmp_path / "registry.db")
    assert again.channels() == [inserted] == [again.get("x")]
    assert again.multicast_base == base
    again.close()
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", inserted.created_at)
    assert replace(inserted, multicast_index=None, created_at="") == ROW


def test_a_name_and_a_port_are_given_once(store: Store) -> None:
    store.insert(ROW, ())
    with pytest.raises(NameTaken):
        store.insert(replace(ROW, port=26001), ())
    with pytest.raises(PortTaken):
        store.insert(replace(ROW, name="y"), ())
    assert len(store.channels()) == 1


def test_a_multicast_index_is_not_given_again_soon(store: Store) -> None:
    first = store.insert(ROW, ())
    assert store.delete("x")
    assert not store.delete("x")
    assert store.insert(ROW, ()).multicast_index == first.multicast_index + 1


def test_multicast_ports_keep_clear_of_input_and_reserved_ports(store: Store) -> None:
    store.insert(replace(ROW, port=10001), {10002})
    second = store.insert(replace(ROW, name="y", port=26001), {10004})
    ports = [port for channel in store.channels() for port in streams(0, channel.multicast_index).ports]
    assert not {10001, 10002} & set(streams(0, store.channels()[0].multicast_index).ports)
    assert 10004 not in streams(0, second.multicast_index).ports
    assert len(set(ports)) == 4


def test_channels_move_when_their_multicast_ports_are_wanted_for_something_else(store: Store) -> None:
    channel = store.insert(ROW, ())
    assert store.move_multicast(()) == []
    port = streams(0, channel.multicast_index).ports[0]
    (moved,) = store.move_multicast({port})
    assert port not in streams(0, moved.multicast_index).ports
    assert store.get("x") == moved


def test_a_registry_of_another_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "registry.db"
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE channels (name TEXT PRIMARY KEY, port INTEGER)")
    other.close()
    with pytest.raises(StoreError, match=r"another version \(0\), wanted 5; move it away"):
        Store(path)


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "registry.db"
    path.write_bytes(b"not a database, by any means" * 100)
    with pytest.raises(StoreError, match="registry.db cannot be used as registry"):
        Store(path)


def test_a_damaged_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "registry.db"
    store = Store(path)
    for number in range(200):
        store.insert(replace(ROW, name=f"c{number}", port=26000 + number, schema="x" * 500), ())
    store.close()
    data = bytearray(path.read_bytes())
    data[8192:20480] = b"\xff" * (20480 - 8192)
    path.write_bytes(data)
    with pytest.raises(StoreError):
        Store(path)


def test_fault_79_names_are_data_and_never_sql(store: Store) -> None:
    before = schema_of(store.path)
    assert store.get("x'; DROP TABLE channels; --") is None
    store.insert(replace(ROW, schema_path="x'; DROP TABLE channels; --"), ())
    assert store.delete("' OR '1'='1") is False
    assert schema_of(store.path) == before
    assert len(store.channels()) == 1


def schema_of(path: Path) -> list[str]:
    connection = sqlite3.connect(path)
    try:
        return [row[0] for row in connection.execute("SELECT sql FROM sqlite_master ORDER BY name")]
    finally:
        connection.close()


def test_threads_may_share_a_store(store: Store) -> None:
    def insert(number: int) -> None:
        store.insert(replace(ROW, name=f"c{number}", port=26000 + number), ())
        store.channels()

    threads = [threading.Thread(target=insert, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    channels = store.channels()
    assert len(channels) == 16
    assert len({channel.multicast_index for channel in channels}) == 16


def test_the_database_is_in_wal_mode(store: Store) -> None:
    connection = sqlite3.connect(store.path)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()


def test_a_database_that_another_process_holds_is_locked_and_then_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("speeddata.registry.store.BUSY_TIMEOUT_S", 0.05)
    store = Store(tmp_path / "registry.db")
    other = sqlite3.connect(store.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match="locked"):
        store.insert(ROW, ())
    assert store.channels() == []
    other.execute("ROLLBACK")
    other.close()
    store.insert(ROW, ())
    store.close()


@pytest.mark.parametrize(
    ("column", "value", "wanted"),
    [
        ("name", "../evil", "name: not a channel's name"),
        ("config_json", "{", "config_json: "),
        ("config_json", "[1]", "config_json: not an object"),
    ],
)
def test_a_row_that_is_no_channel_is_passed_over_and_said_once(
    store: Store, caplog: pytest.LogCaptureFixture, column: str, value: str, wanted: str
) -> None:
    store.insert(ROW, ())
    store.insert(replace(ROW, name="good", port=ROW.port + 1), ())
    other = sqlite3.connect(store.path)
    other.execute(f"UPDATE channels SET {column} = ? WHERE name = ?", (value, ROW.name))
    other.commit()
    other.close()
    for _ in range(2):
        assert [channel.name for channel in store.channels()] == ["good"]
    (message,) = [record.getMessage() for record in caplog.records]
    assert wanted in message
    assert (value if column == "name" else ROW.name) in message


def test_what_fails_while_a_channel_is_deleted_leaves_it_there(store: Store) -> None:
    store.insert(ROW, ())
    with pytest.raises(KeyError), store.deleting(ROW.name):
        raise KeyError
    assert store.get(ROW.name) is not None
    assert store.delete(ROW.name)
    assert not store.delete(ROW.name)
