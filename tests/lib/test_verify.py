"""Nothing is called whole that does not give all its records; what is lost is counted where anything tells."""

import json
import os

import fastavro
import pytest
import segments as made
from hypothesis import given
from hypothesis import strategies as st

from speeddata.cat import Cat
from speeddata.index import ENTRY_SIZE, HEAD_SIZE, index_path
from speeddata.record_text import JsonLines
from speeddata.segment import scan
from speeddata.verify import signature_of, summary, verify

BLOCKS = [made.records(3), made.records(2, 3), [made.record(7), made.record(6), made.record(6)]]
VALUES = [list(row.values()) for block in BLOCKS for row in block]
RECORDS = len(VALUES)


@pytest.fixture
def segment(tmp_path):
    return made.write_segment(tmp_path / "example", BLOCKS)


def values(path):
    """The values of the records that are given of a file, whatever the head calls them."""
    lines = "".join(Cat(path).text(JsonLines())).splitlines()
    return [list(json.loads(line).values()) for line in lines]


def flips(data):
    for at in range(len(data)):
        bits = 1 << at % 8 if at % 3 else 0xFF
        yield at, data[:at] + bytes([data[at] ^ bits]) + data[at + 1 :]


@pytest.mark.parametrize("codec", ["null", "deflate", "zstandard"])
def test_a_whole_segment(tmp_path, codec):
    path = made.write_segment(tmp_path / "example", BLOCKS, codec=codec)
    report = verify(path)
    assert (report.state, report.blocks, report.records, report.lost) == ("whole", 3, RECORDS, 0)
    assert report.lines() == []
    assert report.as_json() == {
        "path": str(path),
        "state": "whole",
        "growing": False,
        "bytes": path.stat().st_size,
        "blocks": 3,
        "records": RECORDS,
        "lost": 0,
        "damages": [],
        "index": {"present": True, "faults": []},
        "error": None,
    }


@pytest.mark.parametrize("target", [lambda path: path, index_path])
def test_flipped_at_any_byte_it_is_whole_only_with_all_its_records(segment, target):
    path = target(segment)
    for at, data in flips(path.read_bytes()):
        path.write_bytes(data)
        report, found = verify(segment), values(segment)
        assert all(row in VALUES for row in found), at
        if report.state == "whole":
            assert found == VALUES, at
        elif report.state == "damaged":
            assert report.records + report.lost == RECORDS, at
            assert found == VALUES or report.damages, at
        else:
            assert found == [], at


def test_flipped_where_there_is_no_index_the_framing_and_the_types_are_all_that_tells(tmp_path):
    """What cannot be noticed is a value that has become another one, or a name of the head."""
    path = made.write_segment(tmp_path / "example", BLOCKS, index=False, metadata={})
    for at, data in flips(path.read_bytes()):
        path.write_bytes(data)
        report, found = verify(path), values(path)
        if report.state == "whole":
            assert len(found) == RECORDS, at
            assert sum(a != b for a, b in zip(found, VALUES, strict=True)) <= 1, at
        elif report.state == "damaged":
            assert report.lost is None or report.records + report.lost == RECORDS, at


def test_cut_at_any_byte_it_is_never_whole_and_the_index_tells_what_was_lost(segment):
    data, first = segment.read_bytes(), scan(segment)[0].offset
    for size in range(len(data)):
        segment.write_bytes(data[:size])
        report = verify(segment)
        assert report.state == ("unreadable" if 0 < size < first else "damaged"), size
        assert report.records + report.lost == RECORDS, size


def test_cut_where_there_is_no_index_it_is_whole_between_two_blocks_alone(tmp_path):
    path = made.write_segment(tmp_path / "example", BLOCKS, index=False, metadata={})
    data, blocks = path.read_bytes(), scan(path)
    ends = {0, blocks[0].offset} | {block.offset + block.length for block in blocks}
    for size in range(len(data)):
        path.write_bytes(data[:size])
        assert (verify(path).state == "whole") == (size in ends), size


def test_an_index_cut_at_any_byte_loses_nothing_and_is_said(segment):
    path = index_path(segment)
    data = path.read_bytes()
    for size in range(len(data)):
        path.write_bytes(data[:size])
        report = verify(segment)
        assert (report.state, report.records, report.lost, report.damages) == ("damaged", RECORDS, 0, [])
        assert report.index


@given(st.lists(st.tuples(st.floats(0, 1), st.binary(min_size=1, max_size=30)), min_size=1, max_size=4))
def test_overwritten_anywhere_the_records_of_the_blocks_not_hit_are_good(tmp_path_factory, hits):
    path = made.write_segment(tmp_path_factory.mktemp("hit") / "example", BLOCKS)
    before = path.read_bytes()
    blocks, spoiled = scan(path), bytearray(before)
    first = blocks[0].offset
    for share, rubbish in hits:
        at = first + int(share * (len(before) - first - 1))
        spoiled[at : at + len(rubbish)] = rubbish[: len(before) - at]
    path.write_bytes(spoiled)
    places = [slice(block.offset, block.offset + block.length) for block in blocks]
    same = [rows for rows, place in zip(BLOCKS, places, strict=True) if before[place] == spoiled[place]]
    report = verify(path)
    assert values(path) == [list(row.values()) for rows in same for row in rows]
    assert (report.records, report.lost) == (sum(map(len, same)), RECORDS - sum(map(len, same)))
    assert [fault.block for fault in report.damages] == [
        n for n, place in enumerate(places, 1) if before[place] != spoiled[place]
    ]


@pytest.mark.parametrize("size", [0, "head"])
def test_without_blocks_it_is_whole_and_has_no_records(tmp_path, size):
    path = made.write_segment(tmp_path / "example", [])
    if size == 0:
        os.truncate(path, 0)
    assert (verify(path).state, verify(path).records) == ("whole", 0)
    index_path(path).unlink()
    assert verify(path).state == "whole"


def test_a_segment_being_written_may_end_in_half_a_block_and_be_ahead_of_its_index(segment):
    data, index = segment.read_bytes(), index_path(segment).read_bytes()
    segment.write_bytes(data[:-10])
    index_path(segment).write_bytes(index[: HEAD_SIZE + ENTRY_SIZE + 7])
    with segment.open("ab"):
        report = verify(segment)
        assert (report.state, report.growing, report.records, report.lost) == ("whole", True, 5, 0)
    report = verify(segment)
    assert (report.state, report.growing, report.records, report.lost) == ("damaged", False, 5, 3)
    assert report.index == ["cut off in an entry", "1 block is not in it"]


def test_a_segment_that_ends_being_written_while_it_is_read_is_read_again(segment, monkeypatch):
    """The relay writes the rest and closes it just after it was opened for reading."""
    data = segment.read_bytes()
    segment.write_bytes(data[:-10])

    def close(_path):
        segment.write_bytes(data)
        monkeypatch.undo()
        return ""

    monkeypatch.setattr("speeddata.verify.writer_of", close)
    assert verify(segment).state == "whole"


def test_other_containers_are_verified_too(tmp_path):
    path = tmp_path / "other.avro"
    schema = {"type": "record", "name": "x", "fields": [{"name": "city", "type": ["null", "string"]}]}
    rows = [{"city": f"town {n}" if n % 3 else None} for n in range(3000)]
    with path.open("wb") as file:
        fastavro.writer(file, fastavro.parse_schema(schema), rows, codec="deflate", sync_interval=1000)
    report = verify(path)
    assert (report.state, report.records, report.has_index) == ("whole", 3000, False)
    assert report.blocks > 5
    os.truncate(path, path.stat().st_size - 5)
    assert verify(path).state == "damaged"


def test_the_quarantine_of_a_relay_is_whole(tmp_path):
    path = made.write_segment(tmp_path / "example", BLOCKS, index=False, metadata={}).rename(
        tmp_path / "q.avro"
    )
    assert verify(path).state == "whole"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"hello", "not an Avro container file"),
        (b"Obj\x01\x02nonsense", "cut off in its head"),
        (made.head({"type": "string"}), "unusable schema: the top level must be a record"),
        (made.head(made.SCHEMA, codec="snappy"), "codec 'snappy', wanted one of null, deflate, zstandard"),
    ],
)
def test_what_is_unreadable_is_said(tmp_path, content, said):
    path = tmp_path / "x.avro"
    path.write_bytes(content)
    report = verify(path)
    assert (report.state, report.status, report.error) == ("unreadable", 1, said)
    assert report.lines() == [f"{path}: unreadable: {said}, an unknown number of records lost"]


def test_of_what_may_not_be_read_nothing_is_said_to_be_lost(segment):
    segment.chmod(0)
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        report = verify(segment)
    finally:
        if root:
            os.seteuid(0)
    assert (report.state, report.lost) == ("unreadable", 0)
    assert report.lines() == [f"{segment}: cannot be read: Permission denied"]


def test_a_damaged_head_is_unreadable(segment):
    """Its names may be other ones now, though each block is whole."""
    segment.write_bytes(segment.read_bytes().replace(b"voltage", b"current"))
    assert verify(segment).lines() == [
        f"{segment}: unreadable: head damaged: its index tells another checksum of it, {RECORDS} records lost"
    ]


def test_of_an_unreadable_segment_the_index_tells_what_it_had(segment):
    os.truncate(segment, 100)
    assert verify(segment).lines() == [f"{segment}: unreadable: cut off in its head, {RECORDS} records lost"]


def test_files_without_head_need_a_schema(tmp_path):
    sync = bytes.fromhex("a48a1e90050424780a68337fc2509563")
    path = tmp_path / "data_1700000000.avro"
    path.write_bytes(b"".join(made.block(len(b), made.encode(made.SCHEMA, b), sync) for b in BLOCKS))
    assert verify(path).state == "unreadable"
    report = verify(path, schema_text=json.dumps(made.SCHEMA))
    assert (report.state, report.records) == ("whole", RECORDS)


def test_the_figures_of_many(segment, tmp_path):
    whole, segment = verify(segment), made.write_segment(tmp_path / "b", BLOCKS)
    (tmp_path / "c.avro").write_bytes(b"hello")
    os.truncate(segment, segment.stat().st_size - 3)
    files = [report.as_json() for report in (whole, verify(segment))]
    size = whole.size + segment.stat().st_size
    expected = {
        "files": 2,
        "blocks": 5,
        "records": 13,
        "bytes": size,
        "damaged": 1,
        "unreadable": 0,
        "lost": 3,
    }
    assert summary(files) == {"state": "damaged", **expected}
    told = summary([*files, verify(tmp_path / "c.avro").as_json()])
    assert (told["state"], told["unreadable"], told["lost"]) == ("unreadable", 1, None)
    assert summary([])["state"] == "whole"


def test_the_signature_tells_a_change(segment):
    before = signature_of(segment)
    assert signature_of(segment) == before
    index_path(segment).unlink()
    assert signature_of(segment) != before
    with pytest.raises(FileNotFoundError):
        verify(segment.with_name("none.avro"))
