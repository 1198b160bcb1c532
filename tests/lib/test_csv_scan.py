"""The fast reader of lines: values are those that Python reads, records those that fastavro reads."""

import datetime
import io
import math
import os
import struct

import fastavro
import pytest
from hypothesis import given
from hypothesis import strategies as st

from speeddata.csv_layout import Column, Kind, Layout
from speeddata.csv_scan import MAX_KEYS, MAX_LINE, Scan
from speeddata.csv_times import NAMES, compile_format

ISO = compile_format("%Y-%m-%dT%H:%M:%S.%f%z")
TIMED = (Column("t", Kind.TIME), Column("v", Kind.DOUBLE))
NUMBERS = st.one_of(
    st.floats(allow_nan=False).map(repr),
    st.floats(allow_nan=False, allow_infinity=False).map(lambda x: f"{x:.3f}"),
    st.from_regex(r"[+-]?[0-9]{1,25}(\.[0-9]{0,25})?([eE][+-]?[0-9]{1,3})?", fullmatch=True),
    st.from_regex(r"[+-]?\.[0-9]{1,25}([eE][+-]?[0-9]{1,3})?", fullmatch=True),
)


def scan_of(data, layout, tmp_path, encode=False, **options):
    path = tmp_path / "data.csv"
    path.write_bytes(data)
    scan = Scan(layout, encode, **options)
    fd = os.open(path, os.O_RDONLY)
    try:
        scan.load(fd, 0, len(data), len(data))
    finally:
        os.close(fd)
    return scan


def layout(*columns, **options):
    order = tuple(
        place for place, column in enumerate(columns) if column.kind not in (Kind.TIME, Kind.EPOCH, Kind.SKIP)
    )
    return Layout(columns=columns, programs=(ISO,), names=NAMES, order=(-1, *order), **options)


def values(data, kinds, types, tmp_path, **options):
    """The records of some lines, read by fastavro."""
    columns = [Column(f"c{n}", kind) for n, kind in enumerate(kinds)]
    scan = scan_of(data, layout(*columns, **options), tmp_path, encode=True)
    assert scan.run() is None
    ((_, count, made),) = scan.take()
    schema = {
        "type": "record",
        "name": "r",
        "fields": [{"name": f"f{n}", "type": t} for n, t in enumerate(types)],
    }
    stream, found = io.BytesIO(made), []
    while stream.tell() < len(made):
        found.append(tuple(fastavro.schemaless_reader(stream, schema).values()))
    assert len(found) == count
    return found


def bits(value):
    return struct.pack("<d", value)


@given(NUMBERS)
def test_numbers_are_those_that_python_reads_bit_for_bit(text):
    scan = Scan(layout(Column("t", Kind.SKIP), Column("v", Kind.DOUBLE)), encode=True)
    assert scan.add([b"", text.encode()]) is None
    ((_, _, made),) = scan.take()
    assert made[-8:] == bits(float(text))


@given(st.lists(NUMBERS, min_size=1, max_size=20), st.sampled_from(",;\t"), st.booleans())
def test_lines_of_numbers_are_read_in_place_too(texts, delimiter, quoted):
    import tempfile
    from pathlib import Path

    texts = [text for text in texts if "inf" not in text]
    cells = [f'"{text}"' for text in texts] if quoted else texts
    data = "".join(f"{cell}{delimiter}{cell}\r\n" for cell in cells).encode()
    with tempfile.TemporaryDirectory() as folder:
        columns = Column("a", Kind.DOUBLE), Column("b", Kind.DOUBLE)
        scan = scan_of(data, layout(*columns, delimiter=delimiter), Path(folder), encode=True)
        assert scan.run() is None
    made = b"".join(body for _, _, body in scan.take())
    assert made == b"".join(b"\0" + bits(float(text)) * 2 for text in texts)


@given(st.integers(-(2**63), 2**63 - 1))
def test_whole_numbers_of_64_bits(number):
    scan = Scan(layout(Column("v", Kind.LONG)))
    assert scan.add([str(number).encode()]) is None


@pytest.mark.parametrize("text", [str(2**63), str(-(2**63) - 1), "1.0", "1e3", "9" * 30, "nan"])
def test_other_numbers_are_no_whole_ones(text):
    assert Scan(layout(Column("v", Kind.LONG))).add([text.encode()]) == (3, 0)


@given(st.datetimes(datetime.datetime(1678, 1, 1), datetime.datetime(2261, 1, 1)), st.integers(0, 9))
def test_times_are_exact(moment, places):
    text = moment.strftime("%Y-%m-%dT%H:%M:%S").rjust(19, "0")
    fraction = f"{moment.microsecond:06d}000"[:places]
    scan = Scan(layout(Column("t", Kind.TIME)))
    assert scan.add([f"{text}{'.' if places else ''}{fraction}Z".encode()]) is None
    whole = (moment.replace(microsecond=0) - datetime.datetime(1970, 1, 1)) // datetime.timedelta(seconds=1)
    assert scan.first_ns == whole * 10**9 + int(fraction.ljust(9, "0") or 0)


@given(
    st.lists(
        st.datetimes(datetime.datetime(1990, 1, 1), datetime.datetime(2060, 1, 1)), min_size=2, max_size=8
    )
)
def test_what_is_remembered_of_a_time_does_not_change_the_next(moments):
    together = Scan(layout(Column("t", Kind.TIME)))
    for moment in moments:
        for text in (moment.isoformat(), moment.replace(second=7).isoformat()):
            alone = Scan(layout(Column("t", Kind.TIME)))
            assert together.add([text.encode()]) is None
            assert alone.add([text.encode()]) is None
            assert together.last_ns == alone.first_ns


@pytest.mark.parametrize(
    "text",
    ["2021-02-29T00:00:00", "2021-13-01T00:00:00", "2021-04-31T00:00:00", "2021-01-01T24:00:01", "2021-01-01T10:60:00",
     "2021-01-01T10:00:61", "21-01-01T10:00:00", "2021-01-01T10:00:00.", "2021-01-01T10:00:00+9", "2021-01-01T10:00:00+24:00",
     "2021-01-01", "2021-01-01T10:00:00 CET", ""],
)  # fmt: skip
def test_texts_that_are_no_times(text):
    assert Scan(layout(Column("t", Kind.TIME))).add([text.encode()]) == (5, 0)


@pytest.mark.parametrize(
    ("text", "power", "ns"),
    [("1.5945120943859746E9", 9, 1594512094385974600), ("1594512094", 9, 1594512094 * 10**9), ("-0.5", 9, -500_000_000),
     ("8.54790319355", 6, 8547903), ("1e-9", 9, 1), ("5e-10", 9, 0), ("1.5e-9", 9, 2), ("0", 9, 0), ("1479995938081", 6, 1479995938081 * 10**6),
     ("9223372035", 9, 9223372035 * 10**9), ("1e-300", 9, 0)],
)  # fmt: skip
def test_times_that_are_numbers_are_exact(text, power, ns):
    scan = Scan(Layout(columns=(Column("t", Kind.EPOCH),), epoch_power=power))
    assert scan.add([text.encode()]) is None
    assert scan.first_ns == ns
    assert scan.finer == (text in ("8.54790319355", "5e-10", "1.5e-9", "1e-300"))


def test_times_beyond_64_bits_are_refused():
    assert Scan(Layout(columns=(Column("t", Kind.EPOCH),))).add([b"9223372037"]) == (6, 0)


def test_records_are_as_avro_has_them(tmp_path):
    data = b'2021-05-01T00:00:00Z,1.5,7,true,abc\n2021-05-01T00:00:01.5Z,-2,-8,FALSE,"d,e"\n'
    kinds = (Kind.TIME, Kind.DOUBLE, Kind.LONG, Kind.FLAG, Kind.TEXT)
    types = ("long", "double", "long", "boolean", "string")
    assert values(data, kinds, types, tmp_path, unit="ms") == [
        (1619827200000, 1.5, 7, True, "abc"), (1619827201500, -2.0, -8, False, "d,e")
    ]  # fmt: skip
    kinds = (Kind.TIME, Kind.FLOAT, Kind.INT, Kind.FLAG, Kind.SKIP)
    assert values(data, kinds, ("long", "float", "int", "boolean"), tmp_path, unit="ns")[1] == (
        1619827201500000000, -2.0, -8, False
    )  # fmt: skip


def test_nulls_and_words_for_them(tmp_path):
    columns = (
        Column("t", Kind.EPOCH),
        Column("v", Kind.DOUBLE, null_branch=0),
        Column("s", Kind.TEXT, null_branch=1),
    )
    data = b'1,,\n2,NaN,""\n3,NA,a\n4,null, b \n5,-inf,c\n'
    scan = scan_of(data, layout(*columns, unit="s"), tmp_path, encode=True)
    assert scan.run() is None
    ((_, _, made),) = scan.take()
    schema = {"type": "record", "name": "r", "fields": [
        {"name": "t", "type": "long"}, {"name": "v", "type": ["null", "double"]}, {"name": "s", "type": ["string", "null"]}]}  # fmt: skip
    stream = io.BytesIO(made)
    found = [tuple(fastavro.schemaless_reader(stream, schema).values()) for _ in range(5)]
    assert math.isnan(found[1][1])
    assert [found[0], *found[2:]] == [(1, None, None), (3, None, "a"), (4, None, "b"), (5, -math.inf, "c")]
    assert found[1][2] == ""
    seen = scan_of(data, layout(*columns), tmp_path)
    assert seen.run() is None
    assert seen.nulls() == [0, 3, 1]


def test_what_cannot_be_null_is_a_fault(tmp_path):
    scan = scan_of(b"1,\n", layout(Column("t", Kind.EPOCH), Column("v", Kind.DOUBLE)), tmp_path, encode=True)
    assert scan.run() == (9, 1)


@pytest.mark.parametrize(
    ("line", "fault"),
    [(b"2021-05-01T00:00:00Z\n", 1), (b"2021-05-01T00:00:00Z,1,2\n", 1), (b"2021-05-01T00:00:00Z,x\n", 2),
     (b"never,1\n", 5), (b"2021-05-01T00:00:00Z,1\0\n", 1), (b'2021-05-01T00:00:00Z,"1\n', 1), (b",1\n", 5)],
)  # fmt: skip
def test_a_strange_line_stops_the_scan_and_can_be_left_out(line, fault, tmp_path):
    good = b"2021-05-01T00:00:00Z,1\n"
    scan = scan_of(good + line + b"\r\n" + good, layout(*TIMED), tmp_path)
    assert scan.run()[0] == fault
    assert (scan.position, scan.line(), scan.rows) == (len(good), line, 1)
    scan.skip(len(line), 1)
    assert scan.run() is None
    assert (scan.rows, scan.lines, scan.blanks) == (2, 4, 1)


def test_a_line_goes_on_behind_a_line_end_in_quotes(tmp_path):
    data = b'1,"a\nb ""c""",2\n3,d,4\n'
    scan = scan_of(
        data, layout(Column("t", Kind.EPOCH), Column("s", Kind.TEXT), Column("n", Kind.LONG)), tmp_path
    )
    assert scan.run()[0] == 1
    assert scan.line() == data[:16]
    assert scan.add([b"1", b'a\nb "c"', b"2"]) is None
    scan.skip(16, 2)
    assert scan.run() is None
    assert scan.rows == 2


def test_a_line_may_be_too_long(tmp_path):
    scan = scan_of(b"1," + b"x" * (MAX_LINE + 9) + b"\n", layout(*TIMED), tmp_path)
    assert scan.run()
    assert scan.line() is None


def test_keys_part_the_records(tmp_path):
    columns = Column("t", Kind.EPOCH), Column("k", Kind.TEXT, is_key=True), Column("v", Kind.LONG)
    known = Layout(columns=columns, order=(-1, 2), unit="s")
    data = b"1,a,1\n2,b,2\n3,a,3\n"
    scan = scan_of(data, known, tmp_path)
    assert scan.run() == (10, 1)
    scan.add_key(b"a")
    assert scan.run() == (10, 1)
    scan.add_key(b"b")
    assert scan.run() is None
    assert (scan.keys, scan.counts()) == ([b"a", b"b"], [2, 1])
    scan = scan_of(data, known, tmp_path, encode=True, keys=[b"a", b"b"])
    assert scan.run() is None
    assert scan.take() == [(0, 2, bytes([2, 2, 6, 6])), (1, 1, bytes([4, 4]))]


def test_keys_have_a_limit():
    scan = Scan(Layout(columns=(Column("t", Kind.EPOCH), Column("k", Kind.TEXT, is_key=True))))
    for number in range(MAX_KEYS):
        scan.add_key(b"%d" % number)
    assert [scan.add([b"1", b"%d" % number]) for number in (0, 4711, 9999)] == [None] * 3
    with pytest.raises(OverflowError):
        scan.add_key(b"more")


def test_checksums_tell_what_was_read(tmp_path):
    from speeddata.blocks import crc32c

    data = b"1,2\n3,4\n"
    scan = scan_of(data, layout(Column("t", Kind.EPOCH), Column("v", Kind.LONG)), tmp_path)
    assert scan.run() is None
    assert scan.crc(0) == crc32c(data)


def test_lines_are_numbered_where_there_are_no_times(tmp_path):
    columns = (Column("v", Kind.LONG),)
    numbered = Layout(columns=columns, order=(-1, 0), rate_hz=100.0, start_ns=1_000_000_000, unit="ms")
    scan = scan_of(b"5\n6\n7\n", numbered, tmp_path)
    assert scan.run() is None
    assert (scan.first_ns, scan.last_ns, scan.finest) == (1_000_000_000, 1_020_000_000, 1)
