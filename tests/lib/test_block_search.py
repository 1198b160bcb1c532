import pytest
import segments as made

from speeddata import block_search
from speeddata.block_search import BlockSearch
from speeddata.container import parse_head
from speeddata.damage import Damage
from speeddata.index import entries_of

HEAD = made.head(made.SCHEMA)
BLOCKS = [made.block(2, made.encode(made.SCHEMA, made.records(2, n))) for n in (0, 2, 4)]


def find(data, growing=True, codec="null", unit="ns"):
    head = parse_head(made.head(made.SCHEMA, codec=codec))
    search = BlockSearch("a.avro", head, unit, lambda offset, size: data[offset : offset + size])
    found = search.find(0, len(data), 77, growing)
    return [entry.offset for entry in entries_of(found)], search


@pytest.fixture(params=[20, 1 << 20], autouse=True)
def window(request, monkeypatch):
    monkeypatch.setattr(block_search, "WINDOW", request.param)


def test_finds_all_blocks():
    size = len(BLOCKS[0])
    assert find(b"".join(BLOCKS))[0] == [0, size, 2 * size]
    assert find(b"")[0] == []


@pytest.mark.parametrize("rubbish", [b"!", b"\0" * 100, b"\2\2x", bytes(range(256)), made.SYNC[:15]])
def test_goes_on_behind_what_is_no_block(rubbish):
    """The block after it begins behind a sync marker only, so that one is lost too."""
    found, search = find(BLOCKS[0] + rubbish + BLOCKS[1] + BLOCKS[2])
    size = len(BLOCKS[0])
    assert found == [0, 2 * size + len(rubbish)]
    assert search.damages == [Damage("a.avro", size, 2 * size + len(rubbish), None, "not a block")]


def test_an_unfinished_block_is_damage_only_where_nothing_grows():
    for cut in range(1, len(BLOCKS[1])):
        found, search = find(BLOCKS[0] + BLOCKS[1][:-cut])
        assert (found, search.damages) == ([0], [])
        _, search = find(BLOCKS[0] + BLOCKS[1][:-cut], growing=False)
        assert [damage.start for damage in search.damages] == [len(BLOCKS[0])]


def test_finds_the_unit_of_the_time():
    rows = [made.record(0, time=0), made.record(1, time=1_700_000_000_000)]
    assert find(made.block(2, made.encode(made.SCHEMA, rows)), unit=None)[1].unit == "ms"
    assert find(made.block(1, made.encode(made.SCHEMA, rows[:1])), unit=None)[1].unit is None


@pytest.mark.parametrize("codec", ["deflate", "zstandard"])
def test_compressed_blocks_that_are_not_records_are_said(codec):
    good = made.block(2, made.encode(made.SCHEMA, made.records(2)), codec=codec)
    few = made.block(3, made.encode(made.SCHEMA, made.records(2)), codec=codec)
    rubbish = made.varint(1) + made.text(b"rubbish") + made.SYNC
    found, search = find(good + few + rubbish + good, codec=codec)
    assert found == [0, len(good) + len(few) + len(rubbish)]
    assert [(damage.start, damage.records) for damage in search.damages] == [
        (len(good), 3),
        (len(good) + len(few), 1),
    ]
