"""What a shared relay does to the segments of the one before it."""

from pathlib import Path

import pytest
from ingest_harness import Harness
from store_client import records

from speeddata.index import index_path
from speeddata.relay.ingest_recovery import recover
from speeddata.relay.recompression import recompress
from speeddata.verify import WHOLE, signature_of, verify


@pytest.fixture
def house(tmp_path: Path) -> Harness:
    """A store that was killed after a batch, with another that was not done behind it."""
    one = Harness(tmp_path)
    one.open("x")
    one.append(("x", 0, 10))
    segment = one.store.channels["x"].segment
    assert segment is not None
    segment.append(records(10, 10))
    segment.close()
    one.store.segments.flusher.close()
    one.store.journal.close()
    return one


def test_what_was_not_done_is_cut(house: Harness) -> None:
    assert recover(house.journal) == []
    assert house.numbers("x") == [*range(10)]
    assert [verify(path).status for path in house.files("x")] == [WHOLE]


@pytest.mark.parametrize("left", [0, 100, 420])
def test_a_torn_tail_is_mended(house: Harness, left: int) -> None:
    """As after a power failure: the file is shorter than the journal says."""
    (path,) = house.files("x")
    with path.open("r+b") as file:
        file.truncate(left)
    assert recover(house.journal) == []
    assert path.exists() == (left == 420)
    if left == 420:
        assert house.numbers("x") == []
        assert verify(path).status == WHOLE


def test_what_has_no_head_is_left_and_told(house: Harness) -> None:
    (path,) = house.files("x")
    path.write_bytes(bytes(1000))
    assert recover(house.journal) == [f"{path.name}: not an Avro container file"]
    assert path.stat().st_size == 1000


def test_an_index_that_is_lost_is_made_anew(house: Harness) -> None:
    (path,) = house.files("x")
    index_path(path).unlink()
    assert recover(house.journal) == []
    assert verify(path).status == WHOLE


def test_a_segment_that_was_sealed_meanwhile_is_left_alone(house: Harness) -> None:
    (path,) = house.files("x")
    assert recompress(path, "deflate", signature_of(path), lambda: None)
    before = path.read_bytes()
    assert recover(house.journal) == []
    assert path.read_bytes() == before


def test_what_is_gone_is_gone(house: Harness) -> None:
    (path,) = house.files("x")
    path.unlink()
    assert recover(house.journal) == []


def test_a_journal_that_is_not_there_says_nothing(tmp_path: Path) -> None:
    assert recover(tmp_path / "none") == []
