import itertools
import math

import pytest
import segments as made

from speeddata.archive import Archive
from speeddata.reader import Reader, same_records
from speeddata.schema import Schema
from speeddata.segment import Segment


def with_time(kind, **attributes):
    field = {"name": "time", "type": kind, **attributes}
    return {**made.SCHEMA, "fields": [field, *made.SCHEMA["fields"][1:]]}


def times(folder):
    with Archive(folder).open() as reader:
        return reader.read().time_ns.tolist()


@pytest.mark.parametrize(
    ("unit", "stamp"), [("s", 1_700_000_000), ("ms", 1_700_000_000_123), ("us", 1_700_000_000_123_456)]
)
@pytest.mark.parametrize("told", [True, False])
@pytest.mark.parametrize("index", [True, False])
def test_times_come_in_nanoseconds_whatever_their_unit(tmp_path, unit, stamp, told, index):
    rows = [made.record(n, time=stamp + n) for n in range(3)]
    metadata = None if told else {"channel": "example"}
    made.write_segment(
        tmp_path / "example", [rows], with_time("long"), unit=unit, metadata=metadata, index=index
    )
    assert times(tmp_path / "example") == [(stamp + n) * made.SCALE[unit] for n in range(3)]


@pytest.mark.parametrize("bad", [math.nan, math.inf, -1e300, 1e300, None])
@pytest.mark.parametrize("index", [True, False])
def test_impossible_times_are_the_receive_time_of_their_block(tmp_path, bad, index):
    schema = with_time(["null", "double"])
    seconds = made.START // 10**9
    blocks = [[made.record(0, time=seconds), made.record(1, time=bad)], [made.record(2, time=bad)]]
    arrivals = [made.START + 5, made.START + 9]
    made.write_segment(tmp_path / "example", blocks, schema, unit="s", arrivals=arrivals, index=index)
    wanted = [made.START, made.START + 5, made.START + 9] if index else [made.START] * 3
    assert times(tmp_path / "example") == wanted


def test_records_indexed_by_another_receive_time_than_their_blocks_are_not_lost(tmp_path):
    """The relay indexes such a record by its own receive time; readers know that of the block's first packet."""
    first = made.START + 10 * 10**9
    rows = [made.record(0, time=first // 10**9), made.record(1, time=math.nan)]
    path = made.write_segment(tmp_path / "example", [rows], with_time("double"), unit="s")
    with Segment(path) as segment:
        start = segment.head.length
    index = path.with_suffix(".idx")
    entry = made.entry(start, path.read_bytes()[start:], [first, first + 3], made.START, flags=2)
    index.write_bytes(index.read_bytes()[:64] + entry)
    archive = Archive(tmp_path / "example")
    assert archive.span() == (first, first + 3)
    with archive.open(first, first + 3) as reader:
        assert reader.read().time_ns.tolist() == [first, first]


def test_segments_of_another_schema_are_left_out_and_said(tmp_path):
    folder = tmp_path / "example"
    changed = {**made.SCHEMA, "fields": made.SCHEMA["fields"][:3]}
    made.write_segment(folder, [made.records(2)])
    made.write_segment(folder, [made.records(3, 10)], changed, start=made.START + 10**9)
    with Archive(folder).open() as reader:
        table = reader.read()
    assert list(table.columns) == ["counter", "voltage"]
    assert table.columns["counter"].tolist() == [10, 11, 12]
    assert [(damage.records, damage.reason) for damage in reader.damages] == [
        (2, "another version of the schema")
    ]
    with Archive(folder).open(made.START, made.START + 5_000_000) as reader:
        assert reader.read().columns["message"].tolist() == ["m0", "m1"], (
            "the last with records in the range counts"
        )
        assert reader.damages == []


def test_notes_do_not_make_another_schema_but_units_do():
    schema = Schema.parse(made.SCHEMA)
    assert same_records(schema, Schema.parse({**made.SCHEMA, "doc": "noted"}))
    fields = [
        {**field, "speeddata": {"unit": "mV"}} if field["name"] == "voltage" else field
        for field in made.SCHEMA["fields"]
    ]
    assert not same_records(schema, Schema.parse({**made.SCHEMA, "fields": fields}))


def test_named_signals_alone_are_given(tmp_path):
    made.write_segment(tmp_path / "example", [made.records(2)])
    with Archive(tmp_path / "example").open() as reader:
        table = reader.read(["voltage", "nosuch"])
        assert {name: column.tolist() for name, column in table.columns.items()} == {"voltage": [0.0, 0.25]}
        assert list(reader.empty(["message"]).columns) == ["message"]


def test_empty_ranges_have_columns_of_the_right_types(tmp_path):
    made.write_segment(tmp_path / "example", [made.records(2)])
    with Archive(tmp_path / "example").open(0, 1) as reader:
        table = reader.read()
    assert len(table) == 0
    assert [(name, column.dtype.name) for name, column in table.columns.items()] == [
        ("counter", "int32"), ("voltage", "float64"), ("message", "object")
    ]  # fmt: skip


def test_without_segments_there_is_nothing():
    with Reader([]) as reader:
        assert reader.schema is None
        assert len(reader.read()) == 0


def test_check_ends_the_reading(tmp_path):
    made.write_segment(tmp_path / "example", [made.records(5)])

    def stop():
        raise InterruptedError

    with Archive(tmp_path / "example").open() as reader:
        with pytest.raises(InterruptedError):
            list(reader.batches(check=stop))


def test_a_damaged_block_that_has_its_checksum_costs_itself_alone(tmp_path):
    """Not what disks do: a writer wrote what are not the records, and indexed it."""
    path = made.write_segment(tmp_path / "example", [made.records(2), made.records(2, 2), made.records(2, 4)])
    whole = path.read_bytes()
    at = whole.index(made.encode(made.SCHEMA, made.records(1, 2)))
    broken = whole[:at] + b"\xff" * 10 + whole[at + 10 :]
    path.write_bytes(broken)
    index = path.with_suffix(".idx")
    entries = index.read_bytes()
    with Segment(path) as segment:
        second = segment.entries[64:128]
    offset, length = int.from_bytes(second[:8], "little"), int.from_bytes(second[8:12], "little")
    made_again = made.entry(
        offset, broken[offset : offset + length], [made.START + 2_000_000] * 2, made.START
    )
    index.write_bytes(entries[:128] + made_again + entries[192:])
    with Archive(path.parent).open() as reader:
        assert reader.read().columns["counter"].tolist() == [0, 1, 4, 5]
    assert [(damage.start, damage.records) for damage in reader.damages] == [(offset, 2)]


def test_arrays_of_one_length_are_two_dimensional_and_others_objects(tmp_path):
    schema = {
        **made.SCHEMA,
        "fields": [*made.SCHEMA["fields"], {"name": "wave", "type": {"type": "array", "items": "float"}}],
    }
    lengths = [[2, 2], [2, 3], [0]]
    numbers = itertools.count()
    blocks = [[made.record(next(numbers), wave=[1.0] * length) for length in block] for block in lengths]
    path = made.write_segment(tmp_path / "example", blocks[:1], schema)
    with Reader([Segment(path)]) as reader:
        assert reader.read().columns["wave"].shape == (2, 2)
    path = made.write_segment(tmp_path / "example", blocks, schema)
    with Reader([Segment(path)]) as reader:
        assert [len(wave) for wave in reader.read().columns["wave"]] == [2, 2, 2, 3, 0]
