import json

import numpy as np
import pyarrow as pa

from speeddata.channel import Channel
from speeddata.pivot.follow_format import ARROW, LINES, form_of
from speeddata.pivot.follow_session import Message


def message():
    channel = Channel.from_ns(
        "engine", np.array([1, 10**18]),
        {"v": np.array([1.5, np.nan], np.float32), "n": np.ma.MaskedArray([1, 2], [0, 1]), "w": np.arange(4).reshape(2, 2),
         "raw": np.array([b"\xff", None], object), "time": np.arange(2), "on": np.array([True, False]),
         "odd": np.array([np.arange(2), {"a": 1}], object)}, {"v": "V"},
    )  # fmt: skip
    return Message("token", True, channel, [{"channel": "engine", "cut": 1}])


def test_a_line():
    media_type, form = form_of("*/*")
    assert media_type == LINES
    line = form(message())
    assert line.endswith(b"}\n")
    told = json.loads(line)
    assert (told["resume"], told["live"], told["channel"]) == ("token", True, "engine")
    assert told["signals"]["v"] == {"type": "float32", "unit": "V"}
    assert told["notices"] == [{"channel": "engine", "cut": 1}]
    assert told["columns"] == {
        "time": ["1970-01-01T00:00:00.000000001Z", "2001-09-09T01:46:40.000000000Z"], "v": [1.5, None], "n": [1, None],
        "w": [[0, 1], [2, 3]], "raw": [{"base64": "/w=="}, None], "time_": [0, 1], "on": [True, False],
        "odd": [[0, 1], {"a": 1}],
    }  # fmt: skip
    assert json.loads(form(Message("t", False))) == {"live": False, "resume": "t"}


def test_arrow_streams_one_after_the_other():
    media_type, form = form_of(f"{ARROW}, */*")
    assert media_type == ARROW
    source = pa.BufferReader(form(Message("t", False)) + form(message()) + form(message()))
    for rows in (0, 2, 2):
        with pa.ipc.open_stream(source) as stream:
            table = stream.read_all()
        assert table.num_rows == rows
        assert table.schema.metadata[b"resume"] == (b"token" if rows else b"t")
    assert Channel.from_arrow(table).v.unit == "V"
