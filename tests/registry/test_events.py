import sqlite3

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
