import itertools
import re
import resource
import socket
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files
from urllib.parse import urlsplit

import history
import pytest
import requests
import segments as made
from line import wait_until
from processes import open_files

from speeddata import __version__, read_hdf5
from speeddata.errors import ArchiveError
from speeddata.pivot.catalogue import Catalogue
from speeddata.pivot.export_options import NAMES
from speeddata.pivot.exporter import Exporter
from speeddata.pivot.request import HINT, Limits
from speeddata.pivot.service import make_app

EXPORT = "/api/v1/pivot/export"


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    folder = tmp_path_factory.mktemp("archive")
    made.write_segment(folder / "example", [made.records(500, n) for n in range(0, 5000, 500)])
    (folder / "empty").mkdir()
    return folder


@pytest.fixture(scope="module")
def service(archive):
    names = ("--name", "Bench.example.org", "--name", "bench.local")
    with history.registry(["idle"]) as url, history.running(archive, *names, registry=url) as service:
        yield service


def get(service, path=EXPORT, query="", **params):
    return requests.get(f"{service.address}{path}{query}", params=params, timeout=30)


def load(response, tmp_path):
    assert response.status_code == 200, response.text
    path = tmp_path / "export.h5"
    path.write_bytes(response.content)
    return read_hdf5(path)


def test_health(service):
    response = get(service, "/api/v1/health")
    assert (response.status_code, response.json()) == (200, {"service": "pivot-api", "status": "healthy"})


def test_export_equals_the_archive(service, tmp_path):
    response = get(service, start="2023-11-14T22:13:20Z", duration="PT30S", channels="example")
    assert response.headers["content-type"] == "application/x-hdf5"
    assert re.fullmatch(
        r'attachment; filename="export_\d{8}_\d{6}\.h5"', response.headers["content-disposition"]
    )
    assert int(response.headers["content-length"]) == len(response.content)
    channel = load(response, tmp_path).example
    rows = made.records(5000)
    assert channel.time_ns.tolist() == [row["time"] for row in rows]
    assert channel.voltage.tolist() == [row["voltage"] for row in rows]
    assert channel.message.tolist() == [row["message"] for row in rows]


@pytest.mark.parametrize(
    "query",
    [
        "?start=2023-11-14T22:13:21Z&end=2023-11-14T22:13:22Z",
        "?start=2023-11-14T23:13:21+01:00&duration=PT1S",
        "?start=2023-11-14T23:13:21%2B01:00&duration=PT1S",
        "?start=2023-11-14T22:13:21&duration=PT1S",
        "?end=2023-11-14T22:13:22Z&duration=PT1S",
        "?start=2023-11-14T22:13:21.000Z&duration=PT1.0S",
    ],
)
def test_ranges_in_all_forms(service, tmp_path, query):
    channel = load(get(service, query=f"{query}&channels=example&signals=counter"), tmp_path).example
    assert channel.counter.tolist() == list(range(1000, 2001))
    assert list(channel.signal) == ["counter"]


def test_duration_alone_and_empty_channels(service, tmp_path):
    data = load(get(service, duration="PT0.01S", channels="example, idle,empty,example"), tmp_path)
    assert data.example.counter.tolist() == list(range(4989, 5000))
    assert (len(data.idle), len(data.empty)) == (0, 0)


@pytest.mark.parametrize(
    ("params", "status", "body"),
    [
        ({"channels": "example"}, 400, {"error": "Missing required parameter: start (or duration)"}),
        ({"start": "2025-01-01T00:00:00Z"}, 400, {"error": "Missing required parameter: channels"}),
        ({"start": "2025-01-02", "end": "2025-01-01", "channels": "example"}, 400, {"error": "start must be before end"}),
        ({"duration": "PT1S", "channels": "nosuch"}, 404, {"error": "Channel not found", "name": "nosuch"}),
        ({"duration": "PT1S", "channels": "../x"}, 404, {"error": "Channel not found", "name": "../x"}),
        ({"duration": "PT1S", "channels": "example", "signals": "x"}, 404, {"error": "Signal not found", "signal": "x"}),
        (
            {"start": "2025-01-01", "duration": "PT6M", "channels": "example"}, 413,
            {"error": "Time range exceeds maximum (5 minutes)", "requested_minutes": 6.0, "hint": HINT},
        ),
        (
            {"start": "2025-01-01", "duration": "PT1M", "channels": ",".join(f"c{n}" for n in range(21))}, 413,
            {"error": "Channel count exceeds maximum (20)", "requested_channels": 21, "hint": HINT},
        ),
    ],
)  # fmt: skip
def test_errors_have_one_shape(service, params, status, body):
    response = get(service, **params)
    told = response.json()
    assert (response.status_code, {name: told[name] for name in body}) == (status, body)
    assert set(told) - set(body) in (set(), {"field", "value", "wanted"})


@pytest.mark.parametrize("parameter", ["start", "end", "duration"])
def test_unreadable_times_are_named(service, parameter):
    params = {"start": "2025-01-01", "end": "2025-01-02", "channels": "example", parameter: "soon"}
    if parameter == "duration":
        params.pop("end")
    response = get(service, **params)
    assert response.status_code == 400
    assert response.json()["error"].startswith(f"Invalid {parameter}: ")


def test_unknown_paths_and_methods_have_the_shape_too(service):
    assert get(service, "/nosuch").json() == {"error": "Not Found"}
    response = requests.post(f"{service.address}{EXPORT}", timeout=30)
    assert (response.status_code, response.json()) == (405, {"error": "Method Not Allowed"})
    assert "access-control-allow-origin" not in response.headers


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("127.0.0.1:8000", 200),
        ("[::1]:8000", 200),
        ("bench.example.org:8000", 200),
        ("BENCH.local", 200),
        ("evil.example", 400),
        ("evil.example:8000", 400),
        ("localhost.evil.example", 400),
        ("127.0.0.1.nip.io", 400),
        ("[::1", 400),
        ("", 400),
    ],
)
@pytest.mark.parametrize("path", ["/api/v1/health", "/docs", "/openapi.json"])
def test_foreign_host_names_are_refused(service, path, host, status):
    answer = requests.get(f"{service.address}{path}", headers={"Host": host}, timeout=30)
    assert answer.status_code == status
    if status == 400:
        assert answer.json() == {"error": "Host not allowed", "host": host}


def test_strange_parameters_are_no_server_error(service):
    values = ["", "\0", "a" * 5000, "%", "2025-13-01", "-1", "é", "P1Y", "1e9"]
    for value, parameter in itertools.product(values, ["start", "end", "duration", "channels", "signals"]):
        params = {
            "start": "2023-11-14T22:13:20Z",
            "channels": "example",
            "signals": "counter",
            parameter: value,
        }
        params.setdefault("end" if parameter == "duration" else "duration", "PT1S")
        assert get(service, **params).status_code < 500


def test_a_burst_is_served(service, tmp_path):
    with ThreadPoolExecutor(20) as pool:
        asked = [pool.submit(get, service, duration="PT5S", channels="example") for _ in range(20)]
        for answer in asked:
            assert len(load(answer.result(), tmp_path).example) == 5000


def test_clients_that_leave_cost_nothing(service, archive, tmp_path):
    address = urlsplit(service.address)
    for _ in range(40):
        with socket.create_connection((address.hostname, address.port)) as connection:
            connection.sendall(
                f"GET {EXPORT}?duration=PT5S&channels=example HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
            )
    wait_until(lambda: get(service, duration="PT1S", channels="example").status_code == 200, "an answer")
    load(get(service, duration="PT1S", channels="example"), tmp_path)
    assert sorted(path.name for path in archive.iterdir()) == ["empty", "example"]


def test_no_room_for_an_export_is_507(tmp_path):
    """The service goes on, though the HDF5 library crashes where a write fails."""
    made.write_segment(tmp_path / "example", [made.records(500, n) for n in range(0, 5000, 500)])
    with history.running(tmp_path) as service:
        for room in (0, 1000, 100_000, 200_000):
            resource.prlimit(service.process.pid, resource.RLIMIT_FSIZE, (room, resource.RLIM_INFINITY))
            response = get(service, duration="PT5S", channels="example")
            assert response.status_code == 507, room
            assert response.json() == {
                "error": "No room for the export on the service's disk, ask for less at once"
            }
            assert [path.name for path in tmp_path.iterdir()] == ["example"]
        resource.prlimit(service.process.pid, resource.RLIMIT_FSIZE, (10**9, resource.RLIM_INFINITY))
        answer = get(service, duration="PT5S", channels="example")
        assert not [name for name in open_files(service.process.pid).values() if "speeddata-export" in name]
    assert len(load(answer, tmp_path).example) == 5000


def test_openapi_tells_what_there_is(service):
    document = get(service, "/openapi.json").json()
    assert (document["info"]["title"], document["info"]["version"]) == ("SpeedData history", __version__)
    operation = document["paths"][EXPORT]["get"]
    assert {parameter["name"] for parameter in operation["parameters"]} == set(NAMES)
    assert {"200", "400", "404", "408", "413", "429", "507"} <= set(operation["responses"])
    assert "422" not in operation["responses"]
    assert "HTTPValidationError" not in str(document)
    assert "application/x-hdf5" in operation["responses"]["200"]["content"]


def test_docs_come_from_here_alone(service):
    page = get(service, "/docs")
    assert page.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in page.headers["content-security-policy"]
    for address in re.findall(r'(?:src|href)="([^"]*)"', page.text):
        assert address.startswith(("/", "data:"))
        if address.startswith("/"):
            assert get(service, address).status_code == 200
    for file in files("speeddata.pivot").joinpath("pages").iterdir():
        assert "//" not in re.sub(r"^//.*$", "", file.read_text(), flags=re.MULTILINE)
    assert get(service, "/docs/nosuch.js").json() == {"error": "Not found"}
    assert get(service, "/docs/..%2fservice.py").status_code == 404


FAILED = (500, {"error": "Server error: ArchiveError"})


@pytest.fixture
def failing(tmp_path, monkeypatch):
    """An exporter whose exports end in an error that nobody foresaw."""
    made.write_segment(tmp_path / "example", [made.records(1)])

    def fail(*_):
        raise ArchiveError("/secret/path")

    monkeypatch.setattr("speeddata.pivot.exporter.make_export", fail)
    return Exporter(Catalogue(tmp_path, None), Limits())


def failed(exporter, **headers):
    """What an export of it is answered."""
    from starlette.testclient import TestClient

    app = make_app(exporter, registry="http://localhost:8080")
    with TestClient(app, "http://localhost", raise_server_exceptions=False) as client:
        return client.get(EXPORT, params={"duration": "PT1S", "channels": "example"}, headers=headers)


def test_unforeseen_errors_are_500_without_details(failing):
    response = failed(failing)
    assert (response.status_code, response.json()) == FAILED
    with pytest.raises(RuntimeError):
        failing._attendance._threads.submit(print)


@pytest.mark.parametrize(
    ("origin", "told"),
    [("http://localhost:8080", "http://localhost:8080"), ("http://evil.example.org", None)],
)
def test_pages_of_the_registry_alone_may_read_unforeseen_errors(failing, origin, told):
    response = failed(failing, origin=origin)
    assert (response.status_code, response.json()) == FAILED
    assert response.headers.get("access-control-allow-origin") == told
