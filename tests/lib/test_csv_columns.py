import numpy as np
import pytest

from speeddata.csv_columns import read_columns
from speeddata.errors import FormatError


@pytest.fixture
def write(tmp_path):
    def write(text, encoding="utf-8"):
        path = tmp_path / "data.csv"
        path.write_bytes(text.encode(encoding, "surrogateescape"))
        return path

    return write


def test_types_are_the_narrowest_that_hold_all_values(write):
    path = write(
        "time,i,f,gap,flag,word,big,mixed\n0,1,1.5,,true,a,99999999999999999999,1\n1,-2,1e3,2,False,,1,x\n"
    )
    times, columns = read_columns(path)
    assert times.tolist() == [0, 10**9]
    assert {name: column.dtype.name for name, column in columns.items()} == {
        "i": "int64", "f": "float64", "gap": "float64", "flag": "bool", "word": "object", "big": "float64", "mixed": "object"
    }  # fmt: skip
    assert np.isnan(columns["gap"][0])
    assert columns["word"].tolist() == ["a", ""]


def test_names_are_stripped_and_spaces_become_underscores(write):
    _, columns = read_columns(write("\ufefftime, my signal ,my signal\n0,1,2\n"))
    assert list(columns) == ["my_signal", "my_signal_1"]


def test_the_time_may_be_another_column_or_none(write):
    path = write("a,stamp\n1,2025-01-01T00:00:00Z\n\n2,2025-01-01T00:00:01+00:00\n")
    for index in (1, "stamp", -1):
        times, columns = read_columns(path, index)
        assert times.tolist() == [1_735_689_600 * 10**9, 1_735_689_601 * 10**9]
        assert list(columns) == ["a"]
    times, columns = read_columns(path, None)
    assert times.tolist() == [0, 10**9]
    assert list(columns) == ["a", "stamp"]


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", "is empty"),
        ("time,a\n0,1,2\n", "line 2 has 3 values, wanted 2"),
        (
            "time;a\n1;2,5\n",
            r"line 2 has 2 values, wanted 1; .*';', not ','.*delimiter=';'.*`speeddata import`",
        ),
        ("time;a\n1;2\n", r"column 'time;a': .* looks like ';', not ','"),
        ("time\ta,b\n1\t2\n", "line 2 has 1 values, wanted 2; .* looks like '.t'"),
        ("time,a\nnever,1\n", "data.csv column 'time': .*'never'"),
        ("time,a\ntrue,1\n", "data.csv column 'time': .*'True'"),
        ("\x89HDF\r\n\x1a\n\udcff", "data.csv is not CSV in UTF-8"),
        ('time,a\n0,"' + "x" * 200_000, "data.csv is not CSV in UTF-8: field larger"),
    ],
)
def test_what_cannot_be_read_is_told(write, text, error):
    with pytest.raises(FormatError, match=error):
        read_columns(write(text))


def test_decimal_texts_of_times_are_exact(write):
    path = write("ts,v\n1594512094.3859746,1\n1594512094.735568017,2\n1.594512095e9,3\n-0.000000001,4\n")
    times, _ = read_columns(path)
    assert times.tolist() == [1594512094385974600, 1594512094735568017, 1594512095 * 10**9, -1]
    times, _ = read_columns(write("ts,v\n1594512094385.974601,1\n1594512094385,2\n"))
    assert times.tolist() == [1594512094385974601, 1594512094385000000]
    times, _ = read_columns(write("a;b\n1;2.25\n"), "b", ";")
    assert times.tolist() == [2_250_000_000]


def test_unknown_index_names_the_columns(write):
    with pytest.raises(ValueError, match="no column 'x', only time, a"):
        read_columns(write("time,a\n0,1\n"), "x")
    with pytest.raises(ValueError, match="no column 7"):
        read_columns(write("time,a\n0,1\n"), 7)


def test_a_head_alone_is_no_rows(write):
    times, columns = read_columns(write("time,a\n"))
    assert len(times) == 0
    assert len(columns["a"]) == 0
