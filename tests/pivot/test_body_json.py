import orjson
import pytest

from speeddata.pivot.body_json import read_json
from speeddata.pivot.ingest_batch import Columns
from speeddata.pivot.problem import Problem

ROWS = [{"time": 1, "speed": 2.5}]
COLUMNS = {"time": [1], "speed": [2.5]}


def read(body, channel=None):
    parts = read_json(body if isinstance(body, bytes) else orjson.dumps(body), channel)
    return [
        (part.channel, part.content.columns if isinstance(part.content, Columns) else part.content.rows)
        for part in parts
    ]


@pytest.mark.parametrize(
    ("body", "channel", "parts"),
    [
        ({"channel": "x", "rows": ROWS}, None, [("x", ROWS)]),
        ({"channel": "x", "rows": ROWS}, "x", [("x", ROWS)]),
        ({"rows": ROWS}, "x", [("x", ROWS)]),
        (ROWS, "x", [("x", ROWS)]),
        (ROWS[0], "x", [("x", ROWS)]),
        ({"channel": "x", "columns": COLUMNS}, None, [("x", COLUMNS)]),
        ({"channels": {"x": ROWS, "y": {"rows": []}, "z": {"columns": COLUMNS}}}, None,
         [("x", ROWS), ("y", []), ("z", COLUMNS)]),
        ({"channels": {}}, None, []),
        ([], None, []),
        ([{"channel": "x", "time": 1}, {"channel": "y", "time": 2}, {"channel": "x", "time": 3}], None,
         [("x", [{"channel": "x", "time": 1}, {"channel": "x", "time": 3}]), ("y", [{"channel": "y", "time": 2}])]),
        ({"channel": "x", "time": 1}, None, [("x", [{"channel": "x", "time": 1}])]),
    ],
)  # fmt: skip
def test_forms(body, channel, parts):
    assert read(body, channel) == parts


def test_rows_of_several_channels_keep_their_numbers():
    parts = read_json(orjson.dumps([{"channel": "x"}, {"channel": "y"}, {"channel": "x"}]), None)
    assert [part.content.numbers for part in parts] == [[0, 2], [1]]


@pytest.mark.parametrize(
    ("body", "channel"),
    [
        (b"", None), (b"{", None), (b"[NaN]", None), (b'{"a":Infinity}', None), (b"\xff", None), (b"[" * 5000, None),
        (5, None), ("x", None), (None, None), ({}, None), ({}, "x"), ([5], None), ([{}], None), ([{"channel": 5}], None),
        ({"channel": "x", "rows": 5}, None), ({"channel": "x", "columns": []}, None), ({"channel": "x", "columns": {"a": 1}}, None),
        ({"rows": []}, None), ({"channel": 5, "rows": []}, None), ({"channel": "x", "rows": [], "columns": {}}, None),
        ({"channel": "x", "rows": [], "more": 1}, None), ({"channels": []}, None), ({"channels": {"x": 5}}, None),
        ({"channels": {"x": {}}}, None), ({"channels": {}, "rows": []}, None), ({"channels": {}}, "x"),
        ({"channel": "y", "rows": []}, "x"), ({"channels": {"x": {"rows": {}}}}, None),
    ],
)  # fmt: skip
def test_what_is_none_of_the_forms(body, channel):
    with pytest.raises(Problem) as caught:
        read(body, channel)
    assert caught.value.status == 400
    orjson.dumps(caught.value.body)


def test_nan_is_explained():
    with pytest.raises(Problem, match="send null"):
        read(b'[{"time": 1, "speed": NaN}]', "x")
