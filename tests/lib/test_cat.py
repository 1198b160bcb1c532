"""The records of a file as they are stored, of a range of time, and what is said of those that are not there."""

import json
import os

import pytest
import segments as made
from hypothesis import given
from hypothesis import strategies as st

from speeddata.cat import Cat
from speeddata.index import index_path
from speeddata.record_text import CsvLines, JsonLines
from speeddata.segment import scan

BLOCKS = [made.records(3), [made.record(7), made.record(6)], made.records(4, 8)]
ROWS = [row for block in BLOCKS for row in block]


@pytest.fixture(params=["null", "deflate"])
def segment(tmp_path, request):
    return made.write_segment(tmp_path / "example", BLOCKS, codec=request.param)


def read(path, **options):
    source = Cat(path, **options)
    text = "".join(source.text(JsonLines()))
    assert source.error == ""
    return [json.loads(line) for line in text.splitlines()], source.damages


def test_all_records_in_the_order_of_the_file(segment):
    assert read(segment) == (ROWS, [])
    assert "".join(Cat(segment).text(CsvLines())).splitlines()[:2] == [
        "time,counter,voltage,message",
        f"{made.START},0,0.0,m0",
    ]


@given(st.integers(-2, 14), st.integers(-2, 14), st.integers(-1, 1))
def test_a_range_has_its_start_and_not_its_end(tmp_path_factory, first, last, off):
    path = made.write_segment(tmp_path_factory.mktemp("r") / "example", BLOCKS)
    start, end = (made.START + n * 1_000_000 + off for n in (first, last))
    assert read(path, start_ns=start, end_ns=end)[0] == [row for row in ROWS if start <= row["time"] < end]
    assert read(path, start_ns=start)[0] == [row for row in ROWS if start <= row["time"]]
    assert read(path, end_ns=end)[0] == [row for row in ROWS if row["time"] < end]


def test_records_with_impossible_times_count_by_when_they_came(tmp_path):
    schema = {"type": "record", "name": "x", "fields": [{"name": "time", "type": ["null", "double"]}]}
    rows = [{"time": 1.5}, {"time": None}, {"time": 9.5}]
    arrivals = [5 * 10**9]
    path = made.write_segment(tmp_path / "example", [rows], schema, unit="s", arrivals=arrivals)
    assert read(path)[0] == rows
    assert read(path, start_ns=2 * 10**9, end_ns=6 * 10**9)[0] == rows[1:2]
    assert read(path, start_ns=6 * 10**9)[0] == rows[2:]


def test_damage_is_left_out_and_said(segment):
    data, place = bytearray(segment.read_bytes()), scan(segment)[1]
    data[place.offset + 4] ^= 1
    segment.write_bytes(data)
    said = (
        f"{segment}: block 2, bytes {place.offset} to {place.offset + place.length}: checksum, 2 records lost"
    )
    assert read(segment) == (BLOCKS[0] + BLOCKS[2], [said])
    assert read(segment, start_ns=made.START + 8_000_000) == (BLOCKS[2], [])
    os.truncate(segment, len(data) - 1)
    assert read(segment)[1][1].endswith("cut off, 4 records lost")
    with segment.open("ab"):
        assert read(segment)[1] == [said]


def test_a_lost_index_is_no_matter(segment):
    index_path(segment).unlink()
    assert read(segment) == (ROWS, [])


def test_an_empty_file_has_nothing(segment):
    index_path(segment).unlink()
    os.truncate(segment, 0)
    assert read(segment) == ([], [])


def test_other_containers(tmp_path):
    schema = {"type": "record", "name": "x", "fields": [{"name": "city", "type": "string"}]}
    path = tmp_path / "x.avro"
    path.write_bytes(made.head(schema) + made.block(1, made.encode(schema, [{"city": "Ulm"}])))
    assert read(path) == ([{"city": "Ulm"}], [])
    source = Cat(path, start_ns=0)
    assert list(source.text(JsonLines())) == []
    assert source.error == "its records have no time to choose them by"


def test_files_without_head_need_a_schema(tmp_path):
    path, sync = tmp_path / "data_1.avro", bytes.fromhex("a48a1e90050424780a68337fc2509563")
    path.write_bytes(b"".join(made.block(len(b), made.encode(made.SCHEMA, b), sync) for b in BLOCKS))
    assert read(path, schema_text=json.dumps(made.SCHEMA)) == (ROWS, [])
    source = Cat(path)
    assert (list(source.text(JsonLines())), source.error) == ([], "not an Avro container file")


def test_a_file_that_cannot_be_read(tmp_path):
    source = Cat(tmp_path / "none.avro")
    assert (list(source.text(JsonLines())), source.error) == ([], "No such file or directory")
