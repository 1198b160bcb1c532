"""What the housekeeper leaves alone: what relays, readers and others may be at work on."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import segments as made
from house import Make, at, houses, left, passed
from line import wait_until

from speeddata.folder_lock import alone_in


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    with houses(tmp_path) as made_ones:
        yield made_ones


def test_what_a_relay_works_on_is_left_alone_whatever_its_name(make: Make) -> None:
    """A clock that stepped back has given the open segment the oldest name."""
    house = make(retention__max_segments=1)
    paths = [house.segment("a", number) for number in range(4)]
    house.channel("a", paths[0].name, paths[2].name)
    passed(house)
    assert left(house) == [paths[0], paths[2]]


def test_while_the_keeper_is_away_registered_channels_are_left_alone(make: Make) -> None:
    house = make(retention__max_segments=1)
    house.channel("a")
    for channel in ("a", "former"):
        for number in range(4):
            house.segment(channel, number)
    house.relays.away = True
    keeper = passed(house)
    assert (len(left(house)), len(left(house, "former"))) == (4, 1)
    assert keeper.trouble == "registered channels are left alone: no keeper"
    house.relays.away = False
    keeper._pass()
    assert (len(left(house)), keeper.trouble) == (1, "")


def test_a_keeper_that_is_back_is_asked_at_the_next_look(make: Make) -> None:
    house = make(retention__max_segments=1)
    house.channel("a")
    paths = [house.segment("a", number) for number in range(4)]
    house.relays.away = True
    keeper = house.keeper(rest_s=3600.0)
    keeper.start()
    wait_until(lambda: keeper.trouble.endswith("no keeper"), "what is the matter")
    assert left(house) == paths
    house.relays.away = False
    wait_until(lambda: (left(house), keeper.trouble) == (paths[3:], ""), "the deletion")
    keeper.stop()


def test_a_relay_that_the_keeper_has_not_adopted_yet_is_known_by_what_it_writes_to(make: Make) -> None:
    house = make(retention__max_segments=1)
    house.channel("a")
    house.relays.in_use.clear()
    paths = [house.segment("a", number) for number in range(4)]
    with paths[1].open("ab"):
        passed(house)
        assert left(house) == [paths[1]]


def test_where_the_kernel_does_not_tell_who_writes_the_keeper_is_believed(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = make(retention__max_segments=1)
    for name in ("a", "unknown"):
        for number in range(4):
            house.segment(name, number)
        house.channel(name)
    del house.relays.in_use["unknown"]
    monkeypatch.setattr("speeddata.relay.housekeeper.open_for_writing", lambda _: None)
    passed(house)
    assert (len(left(house)), len(left(house, "unknown"))) == (1, 4)


def test_a_keeper_that_does_not_tell_and_a_row_that_is_spoiled(make: Make) -> None:
    house = make(retention__max_segments=1)
    for name in ("a", "spoiled"):
        house.channel(name)
        for number in range(3):
            house.segment(name, number)
    house.relays.in_use = {"a": None}
    with house.store.transaction() as writer:
        writer.execute("UPDATE channels SET config_json = '{' WHERE name = 'spoiled'")
    passed(house)
    assert (len(left(house)), len(left(house, "spoiled"))) == (3, 3)


def test_nothing_is_touched_that_was_not_listed_for_a_while(make: Make) -> None:
    house = make(retention__max_segments=1)
    paths = [house.segment("a", number) for number in range(3)]
    keeper = house.keeper(clocks=at(10), settled_s=10.0)
    now = time.monotonic()
    for seconds, count in ((0, 3), (9.9, 3), (10.1, 1)):
        keeper.inventory.clock = lambda seconds=seconds: now + seconds
        keeper._pass()
        assert len(left(house)) == count
    assert left(house) == paths[2:]


def test_what_somebody_writes_to_is_left_alone(make: Make) -> None:
    house = make(retention__max_segments=1)
    paths = [house.segment("a", number) for number in range(4)]
    with paths[0].open("ab"):
        passed(house)
    assert left(house) == [paths[0], paths[3]]


def test_while_a_repair_works_in_a_folder_nothing_is_deleted_there(make: Make) -> None:
    house = make(retention__max_segments=1)
    house.segment("a", 1)
    house.segment("a", 2)
    with alone_in(house.archive / "a"):
        keeper = passed(house)
    assert len(left(house)) == 2
    keeper._pass()
    assert len(left(house)) == 1


def test_an_empty_segment_may_be_being_begun(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    house = make(retention__max_segments=1)
    paths = [house.segment("a", number, count=0 if number < 2 else 1) for number in range(3)]
    for path in paths:
        os.utime(path, ns=(made.START, made.START))
    keeper = passed(house, 10**6)
    assert left(house) == paths
    monkeypatch.setattr("speeddata.relay.housekeeper.EMPTY_S", 0.0)
    keeper._pass()
    assert left(house) == paths[2:]
