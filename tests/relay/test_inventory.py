import os
import time
from pathlib import Path

import pytest
import segments as made

from speeddata.index import Seal, index_path, mark_seal
from speeddata.relay.inventory import Found, Inventory
from speeddata.relay.recompression import copy_path
from speeddata.rollup_names import rollup_path, temporary_path


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def inventory(tmp_path: Path, clock: Clock) -> Inventory:
    return Inventory(tmp_path, clock)


def segment(folder: Path, channel: str, number: int = 0, count: int = 3) -> Path:
    blocks = [made.records(count)] if count else []
    start = made.START + number * 10**9
    return made.write_segment(folder / channel, blocks, start=start, arrivals=[start + 5] if count else [])


def look(inventory: Inventory) -> dict[str, Found]:
    inventory.look()
    return {found.name: found for found in inventory.segments()}


def test_segments_of_all_channels(inventory: Inventory, tmp_path: Path) -> None:
    paths = [segment(tmp_path, "a"), segment(tmp_path, "a", 1), segment(tmp_path, "b")]
    found = look(inventory)
    assert {inventory.path(one) for one in found.values()} == set(paths)
    for path in paths:
        assert found[path.name].bytes == path.stat().st_size + index_path(path).stat().st_size


def test_what_no_relay_wrote_is_not_looked_at(inventory: Inventory, tmp_path: Path) -> None:
    path = segment(tmp_path, "a")
    (tmp_path / "a" / "a_export.avro").write_bytes(b"x")
    (tmp_path / "a" / f"{path.name}.damaged").write_bytes(b"x")
    (tmp_path / "a" / "a_20231114T221320.000001Z.avro").symlink_to(path)
    (tmp_path / "link").symlink_to(tmp_path / "a")
    (tmp_path / "a_20231114T221320.000001Z.avro").write_bytes(b"x")
    (tmp_path / ".b").mkdir()
    assert set(look(inventory)) == {path.name}
    assert set(inventory.folders) == {"a"}


def test_when_a_segment_was_first_seen(inventory: Inventory, tmp_path: Path, clock: Clock) -> None:
    first = segment(tmp_path, "a")
    look(inventory)
    clock.now = 5.0
    second = segment(tmp_path, "a", 1)
    found = look(inventory)
    assert (found[first.name].seen, found[second.name].seen) == (0.0, 5.0)


def test_what_the_index_tells(inventory: Inventory, tmp_path: Path) -> None:
    path = segment(tmp_path, "a", 7)
    mark_seal(path, made.SYNC, Seal.VERIFIED)
    found = look(inventory)[path.name]
    assert not found.known
    inventory.learn(found)
    assert (found.known, found.arrival_ns, found.empty, found.seal) == (
        True, made.START + 7 * 10**9 + 5, False, Seal.VERIFIED,
    )  # fmt: skip


@pytest.mark.parametrize(
    "spoil", [Path.unlink, lambda path: os.truncate(path, 100), lambda path: path.write_bytes(b"")]
)
def test_without_a_whole_index_the_file_tells_when_it_came(
    inventory: Inventory, tmp_path: Path, spoil: object
) -> None:
    path = segment(tmp_path, "a")
    spoil(index_path(path))  # type: ignore[operator]
    os.utime(path, ns=(5, 5))
    found = look(inventory)[path.name]
    inventory.learn(found)
    assert (found.known, found.arrival_ns, found.seal) == (True, 5, Seal.UNSEEN)


def test_an_empty_segment_is_told(inventory: Inventory, tmp_path: Path) -> None:
    for path in (segment(tmp_path, "a", count=0), segment(tmp_path, "b", count=0)):
        if path.parent.name == "b":
            os.truncate(path, 0)
            index_path(path).unlink()
        found = look(inventory)[path.name]
        inventory.learn(found)
        assert found.empty


def test_a_segment_that_grows_is_followed_and_one_that_is_known_not(
    inventory: Inventory, tmp_path: Path
) -> None:
    grows, sealed = segment(tmp_path, "a"), segment(tmp_path, "a", 1)
    os.utime(tmp_path / "a", ns=(10**18, 10**18))  # long ago, so that the folder need not be listed again
    found = look(inventory)
    inventory.learn(found[sealed.name])
    sizes = {name: one.bytes for name, one in found.items()}
    for path in (grows, sealed):
        with path.open("ab") as file:
            file.write(b"more")
    again = look(inventory)
    assert again[grows.name].bytes == sizes[grows.name] + 4
    assert again[sealed.name].bytes == sizes[sealed.name]


def test_a_segment_that_was_exchanged_is_read_again(
    inventory: Inventory, tmp_path: Path, clock: Clock
) -> None:
    path = segment(tmp_path, "a")
    found = look(inventory)[path.name]
    inventory.learn(found)
    clock.now = 5.0
    mark_seal(path, made.SYNC, Seal.FINAL)
    data = path.read_bytes()
    path.rename(path.with_name("aside"))
    path.write_bytes(data)
    again = look(inventory)[path.name]
    assert not again.known
    inventory.learn(again)
    assert (again.seal, again.seen) == (Seal.FINAL, 0.0)


def test_a_folder_that_changed_just_now_is_listed_again(inventory: Inventory, tmp_path: Path) -> None:
    """Its time may be the same after another change."""
    path = segment(tmp_path, "a")
    look(inventory)
    stamp = (tmp_path / "a").stat().st_mtime_ns
    second = segment(tmp_path, "a", 1)
    os.utime(tmp_path / "a", ns=(stamp, stamp))
    assert set(look(inventory)) == {path.name, second.name}


def test_what_is_gone_is_forgotten(inventory: Inventory, tmp_path: Path) -> None:
    one, other = segment(tmp_path, "a"), segment(tmp_path, "b")
    found = look(inventory)
    assert inventory.has(found[one.name])
    inventory.drop(found[one.name])
    assert not inventory.has(found[one.name])
    for path in (one, other):
        path.unlink()
        index_path(path).unlink()
    other.parent.rmdir()
    assert look(inventory) == {}
    assert not inventory.has(found[other.name])


def test_what_an_interruption_left(inventory: Inventory, tmp_path: Path, clock: Clock) -> None:
    path, gone = segment(tmp_path, "a"), segment(tmp_path, "a", 1)
    gone.unlink()
    copy_path(path).write_bytes(b"")
    look(inventory)
    folder = inventory.folders["a"]
    assert folder.orphans == {index_path(gone).name: 0.0}
    assert folder.leftovers == {path.name}
    clock.now = 5.0
    look(inventory)
    assert folder.orphans == {index_path(gone).name: 0.0}


def test_rollups_count_and_are_left_over_too(inventory: Inventory, tmp_path: Path) -> None:
    path, gone = segment(tmp_path, "a"), segment(tmp_path, "a", 1)
    rollup_path(path).write_bytes(b"12345")
    rollup_path(gone).write_bytes(b"1")
    gone.unlink()
    temporary_path(path).write_bytes(b"")
    found = look(inventory)[path.name]
    assert found.has_rollup
    assert found.index_bytes == index_path(path).stat().st_size + 5
    folder = inventory.folders["a"]
    assert set(folder.orphans) == {index_path(gone).name, rollup_path(gone).name}
    assert folder.leftovers == {path.name}
    rollup_path(path).unlink()
    assert not look(inventory)[path.name].has_rollup


def test_no_archive_is_no_segments(tmp_path: Path) -> None:
    assert look(Inventory(tmp_path / "nothing", time.monotonic)) == {}
