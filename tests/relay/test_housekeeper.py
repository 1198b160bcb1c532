"""The archive kept in order: what is deleted, sealed and swept, over files that were laid there."""

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import segments as made
from house import HOUR, House, Make, at, houses, left, passed
from line import wait_until
from system import alive

from speeddata.archive import Archive
from speeddata.index import Seal, index_path
from speeddata.registry.tags import Tag
from speeddata.relay.housekeeper import Housekeeper
from speeddata.relay.recompression import copy_path
from speeddata.rollup_names import rollup_path, temporary_path
from speeddata.segment import Segment
from speeddata.verify import WHOLE, verify


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    with houses(tmp_path) as made_ones:
        yield made_ones


@pytest.mark.parametrize(
    ("limits", "kept"),
    [
        ({"max_age_s": 3.5 * 3600}, 3),  # of hours 7, 8, 9
        ({"max_segments": 2}, 2),
        ({"max_bytes": 4 * 900}, 4),
        ({"mode": "ttl", "value": 4 * 3600 - 60}, 3),
        ({}, 10),
    ],
)
def test_limits_of_a_channel_hold(make: Make, limits: dict[str, Any], kept: int) -> None:
    house = make()
    house.channel("a", retention=limits)
    paths = [house.segment("a", number) for number in range(10)]
    keeper = passed(house)
    assert left(house) == paths[10 - kept :]
    assert [index_path(path).exists() for path in paths] == [path.exists() for path in paths]
    assert keeper.deleted["segments"] == 10 - kept
    assert keeper.to_json()["deleted"]["segments"] == 0, "shown after the pass"


def test_limits_of_the_archive_go_across_channels_registered_or_not(make: Make) -> None:
    house = make(retention__archive_bytes=3000)
    house.channel("a")
    paths = [house.segment("ab"[number % 2], number) for number in range(6)]
    size = paths[0].stat().st_size + index_path(paths[0]).stat().st_size
    passed(house)
    assert [path for path in paths if path.exists()] == paths[-(3000 // size) :]


def test_channels_that_are_not_registered_have_the_limits_of_the_file(make: Make) -> None:
    house = make(retention__max_segments=2)
    house.channel("a", retention={"max_segments": 5})
    for channel in ("a", "former"):
        for number in range(6):
            house.segment(channel, number)
    passed(house)
    assert (len(left(house)), len(left(house, "former"))) == (5, 2)


def test_the_pinned_stay_and_go_when_the_tag_does(make: Make) -> None:
    house = make(retention__max_segments=1)
    paths = [house.segment("a", number) for number in range(5)]
    tag = house.registry.tags.add(Tag("run", made.START + HOUR, made.START + 2 * HOUR, ("a",)))
    keeper = passed(house)
    assert left(house) == paths[1:3], "they count, so everything else goes"
    house.registry.tags.delete(tag.id)
    keeper._pass()
    assert len(left(house)) == 1


def test_a_tag_that_comes_between_choice_and_deletion_counts(make: Make) -> None:
    house = make(retention__max_segments=1)
    paths = [house.segment("a", number) for number in range(3)]
    keeper = house.keeper(clocks=at(10))
    act = keeper._act

    def tag_and_act(*given: Any) -> Any:
        house.registry.tags.add(Tag("late", made.START, made.START, None))
        return act(*given)

    keeper._act = tag_and_act  # type: ignore[method-assign]
    keeper._pass()
    assert left(house) == [paths[0], paths[2]]


def test_fault_23_a_clock_that_jumps_by_a_year_deletes_nothing(make: Make) -> None:
    house = make(retention__max_age_s=24 * 3600)
    paths = [house.segment("a", number) for number in range(10)]
    wall = [10.0]
    keeper = house.keeper(clocks=lambda: at(wall[0])())
    keeper._pass()
    wall[0] += 365 * 24
    keeper._pass()
    assert left(house) == paths
    keeper._show()
    assert keeper.to_json()["clock_step"] == {"by_s": 365 * 86400, "held_s": 0}
    os.close(keeper._lock)
    again = house.keeper(clocks=lambda: at(wall[0])())
    again._pass()
    assert left(house) == paths, "a restart does not forget it"
    wall[0] = 10.0
    again._pass()
    assert again.clock.to_json() is None
    assert left(house) == paths


def test_below_the_floor_the_oldest_go_until_it_is_reached(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = make(retention__min_free_percent=10)
    paths = [house.segment("ab"[number % 2], number) for number in range(10)]
    size = paths[0].stat().st_size + index_path(paths[0]).stat().st_size
    disk(monkeypatch, paths, total=100 * size, others=int(86.5 * size))
    passed(house)
    assert [path for path in paths if path.exists()] == paths[-3:]


def test_room_that_comes_from_elsewhere_is_seen_before_each_deletion(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = make(retention__min_free_percent=10)
    paths = [house.segment("a", number) for number in range(10)]
    size = paths[0].stat().st_size + index_path(paths[0]).stat().st_size
    disk(monkeypatch, paths, total=100 * size, others=lambda kept: 95 * size if kept == 10 else 10 * size)
    passed(house)
    assert left(house) == paths[1:]


def test_files_of_others_are_said_not_made_up_for_by_everything_at_once(
    make: Make, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    house = make(retention__min_free_percent=10)
    paths = [house.segment("a", number) for number in range(10)]
    size = paths[0].stat().st_size + index_path(paths[0]).stat().st_size
    keeper = house.keeper(clocks=at(10))
    # What is deleted is held open by a reader: it does not become free.
    disk(monkeypatch, paths, total=100 * size, others=lambda kept: 87 * size + (10 - kept) * size)
    for kept in (3, 0):
        keeper._space = disk_space(keeper)
        keeper._pass()
        assert len(left(house)) == kept
    keeper._say_trouble()
    keeper._say_trouble()
    said = "3.0 % of the disk are free, wanted 10 %, and nothing more may be deleted"
    assert (keeper.trouble, [text for text in caplog.messages if said in text]) == (
        said,
        [f"archive: {said}"],
    )


def disk(monkeypatch: pytest.MonkeyPatch, paths: list[Path], total: int, others: Any) -> None:
    """A disk of this size, on which others have so much."""
    from speeddata.relay.disk_space import Space

    def measure(_: Path) -> Space:
        kept = [path.stat().st_size + index_path(path).stat().st_size for path in paths if path.exists()]
        used = others(len(kept)) if callable(others) else others
        return Space(total, total - used - sum(kept))

    monkeypatch.setattr("speeddata.relay.housekeeper.measure", measure)


def disk_space(keeper: Housekeeper) -> Any:
    from speeddata.relay import housekeeper

    return housekeeper.measure(keeper.archive)


def test_what_an_interruption_left_is_swept(make: Make) -> None:
    house = make()
    whole, gone = house.segment("a", 1), house.segment("a", 2)
    gone.unlink()
    for path in (copy_path(whole), rollup_path(gone), temporary_path(whole)):
        path.write_bytes(b"a part")
    passed(house)
    assert sorted(path.name for path in whole.parent.iterdir()) == [whole.name, index_path(whole).name]


def test_a_reader_goes_on_with_what_is_deleted(make: Make) -> None:
    house = make(retention__max_segments=1)
    paths = [house.segment("a", number, count=50) for number in range(5)]
    rollup_path(paths[0]).write_bytes(b"its rollup")
    with Archive(house.archive / "a").open() as reader:
        passed(house)
        assert left(house) == paths[4:]
        assert not rollup_path(paths[0]).exists()
        assert len(reader.read()) == 250
        assert reader.damages == []
    with Archive(house.archive / "a").open() as reader:
        assert len(reader.read()) == 50


def test_one_archive_has_one_housekeeper(make: Make, tmp_path: Path) -> None:
    house = make(retention__max_segments=1)
    house.segment("a", 1)
    house.segment("a", 2)
    keeper = house.keeper()
    other = make(retention__max_segments=1)
    with alone_as(other, house):
        keeper.start()
        wait_until(lambda: "keeps" in keeper.trouble, "the other")
        assert keeper.trouble == f"another process keeps {tmp_path / 'data' / 'archive'} in order"
        assert len(left(house)) == 2
    wait_until(lambda: len(left(house)) == 1, "the deletion")
    keeper.stop()


@contextlib.contextmanager
def alone_as(other: House, house: House) -> Iterator[None]:
    keeper = other.keeper()
    keeper.registry.specs.use({**keeper.registry.relay, "retention.max_segments": None})
    keeper.rules._common = (keeper.rules._common[0].__class__(), None)
    keeper._pass()
    assert len(left(house)) == 2
    yield
    os.close(keeper._lock)


def test_sealed_segments_are_verified_compressed_and_counted(make: Make) -> None:
    house = make()
    house.channel("a", compression="zstandard")
    house.channel("plain")
    paths = [house.segment(name, number, count=500) for name in ("a", "plain") for number in range(3)]
    opened = house.segment("a", 9, count=500)
    house.relays.in_use["a"] = [opened.name]
    damaged = bytearray(paths[5].read_bytes())
    damaged[-50] ^= 1
    paths[5].write_bytes(damaged)
    keeper = house.keeper()
    keeper.start()
    wait_until(lambda: keeper.queue.counts["sealed"] == 6, "sealing")
    wait_until(lambda: keeper.to_json()["damaged"] == 1, "the count")
    shown = keeper.to_json()
    keeper.stop()
    assert [codec_of(path) for path in [*paths, opened]] == ["zstandard"] * 3 + ["null"] * 4
    assert [verify(path).status == WHOLE for path in paths] == [True] * 5 + [False]
    assert (shown["sealed"], shown["compressed"]["segments"], shown["trouble"]) == (6, 3, None)
    again = passed(house)
    assert [one.seal for one in again.inventory.segments() if one.known].count(Seal.FINAL) == 3
    assert again.queue.waiting == []


def codec_of(path: Path) -> str:
    with Segment(path) as segment:
        return segment.head.codec


def test_stopping_ends_what_is_being_sealed_and_leaves_the_archive_whole(make: Make) -> None:
    house = make(compression="deflate")
    path = made.write_segment(house.archive / "a", [made.records(2000, n * 2000) for n in range(60)])
    keeper = house.keeper()
    keeper.start()
    wait_until(copy_path(path).exists, "the copy")
    process = int(keeper.sealer.pidfile.read_text())
    begun = time.monotonic()
    keeper.stop()
    assert time.monotonic() - begun < 5
    assert not keeper._thread.is_alive()
    assert not alive(process)
    assert verify(path).status == WHOLE
    passed(house)
    assert len(list(path.parent.iterdir())) == 2


def test_what_is_being_sealed_can_be_deleted(make: Make) -> None:
    house = make(compression="deflate", retention__max_segments=1)
    big = made.write_segment(house.archive / "a", [made.records(2000, n * 2000) for n in range(60)])
    keeper = house.keeper(clocks=at(10), settled_s=0.0)
    keeper.start()
    wait_until(copy_path(big).exists, "the copy")
    later = house.segment("a", 5)
    wait_until(lambda: left(house) == [later], "the deletion")
    wait_until(lambda: not [one for one in later.parent.iterdir() if one.name.startswith(".")], "the sweep")
    keeper.stop()
