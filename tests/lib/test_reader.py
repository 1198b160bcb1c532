import itertools
import math

import pytest
import segments as made

from speeddata.archive import Archive
from speeddata.reader import Reader
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


def test_a_range_over_versions_of_the_schema_has_all_their_signals(tmp_path):
    folder = tmp_path / "example"
    changed = {**made.SCHEMA, "fields": [*made.SCHEMA["fields"][:3], {"name": "mode", "type": "int"}]}
    made.write_segment(folder, [made.records(2)])
    made.write_segment(
        folder, [[made.record(n, mode=-n) for n in (10, 11)]], changed, start=made.START + 10**9
    )
    with Archive(folder).open() as reader:
        table = reader.read()
        assert [signal.name for signal in reader.signals] == ["counter", "voltage", "mode", "message"]
        empty = reader.empty()
    assert reader.damages == []
    assert list(table.columns) == list(empty.columns) == ["counter", "voltage", "mode", "message"]
    assert [column.dtype for column in table.columns.values()] == [
        column.dtype for column in empty.columns.values()
    ]
    assert table.columns["counter"].tolist() == [0, 1, 10, 11]
    assert table.columns["mode"].tolist() == [None, None, -10, -11]
    assert table.columns["message"].tolist() == ["m0", "m1", None, None]
    with Archive(folder).open(made.START, made.START + 5_000_000) as reader:
        assert list(reader.read().columns) == ["counter", "voltage", "message"], "those in the range count"


def test_versions_that_no_schema_holds_leave_the_older_one_out_and_say_so(tmp_path):
    folder = tmp_path / "example"
    fields = [{"name": "x", "type": {"type": "fixed", "name": "x", "size": size}} for size in (2, 3)]
    for number, field in enumerate(fields):
        schema = {**made.SCHEMA, "fields": [made.SCHEMA["fields"][0], field]}
        row = {"time": made.START + number, "x": b"-" * (2 + number)}
        made.write_segment(folder, [[row]], schema, start=made.START + number * 10**9)
    with Archive(folder).open() as reader:
        assert reader.read().columns["x"].tolist() == [b"---"]
    assert [damage.records for damage in reader.damages] == [1]
    assert "another version of the schema" in reader.damages[0].reason


@pytest.mark.parametrize("batch", [1, 3, 1000])
def test_segments_over_the_same_time_are_read_side_by_side(tmp_path, monkeypatch, batch):
    """Records of one time come in the order of arrival, and few records are held at once."""
    monkeypatch.setattr("speeddata.reader.BATCH", batch)
    folder = tmp_path / "example"
    for place in range(3):
        blocks = [[made.record(n * 10 + place, time=made.START + n)] for n in range(20)]
        made.write_segment(folder, blocks, start=made.START + place * 10**9)
    with Archive(folder).open() as reader:
        tables = list(reader.batches(["counter"]))
    counters = [int(number) for table in tables for number in table.columns["counter"]]
    assert counters == [n * 10 + place for n in range(20) for place in range(3)]
    if batch < 10:
        assert max(map(len, tables)) <= 2 * batch + 6


def test_a_record_far_ahead_does_not_hold_up_the_others(tmp_path, monkeypatch):
    monkeypatch.setattr("speeddata.reader.BATCH", 2)
    blocks = [made.records(2, n) for n in range(0, 20, 2)]
    blocks[1][0]["time"] += 10**15
    made.write_segment(tmp_path / "example", blocks)
    with Archive(tmp_path / "example").open() as reader:
        tables = [table.columns["counter"].tolist() for table in reader.batches(["counter"])]
    assert sum(tables, []) == [*range(2), *range(3, 20), 2]
    assert max(map(len, tables)) <= 3


def test_closing_waits_for_the_threads(tmp_path, monkeypatch):
    monkeypatch.setattr("speeddata.decoding.PART", 1)
    monkeypatch.setattr("speeddata.decoding.LEAST", 1)
    monkeypatch.setattr("speeddata.reader.BATCH", 4)
    made.write_segment(tmp_path / "example", [made.records(2, n) for n in range(0, 40, 2)])
    reader = Archive(tmp_path / "example").open()
    tables = reader.batches()
    assert len(next(tables)) == 4
    reader.close()
    assert not reader._running


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
