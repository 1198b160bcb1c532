import io

import history
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import requests
import segments as made

PATH = "/api/v1/sql"


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    folder = tmp_path_factory.mktemp("archive")
    made.write_segment(folder / "example", [made.records(100)])
    with history.running(folder) as service:
        yield service


def post(service, accept="*/*", **body):
    return requests.post(service.address + PATH, json=body, headers={"accept": accept}, timeout=60)


SQL = "SELECT counter, message FROM example ORDER BY time LIMIT 2"
READ = {
    "application/json": lambda answer: answer.json()["rows"],
    "text/csv": lambda answer: [
        [int(n), m] for n, m in (line.split(",") for line in answer.text.split()[1:])
    ],
    "application/vnd.apache.arrow.stream": lambda answer: [
        list(row.values()) for row in pa.ipc.open_stream(answer.content).read_all().to_pylist()
    ],
    "application/vnd.apache.parquet": lambda answer: [
        list(row.values()) for row in pq.read_table(io.BytesIO(answer.content)).to_pylist()
    ],
}


@pytest.mark.parametrize("media", READ)
def test_formats_by_accept(service, media):
    answer = post(service, media, sql=SQL)
    assert answer.headers["content-type"].startswith(media)
    assert READ[media](answer) == [[0, "m0"], [1, "m1"]]


def test_columns(service):
    assert post(service, sql=SQL, format="columns").json()["values"] == [[0, 1], ["m0", "m1"]]


@pytest.mark.parametrize("body", [{"sql": "SELEC"}, {"sql": 5}, {"sql": "SELECT 1", "limit": "x"}, {}])
def test_errors_have_the_one_shape(service, body):
    answer = post(service, **body)
    assert answer.status_code == 400
    assert isinstance(answer.json()["error"], str)


def test_a_body_that_is_too_large(service):
    pieces = iter([b'{"sql": "' + b"x" * (1 << 19), b"x" * (1 << 20)])
    answer = requests.post(service.address + PATH, data=pieces, timeout=60)
    assert (answer.status_code, answer.json()) == (
        413,
        {"error": "The body is larger than 1048576 bytes", "limit": 1048576},
    )


def test_the_document_tells_it(service):
    told = requests.get(f"{service.address}/openapi.json", timeout=60).json()["paths"][PATH]["post"]
    assert told["requestBody"]["content"]["application/json"]["schema"]["required"] == ["sql"]
    assert set(told["responses"]["200"]["content"]) == set(READ)
