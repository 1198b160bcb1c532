import datetime
import json

import numpy as np
import pandas
import polars
import pyarrow as pa
import pytest

from speeddata import remote_bodies
from speeddata.channel import Channel
from speeddata.remote_bodies import ARROW, bodies_of

START = 1_735_689_600 * 10**9


def table(body):
    assert body.content_type == ARROW
    with pa.ipc.open_stream(body.data) as stream:
        return stream.read_all()


def only(data, channel=None):
    name, bodies = bodies_of(data, channel)
    (body,) = bodies
    return name, body


def test_rows_are_json():
    rows = [{"time": datetime.datetime(2025, 1, 1), "v": np.float32(1.5), "w": np.arange(2), "x": None},
            {"time": np.datetime64("2025-01-01T00:00:01"), "v": 2}]  # fmt: skip
    name, body = only(rows, "engine")
    assert (name, body.records, body.content_type) == ("engine", 2, "application/json")
    told = json.loads(body.data)["rows"]
    assert told[0] == {"time": "2025-01-01T00:00:00Z", "v": 1.5, "w": [0, 1], "x": None}
    assert told[1]["time"] == "2025-01-01T00:00:01Z"


def test_columns_are_arrow_where_they_are_numbers():
    times = (START + np.arange(3) * 10**9).view("M8[ns]")
    _, body = only({"time": times, "v": [1.0, 2.0, 3.0], "n": np.ma.MaskedArray([1, 2, 3], [0, 1, 0])})
    made = table(body)
    assert made["n"].to_pylist() == [1, None, 3]
    assert made["time"].type == pa.timestamp("ns")
    _, body = only({"time": times, "text": ["a", None, "b"]})
    assert json.loads(body.data)["columns"]["text"] == ["a", None, "b"]
    with pytest.raises(ValueError, match="different lengths"):
        only({"time": [1, 2], "v": [1]})


@pytest.mark.parametrize("make", [
    lambda: Channel.from_ns("engine", START + np.arange(3) * 10**9, {"v": np.arange(3.0)}, {"v": "V"}),
    lambda: Channel.from_ns("engine", START + np.arange(3) * 10**9, {"v": np.arange(3.0)}).to_arrow(),
    lambda: Channel.from_ns("engine", START + np.arange(3) * 10**9, {"v": np.arange(3.0)}).to_arrow().to_batches()[0],
    lambda: Channel.from_ns("engine", START + np.arange(3) * 10**9, {"v": np.arange(3.0)}).to_pandas(),
])  # fmt: skip
def test_channels_tables_and_frames_name_their_channel(make):
    name, body = only(make())
    assert name == "engine"
    made = table(body)
    assert made["time"].cast(pa.int64()).to_pylist() == [START + n * 10**9 for n in range(3)]
    assert made["v"].to_pylist() == [0, 1, 2]
    assert bodies_of(make(), "other")[0] == "other"


def test_frames_with_a_column_of_times():
    frame = pandas.DataFrame({"time": pandas.to_datetime([START, START + 1], utc=True), "v": [1, 2]})
    assert table(only(frame)[1]).column_names == ["time", "v"]
    assert table(only(polars.DataFrame({"time": [1, 2], "v": [1, 2]}))[1]).column_names == ["time", "v"]


def test_long_data_go_in_batches(monkeypatch):
    monkeypatch.setattr(remote_bodies, "PART", 1000)
    monkeypatch.setattr(remote_bodies, "ROWS", 3)
    channel = Channel.from_ns("engine", np.arange(200), {"v": np.arange(200.0)})
    _, bodies = bodies_of(channel, None)
    bodies = list(bodies)
    assert len(bodies) > 2
    assert sum(body.records for body in bodies) == 200
    assert [one for body in bodies for one in table(body)["v"].to_pylist()] == list(range(200))
    _, bodies = bodies_of([{"time": n} for n in range(7)], "x")
    assert [body.records for body in bodies] == [3, 3, 1]
    _, bodies = bodies_of({"time": list(range(4)), "t": list("abcd")}, "x")
    assert [body.records for body in bodies] == [3, 1]
    assert list(bodies_of([], "x")[1]) == []
    assert list(bodies_of({}, "x")[1]) == []


def test_what_cannot_be_ingested_is_told():
    with pytest.raises(TypeError, match="cannot ingest str, wanted a list of dicts"):
        bodies_of("x", "y")
    with pytest.raises(TypeError, match="cannot ingest the value"):
        only([{"time": object()}], "y")
