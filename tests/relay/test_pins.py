import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import segments as made

from speeddata.index import index_path
from speeddata.registry.store import Store
from speeddata.registry.tags import Tag, Tags
from speeddata.relay.inventory import Found, Inventory
from speeddata.relay.pins import Pins

# Two blocks, of records 0 to 9 and 20 to 29; a record is a millisecond.
BLOCKS = [made.records(10), made.records(10, 20)]
MS = 1_000_000


@pytest.fixture
def tags(tmp_path: Path) -> Iterator[Tags]:
    store = Store(tmp_path / "registry.db")
    yield Tags(store)
    store.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return made.write_segment(tmp_path / "archive" / "a", BLOCKS)


@pytest.fixture
def pins(tags: Tags, tmp_path: Path) -> Pins:
    return Pins(tags, Inventory(tmp_path / "archive"))


def found(pins: Pins) -> Found:
    pins.inventory.look()
    (one,) = pins.inventory.segments()
    pins.inventory.learn(one)
    return one


@pytest.mark.parametrize(
    ("first", "last", "pinned"),
    [(0, 0, True), (9, 9, True), (9.5, 20, True), (29, 99, True), (-9, 99, True),
     (10, 19, False), (9.000001, 19.999999, False), (30, 99, False), (-9, -1, False)],
)  # fmt: skip
def test_a_tag_pins_what_has_a_block_in_its_range(
    pins: Pins, tags: Tags, path: Path, first: float, last: float, pinned: bool
) -> None:
    start, end = (made.START + round(record * MS) for record in (first, last))
    tags.add(Tag("t", start, end, ("a",)))
    assert path.exists()
    assert pins.hold(found(pins)) is pinned


def test_of_which_channels(pins: Pins, tags: Tags, path: Path) -> None:
    segment = found(pins)
    assert not pins.hold(segment)
    tags.add(Tag("t", -(2**63), 2**63 - 1, ("b",)))
    assert not pins.hold(segment)
    tag = tags.add(Tag("t", -(2**63), 2**63 - 1))
    assert pins.hold(segment)
    tags.delete(tag.id)
    assert not pins.hold(segment)
    assert path.exists()


def test_what_was_decided_is_remembered_until_tags_or_segment_change(
    pins: Pins, tags: Tags, path: Path
) -> None:
    tags.add(Tag("t", made.START, made.START))
    segment = found(pins)
    assert pins.hold(segment)
    path.rename(path.with_name("aside"))
    assert pins.hold(segment), "it was not read again"
    tags.add(Tag("t", made.START, made.START))
    assert not pins.hold(segment), "it is gone"
    path.with_name("aside").rename(path)
    os.utime(path)
    pins.inventory.look()
    pins.forget_all_but(set())
    assert pins.hold(found(pins))


def test_without_an_index_the_segment_tells(pins: Pins, tags: Tags, path: Path) -> None:
    index_path(path).unlink()
    tags.add(Tag("t", made.START + 25 * MS, made.START + 25 * MS))
    assert pins.hold(found(pins))


def test_what_cannot_be_read_is_pinned_by_its_times_of_receipt(pins: Pins, tags: Tags, path: Path) -> None:
    path.write_bytes(b"PAR1")
    os.utime(path, ns=(made.START + 10**9, made.START + 10**9))
    index_path(path).unlink()
    tags.add(Tag("t", made.START + 10**9 + 1, made.START + 10**10))
    assert not pins.hold(found(pins))
    tags.add(Tag("t", made.START, made.START))
    assert pins.hold(found(pins))


def test_a_segment_without_records_is_not_pinned(pins: Pins, tags: Tags, tmp_path: Path) -> None:
    made.write_segment(tmp_path / "archive" / "a", [])
    tags.add(Tag("t", -(2**63), 2**63 - 1))
    assert not pins.hold(found(pins))
