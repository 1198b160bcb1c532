import csv
import io

import pyarrow as pa
import pytest
import rolled
import segments as made
from starlette.testclient import TestClient

from speeddata.pivot.catalogue import Catalogue
from speeddata.pivot.exporter import Exporter
from speeddata.pivot.query_request import PARAMETERS
from speeddata.pivot.request import Limits
from speeddata.pivot.service import make_app

ARROW = "application/vnd.apache.arrow.stream"
RANGE = {"channels": "c", "start": "2023-11-14T22:13:20Z", "end": "2023-11-14T22:13:30Z"}


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    folder = tmp_path_factory.mktemp("archive")
    rolled.segment(folder / "c", 0, rolled.steady_rows(100))
    schema = {
        "type": "record",
        "name": "raw",
        "fields": [rolled.SCHEMA["fields"][0], {"name": "raw", "type": "bytes"}],
    }
    rolled.segment(folder / "raw", 0, [{"time": made.START, "raw": b"\xff\x00"}], schema=schema)
    made.write_segment(folder / "words", [[made.record(0, message="=cmd()"), made.record(1, message="b")]])
    with TestClient(make_app(Exporter(Catalogue(folder, None), Limits())), "http://localhost") as client:
        yield client


def get(client, path="query", headers=None, **params):
    return client.get(f"/api/v1/{path}", params=params, headers=headers)


def test_get_and_post_are_the_same(client):
    params = RANGE | {"every": "5s", "aggregates": "avg,count", "signals": "real,whole"}
    answer = get(client, **params)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    body = answer.json()
    assert (body["start"], body["end"]) == (RANGE["start"], RANGE["end"])
    assert body["series"][0]["columns"] == {
        "real.avg": [0.5, 1.75], "real.count": [5, 5], "whole.avg": [2.0, 7.0], "whole.count": [5, 5],
    }  # fmt: skip
    posted = client.post("/api/v1/query", json=params | {"channels": ["c"], "aggregates": ["avg", "count"]})
    assert posted.json() == body


def test_formats_by_accept(client):
    text = get(client, headers={"Accept": "text/csv"}, **RANGE).text
    assert len(list(csv.reader(io.StringIO(text)))) == 11
    answer = get(client, headers={"Accept": ARROW}, **RANGE)
    assert answer.headers["content-type"] == ARROW
    assert pa.ipc.open_stream(answer.content).read_all()["whole"].to_pylist() == list(range(10))
    assert "'=cmd()" in get(client, format="csv", channels="words", duration="PT1S").text


def test_raw_records_page_by_page(client):
    cursor, found = "", []
    while True:
        answer = get(client, limit=7, cursor=cursor, signals="whole", **RANGE)
        body = answer.json()
        found += body["series"][0]["columns"]["whole"]
        cursor = body["cursor"]
        assert answer.headers.get("x-speeddata-cursor") == cursor
        if not cursor:
            break
    assert found == list(range(10))


@pytest.mark.parametrize(
    ("params", "status", "field"),
    [
        ({}, 400, "channels"), ({"channels": "c"}, 400, "start"), (RANGE | {"every": "soon"}, 400, "every"),
        (RANGE | {"nosuch": "1"}, 400, "nosuch"), (RANGE | {"where": "a >"}, 400, "where"),
        (RANGE | {"channels": "x"}, 404, None), (RANGE | {"signals": "x"}, 404, None),
        (RANGE | {"every": "1ns"}, 413, None), (RANGE | {"cursor": "x"}, 400, "cursor"),
    ],
)  # fmt: skip
def test_errors_name_the_field(client, params, status, field):
    for answer in (get(client, **params), client.post("/api/v1/query", json=params)):
        assert answer.status_code == status
        assert answer.json().get("field") == field
        assert answer.json()["error"]


def test_bodies_that_are_none(client):
    assert client.post("/api/v1/query", content=b"[1]").status_code == 400
    assert client.post("/api/v1/query", content=b"x" * (1 << 21)).status_code == 413


def test_signals(client):
    body = get(client, "signals", prefix="c").json()
    assert [one["signal"] for one in body["signals"]] == ["real", "whole", "flag"]
    assert body["cursor"] is None
    assert get(client, "signals", limit=0).status_code == 400
    assert get(client, "signals", channels="x").status_code == 404


def test_bytes_are_told_alike_by_both(client):
    value = get(client, "signals", channels="raw").json()["signals"][0]["value"]
    assert get(client, **RANGE | {"channels": "raw"}).json()["series"][0]["columns"]["raw"] == [value]
    assert value == {"base64": "/wA="}


def test_the_cache(client):
    client.delete("/api/v1/cache")
    for _ in range(2):
        get(client, **RANGE)
    told = get(client, "cache").json()
    assert (told["results"]["entries"], told["results"]["hits"] > 0) == (1, True)
    assert told["rollups"]["bytes"] <= told["rollups"]["max_bytes"]
    keys = get(client, "cache/keys").json()
    assert keys["count"] == 1
    assert '"channels":["c"]' in keys["keys"][0]
    assert client.delete("/api/v1/cache?channel=x").json() == {"cleared": 0}
    assert client.post("/api/v1/cache/clear").json() == {"cleared": 1}
    assert get(client, "cache/keys").json() == {"count": 0, "keys": []}


def test_the_document_tells_all_parameters(client):
    document = client.get("/openapi.json").json()
    operation = document["paths"]["/api/v1/query"]
    assert {parameter["name"] for parameter in operation["get"]["parameters"]} == set(PARAMETERS)
    schema = operation["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert set(schema["properties"]) == set(PARAMETERS)
    assert {"200", "400", "404", "408", "413", "429", "503"} == set(operation["get"]["responses"])
