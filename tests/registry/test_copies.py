"""Faults 84 to 86: the registry's database locked, damaged, without room; and the copy that stands in for it."""

import json
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from speeddata.registry import store as module
from speeddata.registry.store import Channel, Store, StoreError, copy_path, open_store

ROW = Channel("x", 26000, None, '{"a": 1}', "00" * 8, "ns", {"decimation": 5}, ttl_s=60)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "registry.db"


@pytest.fixture
def copied(path: Path) -> Store:
    """A registry with a channel, closed and copied; what it held."""
    store = Store(path)
    store.insert(ROW, ())
    store.copy()
    store.close()
    return store


def spoil(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[100:4000] = b"\xff" * 3900
    path.write_bytes(data)


@pytest.mark.usefixtures("copied")
@pytest.mark.parametrize("damage", ["bytes", "text", "cut"])
def test_fault_85_a_damaged_registry_is_replaced_by_its_copy_to_be_read(
    path: Path, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    {"bytes": spoil, "text": lambda p: p.write_text("not a database " * 500),
     "cut": lambda p: p.write_bytes(p.read_bytes()[:5000])}[damage](path)  # fmt: skip
    before = path.read_bytes()
    store = open_store(path)
    assert [(one.name, one.port, one.ttl_s) for one in store.channels()] == [("x", 26000, 60)]
    assert "going on with its copy" in caplog.text
    with pytest.raises(StoreError, match="nothing can be changed: .*registry.db"):
        store.insert(ROW, ())
    store.move_multicast({10000, 10001})
    store.copy()
    store.close()
    assert path.read_bytes() == before, "it is left for who wants to mend it"


@pytest.mark.usefixtures("copied")
def test_fault_85_the_copy_of_a_registry_that_was_deleted_is_kept(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path.unlink()
    store = open_store(path)
    store.insert(replace(ROW, name="y"), ())
    store.copy()
    store.close()
    (kept,) = path.parent.glob("registry.db.2*Z.bak")
    assert f"what its last copy knows is kept as {kept}" in caplog.text
    kept.replace(path)
    store = open_store(path)
    assert [one.name for one in store.channels()] == ["x"]
    store.close()
    assert copy_path(path).is_file(), "that of a database which is there stays"


def test_without_a_copy_that_is_said(path: Path) -> None:
    path.write_text("not a database " * 500)
    with pytest.raises(StoreError, match="cannot be used as registry"):
        open_store(path)
    copy_path(path).write_text("nor this " * 500)
    with pytest.raises(StoreError, match="cannot be used as registry"):
        open_store(path)


def test_a_copy_is_made_when_something_has_changed(path: Path) -> None:
    store = Store(path)
    store.insert(ROW, ())
    store.copy()
    first = copy_path(path).stat()
    store.copy()
    assert copy_path(path).stat() == first
    store.delete("x")
    store.copy()
    with sqlite3.connect(copy_path(path)) as copy:
        assert copy.execute("SELECT count(*) FROM channels").fetchone() == (0,)
    copy.close()
    store.close()


def test_fault_86_the_log_of_writes_does_not_grow(path: Path) -> None:
    store = Store(path)
    for n in range(300):
        store.insert(Channel(f"c{n}", None, None, "{}" + " " * 5000, "00", None, None), (), streams=False)
    store.copy()
    assert path.with_name("registry.db-wal").stat().st_size == 0
    store.close()


def test_fault_86_without_room_it_is_503_and_nothing_is_changed(client: Any, registry: Any) -> None:
    body = {"name": "x", "port": None, "schema": "agents/example.avsc"}
    assert client.post("/api/v1/channels", json=body).status_code == 201
    (pages,) = registry.store._writer.execute("PRAGMA page_count").fetchone()
    registry.store._writer.execute(f"PRAGMA max_page_count = {pages}")
    answers = [client.post("/api/v1/channels", json=body | {"name": f"y{n}"}) for n in range(50)]
    refused = [answer for answer in answers if answer.status_code != 201]
    assert {answer.status_code for answer in refused} == {503}
    assert "full" in refused[0].json["details"]
    assert set(refused[0].json) == {"error", "field", "details"}
    registry.store._writer.execute("PRAGMA max_page_count = 100000")
    assert client.post("/api/v1/channels", json=body | {"name": "z"}).status_code == 201


HOLD = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.read()
"""


def test_fault_84_who_waits_for_the_lock_in_vain_is_told(client: Any, registry: Any) -> None:
    """Another process holds it, and is killed with it."""
    assert module.BUSY_TIMEOUT_S == 5.0
    registry.store._writer.execute("PRAGMA busy_timeout = 50")
    body = {"name": "x", "port": None, "schema": "agents/example.avsc"}
    argv = [sys.executable, "-c", HOLD, registry.store.path]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        answer = client.post("/api/v1/channels", json=body)
        assert (answer.status_code, "locked" in answer.json["details"]) == (503, True)
        assert client.get("/api/v1/channels").json["channels"] == [], "reading needs no lock"
        other.kill()
    assert client.post("/api/v1/channels", json=body).status_code == 201


def test_a_copy_has_all_that_the_database_has(path: Path) -> None:
    store = Store(path)
    store.insert(ROW, ())
    store.copy()
    store.close()
    copy = Store(copy_path(path), "because")
    (channel,) = copy.channels()
    assert json.loads(json.dumps(channel.config)) == {"decimation": 5}
    assert copy.multicast_base == store.multicast_base
    copy.close()


def test_fault_86_a_disk_that_is_full_refuses_and_loses_nothing(tmp_path: Path) -> None:
    """A real one, of a megabyte."""
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk], check=True)
    try:
        store = Store(disk / "registry.db")
        taken: list[str] = []

        def fill() -> None:
            while True:
                row = Channel(f"c{len(taken)}", None, None, "{}" + " " * 5000, "00", None, None)
                store.insert(row, (), streams=False)
                taken.append(row.name)

        with pytest.raises(StoreError, match="full"):
            fill()
        assert taken
        assert sorted(one.name for one in store.channels()) == sorted(taken)
        store.close()
        subprocess.run(["mount", "-o", "remount,size=16m", disk], check=True)
        store = Store(disk / "registry.db")
        store.insert(ROW, ())
        assert sorted(one.name for one in store.channels()) == sorted([*taken, "x"])
        store.close()
    finally:
        subprocess.run(["umount", disk], check=True)
