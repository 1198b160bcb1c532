"""Ranges of a file from line to line: hostile ones too, and whatever the pieces are."""

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speeddata.csv_check import Piece, examine, records
from speeddata.csv_layout import Column, Kind, Layout
from speeddata.csv_scan import MAX_LINE

COLUMNS = Column("t", Kind.EPOCH), Column("v", Kind.DOUBLE), Column("s", Kind.TEXT)
KNOWN = Layout(columns=COLUMNS, order=(-1, 1, 2), unit="s")


class Opened:
    def __init__(self, data, layout=KNOWN, names=("t", "v", "s")):
        self.folder = tempfile.TemporaryDirectory()
        path = Path(self.folder.name) / "data.csv"
        path.write_bytes(data)
        self.fd, self.size = os.open(path, os.O_RDONLY), len(data)
        self.layout, self.names = layout, names

    def examine(self, start=0, stop=None, seek=False, keep=100):
        piece = Piece(start, self.size if stop is None else stop, seek)
        return examine(self.fd, self.size, self.layout, self.names, piece, keep)

    def records(self, start=0, stop=None):
        piece = Piece(start, self.size if stop is None else stop)
        made, crc = records(self.fd, self.size, self.layout, self.names, piece, [], [])
        assert crc == self.examine(start, stop).crc
        return b"".join(body for _, _, body in made)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.close(self.fd)
        self.folder.cleanup()


def facts(data, **options):
    with Opened(data, **options) as opened:
        return opened.examine()


def test_counts_and_times():
    found = facts(b"1,2,a\n\n3.5,4,b\r\n3.5,4,c\n2,5,d\n")
    assert (found.rows, found.lines, found.blanks, found.backward, found.equal) == (4, 5, 1, 1, 1)
    assert (found.first_ns, found.last_ns, found.lowest_ns, found.highest_ns) == (
        10**9,
        2 * 10**9,
        10**9,
        3_500_000_000,
    )
    assert (found.finest, found.bad_count, found.stop) == (1, 0, 30)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"1,2", "2 fields, wanted 3"), (b"1", "1 field, wanted 3"), (b"1,2,3,4", "4 fields, wanted 3"),
        (b"1,x,a", "column 'v': wanted a number, not 'x'"), (b"never,2,a", "column 't': wanted a time as a number, not 'never'"),
        (b"1,2,a\0b", "it has a NUL byte"), (b"1,2,\xff", "not UTF-8"), (b"99999999999,2,a", "outside of the years"),
        (b",2,a", "column 't': wanted a time"), (b"1,2,a" + b"x" * MAX_LINE, f"longer than {MAX_LINE} bytes"),
        (b"1,2," + b"x" * 10_000_000, "longer than"), (b'1,2,"a', None), (b"1," + b"9" * 5000 + b",a", None),
        (b"1,2,3,,", None), (b" 1 , 2 , a ", None), (b'"1","2","a ""b"""', None), (b'1,2,"two\nlines"', None), (b"   ", None),
    ],
)  # fmt: skip
def test_strange_lines(line, reason):
    found = facts(b"1,2,a\n" + line + b"\n5,6,b\n")
    assert [bad.line for bad in found.bad] == ([2] if reason else [])
    assert found.bad_count == len(found.bad)
    if reason:
        assert reason in found.bad[0].reason
    assert found.last_ns == 5 * 10**9
    assert found.rows == (2 if reason or not line.strip() else 3)


def test_a_quote_that_nothing_closes_costs_its_own_line_alone():
    found = facts(b'1,2,a\n2,x,"b\n3,4,c\n' + b"4,5,d\n" * 30000)
    assert (found.rows, [bad.line for bad in found.bad]) == (30002, [2])


def test_a_last_line_may_be_cut():
    found = facts(b"1,2,a\n2,3")
    assert (found.rows, found.bad[0].reason) == (1, "cut off after 2 fields of 3")
    assert facts(b"1,2,a\n2,3,b").rows == 2


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
@pytest.mark.parametrize("line", [b'3,"', b'3,"4', b'"3', b'"', b'3,"4","b', b'3,"4","a ""b', b'3,"4","a ""'])
def test_a_quote_that_is_open_at_the_end_makes_a_bad_line(line, end):
    """Without numbers it would be a null, with some of their digits other numbers."""
    columns = Column("t", Kind.EPOCH), Column("v", Kind.NEW), Column("s", Kind.NEW)
    for layout in (KNOWN, Layout(columns=columns)):
        found = facts(b'1,"2","a"\n2,"3","b"\n' + line + end, layout=layout)
        assert (found.rows, found.nulls) == (2, (0, 0, 0))
        assert [(bad.line, bad.reason) for bad in found.bad] == [(3, "an open quote at the end of the file")]
        assert found.bad[0].text == line + end
    assert facts(b'1,2,a\n2,3,"b"\n3,4,"c""' + b'"' + end).rows == 3


def test_the_names_may_come_again():
    found = facts(b"1,2,a\nt,v,s\n2,3,b\n")
    assert (found.rows, found.names_again, found.bad_count) == (2, 1, 0)


def test_kinds_grow_with_what_comes():
    columns = (
        Column("t", Kind.EPOCH),
        Column("n", Kind.LONG),
        Column("x", Kind.NEW),
        Column("y", Kind.NEW),
        Column("z", Kind.NEW),
    )
    found = facts(b"1,2,,,\n2,2.5,3,,true\n", layout=Layout(columns=columns), names=())
    assert found.kinds[1:] == (Kind.DOUBLE, Kind.DOUBLE, Kind.NEW, Kind.FLAG)
    assert found.nulls == (0, 0, 1, 2, 1)


def test_values_that_name_channels_are_counted():
    columns = Column("t", Kind.EPOCH), Column("k", Kind.TEXT, is_key=True)
    found = facts(b'1,a\n2,b\n3,"a"\n', layout=Layout(columns=columns), names=())
    assert found.keys == {b"a": 2, b"b": 1}


def test_other_encodings_become_utf_8():
    layout = Layout(columns=COLUMNS, order=(-1, 1, 2), unit="s", encoding="cp1252")
    with Opened("1,2,für\n".encode("cp1252"), layout=layout) as opened:
        assert opened.examine().rows == 1
        assert opened.records().endswith("für".encode())


LINES = st.sampled_from(
    [b"1,2,a\n", b"2.25,-3e5,bcd\r\n", b'3,4,"x\ny"\n', b'"5","6","e ""f"" g"\n', b"\n", b"junk\n", b"t,v,s\n", b"7,,null\n", b"8,9," + b"w" * 900 + b"\n"]
)  # fmt: skip


@given(st.lists(LINES, min_size=1, max_size=40), st.integers(1, 6))
def test_pieces_together_are_the_whole(lines, count):
    """Pieces that begin inside of quotes are begun anew where the piece before ends, as an import does."""
    data = b"".join(lines)
    columns = COLUMNS[0], Column("v", Kind.DOUBLE, null_branch=0), COLUMNS[2]
    with Opened(data, layout=Layout(columns=columns, order=(-1, 1, 2), unit="ms")) as opened:
        whole = opened.examine()
        at, found, made = 0, [], b""
        for number in range(count):
            stop = len(data) * (number + 1) // count
            start = len(data) * number // count
            one = opened.examine(start, stop, seek=number > 0)
            if one.start != at:
                one = opened.examine(at, max(at, stop))
            at = max(at, one.stop)
            found.append(one)
            made += opened.records(one.start, one.stop)
        assert at == len(data)
        for name in ("rows", "lines", "blanks", "bad_count", "names_again"):
            assert sum(getattr(one, name) for one in found) == getattr(whole, name), name
        assert made == opened.records()
