"""Segments brought to the disk in time, ended, and mended when the disk refuses."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ingest_harness import Harness

from speeddata.relay import ingest_flush, ingest_segments


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Harness]:
    one = Harness(tmp_path)
    one.open("x", "y")
    yield one
    one.close()


def pending(house: Harness, name: str = "x") -> int:
    segment = house.store.channels[name].segment
    assert segment is not None
    return segment.pending


def test_records_are_on_the_disk_after_the_interval(house: Harness) -> None:
    house.append(("x", 0, 10))
    house.store.tick()
    assert (pending(house), house.store.segments.flusher.jobs) == (10, [])
    house.settle()
    assert pending(house) == 0
    assert house.store.segments.next_due() == float("inf")


def test_what_comes_while_the_disk_is_at_it_is_brought_there_next(house: Harness) -> None:
    house.append(("x", 0, 10))
    house.clock.now += 1
    house.store.tick()
    house.append(("x", 10, 5))
    house.store.segments.collect(wait=True)
    assert pending(house) == 5
    house.settle()
    assert pending(house) == 0


def test_a_channel_may_wait_until_its_segment_ends(house: Harness) -> None:
    house.open("x", durability="none")
    house.append(("x", 0, 10))
    house.settle()
    assert pending(house) == 10
    assert house.ask({"op": "seal", "channel": "x"})["ok"]
    assert house.store.segments.unsynced == {}


def test_a_batch_that_asks_for_it_is_on_the_disk_when_it_is_answered(house: Harness) -> None:
    house.append(("x", 0, 10), ("y", 0, 10), durability="block")
    assert (pending(house), pending(house, "y")) == (0, 0)
    house.open("x", durability="block")
    house.append(("x", 10, 10))
    assert pending(house) == 0


def test_many_segments_are_brought_to_the_disk_as_a_whole(
    house: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"c{number}" for number in range(ingest_flush.MANY + 1)]
    house.open(*names)
    asked = []
    monkeypatch.setattr(ingest_flush, "sync_file_system", asked.append)
    assert house.append(*((name, 0, 1) for name in names), durability="block")["ok"]
    assert (len(asked), house.store.segments.unsynced) == (1, {})


@pytest.mark.parametrize("ends", [False, True])
def test_after_a_failed_flush_records_are_in_another_segment(
    house: Harness, monkeypatch: pytest.MonkeyPatch, ends: bool
) -> None:
    house.append(("x", 0, 10), durability="block")
    house.append(("x", 10, 10))
    replies: list[Any] = []
    with monkeypatch.context() as context:
        context.setattr(ingest_flush, "_synced", lambda _: False)
        if ends:
            house.store.handle({"op": "seal", "channel": "x"}, memoryview(b""), replies.append)
        house.settle()
    assert len(replies) == ends
    stats = house.store.stats()
    assert (stats["total"]["rescued"], stats["total"]["lost"], stats["failed_fsyncs"]) == (10, 0, 1)
    assert (stats["segments"], stats["open_segments"]) == (0, 0)
    house.append(("x", 20, 10))
    house.kill()
    assert (len(house.files("x")), house.numbers("x")) == (3, [*range(30)])


def test_what_cannot_be_saved_is_counted(house: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    house.append(("x", 0, 10), durability="block")
    house.append(("x", 10, 10))

    def refuse(*_: object) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as context:
        context.setattr(ingest_flush, "_synced", lambda _: False)
        context.setattr(ingest_segments, "sync_folder", refuse)
        house.settle()
    total = house.store.stats()["total"]
    assert (total["rescued"], total["lost"], total["records"], total["archived"]) == (0, 10, 20, 10)
    house.kill()
    assert house.numbers("x") == [*range(10)]


def test_a_segment_that_was_deleted_ends(house: Harness) -> None:
    house.append(("x", 0, 10))
    for path in (*house.files("x"), *house.files("x", "idx")):
        path.unlink()
    assert house.ask({"op": "seal", "channel": "x"})["ok"]
    assert house.ask({"op": "segments"})["segments"] == []
