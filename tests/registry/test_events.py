import contextlib
import sqlite3
import threading
from collections.abc import Iterator
from typing import NoReturn

import pytest

from speeddata.registry import events as module
from speeddata.registry.events import Event, Events
from speeddata.registry.store import Store, StoreError


@pytest.fixture
def events(store: Store) -> Events:
    return Events(store, lambda: 1737640800 * 10**9)


def test_events_are_told_newest_first_and_by_pages(events: Events) -> None:
    for n in range(5):
        events.note(Event("channel", f"c{n % 2}", "state", "why", "active", f"s{n}"))
    told = events.list(2)
    assert [one["to"] for one in told] == ["s4", "s3"]
    assert told[0] == {
        "id": 5, "time": "2025-01-23T14:00:00Z", "kind": "channel", "name": "c0",
        "event": "state", "from": "active", "to": "s4", "reason": "why",
    }  # fmt: skip
    assert [one["to"] for one in events.list(9, before=told[-1]["id"])] == ["s2", "s1", "s0"]
    assert [one["to"] for one in events.list(9, name="c1")] == ["s3", "s1"]
    assert events.list(9, kind="service") == []


def test_they_are_there_after_a_restart(events: Events, store: Store) -> None:
    events.note(Event("channel", "x", "registered"))
    events.flush()
    assert [one["event"] for one in Events(store).list(9)] == ["registered"]


def test_no_more_are_kept_than_so_many(events: Events, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KEPT", 3)
    for n in range(10):
        events.note(Event("channel", str(n), "registered"))
        events.flush()
    assert [one["name"] for one in events.list(99)] == ["9", "8", "7"]


def test_what_cannot_be_written_is_kept_for_later(events: Events, store: Store) -> None:
    store._writer.execute("PRAGMA busy_timeout = 50")
    other = sqlite3.connect(store.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    events.note(Event("channel", "x", "registered"))
    with pytest.raises(StoreError, match="locked"):
        events.flush()
    other.execute("ROLLBACK")
    other.close()
    assert [one["name"] for one in events.list(9)] == ["x"]


def test_a_text_is_held_within_bounds(events: Events) -> None:
    events.note(Event("channel", "x", "state", "y" * 10_000))
    (one,) = events.list(1)
    assert len(one["reason"]) == 500


def test_those_that_go_before_they_could_be_written_are_counted(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PENDING", 3)
    events = Events(store)
    for n in range(5):
        events.note(Event("channel", str(n), "registered"))
    assert events.left_out == 2
    assert [one["name"] for one in events.list(9)] == ["4", "3", "2"]
    events.note(Event("channel", "x", "registered"))
    assert events.left_out == 2


def meanwhile(store: Store, events: Events, count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the next transaction take so long that others note so many events."""
    transaction = store.transaction

    @contextlib.contextmanager
    def slow() -> Iterator[sqlite3.Connection]:
        monkeypatch.setattr(store, "transaction", transaction)
        with transaction() as writer:
            yield writer
            for n in range(count):
                events.note(Event("channel", f"meanwhile {n}", "registered"))

    monkeypatch.setattr(store, "transaction", slow)


@pytest.fixture
def three(store: Store, monkeypatch: pytest.MonkeyPatch) -> Events:
    """Events of which three may wait, and three do."""
    monkeypatch.setattr(module, "PENDING", 3)
    events = Events(store)
    for n in range(3):
        events.note(Event("channel", str(n), "registered"))
    return events


@pytest.mark.parametrize("count", [1, 3])
def test_those_that_come_while_others_are_written_are_written_next(
    three: Events, store: Store, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    meanwhile(store, three, count, monkeypatch)
    three.flush()
    later = [f"meanwhile {n}" for n in range(count)]
    assert [one["name"] for one in reversed(three.list(99))] == ["0", "1", "2", *later]
    assert three.left_out == 0


def test_of_those_that_could_not_be_written_the_oldest_go(
    three: Events, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> NoReturn:
        three.note(Event("channel", "meanwhile", "registered"))
        raise StoreError("no room")

    monkeypatch.setattr(store, "transaction", refuse)
    with pytest.raises(StoreError):
        three.flush()
    monkeypatch.undo()
    assert [one["name"] for one in reversed(three.list(99))] == ["1", "2", "meanwhile"]
    assert three.left_out == 1


def test_many_who_note_and_one_who_writes_lose_nothing(store: Store) -> None:
    events, done = Events(store), threading.Event()

    def write() -> None:
        while not done.is_set():
            events.flush()

    writer = threading.Thread(target=write)
    writer.start()
    noting = [
        threading.Thread(
            target=lambda of=of: [events.note(Event("channel", f"{of}.{n}", "x")) for n in range(300)]
        )
        for of in range(4)
    ]
    for one in noting:
        one.start()
    for one in noting:
        one.join()
    done.set()
    writer.join()
    names = [one["name"] for one in reversed(events.list(2000))]
    assert len(names) == 1200
    assert all(
        [name for name in names if name.startswith(f"{of}.")] == [f"{of}.{n}" for n in range(300)]
        for of in range(4)
    )
