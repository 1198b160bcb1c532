import csv
import io
import json

import numpy as np
import pyarrow as pa
import pytest

from speeddata.buckets import Buckets
from speeddata.pivot import result as module
from speeddata.pivot.query_words import Result, Series
from speeddata.pivot.result import Shape, range_text, write_result

NAN, INF = float("nan"), float("inf")
START = 1_700_000_000_000_000_000


def objects(*values):
    column = np.empty(len(values), object)
    column[:] = values
    return column


COLUMNS = {
    "real": np.array([1.5, NAN, -INF]),
    "whole": np.ma.MaskedArray([1, 2**62, 3], mask=[0, 0, 1]),
    "flag": np.array([True, False, True]),
    "word": objects("a,\"b", None, "=cmd()"),
    "bytes": objects(b"\xff", b"", None),
    "list": objects([1, 2], {"a": None}, None),
    "wave": np.array([[1.0, 2.0], [3.0, NAN], [5.0, 6.0]]),
}  # fmt: skip
WANTED = [
    [1.5, None, None], [1, 2**62, None], [True, False, True], ['a,"b', None, "=cmd()"],
    [{"base64": "/w=="}, {"base64": ""}, None], [[1, 2], {"a": None}, None], [[1.0, 2.0], [3.0, None], [5.0, 6.0]],
]  # fmt: skip
TIMES = np.array([START, START + 1, START + 10**9])
STAMPS = ["2023-11-14T22:13:20Z", "2023-11-14T22:13:20.000000001Z", "2023-11-14T22:13:21Z"]


def result(*more, **about):
    return Result([Series("c", TIMES, COLUMNS, {"real": "V", "whole": None}), *more], **about)


def written(found, shape, check=lambda: None):
    return b"".join(write_result(found, {"start": "x"}, shape, check))


@pytest.fixture(params=[1 << 15, 2], autouse=True)
def rows(request, monkeypatch):
    monkeypatch.setattr(module, "ROWS", request.param)


def test_json_by_columns():
    told = json.loads(written(result(cursor="go", every=Buckets(0, 1, "UTC")), Shape()))
    (series,) = told.pop("series")
    assert told == {"start": "x", "every": {"months": 1, "zone": "UTC"}, "cursor": "go", "damages": 0}
    assert (series["channel"], series["count"], series["units"]) == ("c", 3, {"real": "V", "whole": None})
    assert series["time"] == STAMPS
    assert list(series["columns"]) == list(COLUMNS)
    assert list(series["columns"].values()) == WANTED


def test_json_by_rows():
    (series,) = json.loads(written(result(), Shape(rows=True)))["series"]
    assert series["columns"] == ["time", *COLUMNS]
    assert [list(column) for column in zip(*series["rows"], strict=True)] == [STAMPS, *WANTED]


@pytest.mark.parametrize(("unit", "ticks"), [("ns", 1), ("us", 10**3), ("ms", 10**6), ("s", 10**9)])
def test_times_as_numbers(unit, ticks):
    (series,) = json.loads(written(result(), Shape(time=unit)))["series"]
    assert series["time"] == [stamp // ticks for stamp in TIMES.tolist()]
    table = pa.ipc.open_stream(written(result(), Shape("arrow", time=unit))).read_all()
    assert table["time"].to_pylist() == series["time"]


def test_csv():
    text = written(result(), Shape("csv")).decode()
    assert text.endswith("\r\n")
    lines = list(csv.reader(io.StringIO(text, newline="")))
    assert lines[0] == ["time", *COLUMNS]
    assert [line[0] for line in lines[1:]] == STAMPS
    assert [line[4] for line in lines[1:]] == ['a,"b', "", "'=cmd()"]
    assert [line[1] for line in lines[1:]] == ["1.5", "", ""]
    assert lines[1][5:] == ['{"base64":"/w=="}', "[1,2]", "[1.0,2.0]"]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx", "\r\nx"])
def test_no_cell_is_a_formula(text):
    found = Result(
        [
            Series("-c", TIMES[:1], {"word": objects(text), "real": np.array([-1.0])}),
            Series("d", TIMES[:1], {}),
        ]
    )
    lines = list(csv.reader(io.StringIO(written(found, Shape("csv")).decode(), newline="")))
    assert lines[1][0] == "'-c"
    assert lines[1][2:] == [f"'{text}", "-1"]


def test_arrow():
    table = pa.ipc.open_stream(written(result(cursor="go"), Shape("arrow"))).read_all()
    assert table.schema.field("time").type == pa.timestamp("ns", "UTC")
    assert table["time"].cast(pa.int64()).to_pylist() == TIMES.tolist()
    assert table["whole"].to_pylist() == [1, 2**62, None]
    assert table["bytes"].to_pylist() == [b"\xff", b"", None]
    assert table["wave"].to_pylist()[0] == [1.0, 2.0]
    assert table["list"].to_pylist() == ["[1,2]", '{"a":null}', None]
    assert np.isnan(table["real"].to_pylist()[1])
    assert table.schema.metadata == {b"units": b'{"real":"V"}', b"damages": b"0", b"cursor": b"go"}


def test_several_channels_are_one_table():
    more = Series(
        "d",
        TIMES[:2] + 5,
        {"real": np.array([7, 8]), "only": objects("x", "y"), "word": np.array([1.0, 2.0])},
    )
    for shape in (Shape("arrow"), Shape("csv")):
        data = written(result(more), shape)
        if shape.format == "arrow":
            lines = pa.ipc.open_stream(data).read_all().to_pylist()
        else:
            lines = list(csv.DictReader(io.StringIO(data.decode(), newline="")))
        assert [line["channel"] for line in lines] == ["c", "c", "c", "d", "d"]
        assert [line["only"] for line in lines] == [*[None] * 3, "x", "y"] or lines[0]["only"] == ""
        assert [float(line["real"]) for line in lines[3:]] == [7, 8]
        assert lines[3]["word"] in ("1", "1.0")


@pytest.mark.parametrize("shape", [Shape(), Shape(rows=True), Shape("csv"), Shape("arrow")])
def test_empty_results_and_interruptions(shape):
    empty = Result([Series("c", TIMES[:0], {"real": np.empty(0)}), Series("d", TIMES[:0], {})])
    data = written(empty, shape)
    if shape.format == "json":
        assert [series["count"] for series in json.loads(data)["series"]] == [0, 0]

    def stop():
        raise InterruptedError

    with pytest.raises(InterruptedError):
        written(result(), shape, stop)


def test_a_range_does_not_include_its_end():
    assert range_text(0, 10**9 - 1) == {"start": "1970-01-01T00:00:00Z", "end": "1970-01-01T00:00:01Z"}
