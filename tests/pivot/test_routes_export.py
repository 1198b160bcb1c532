"""Exports over HTTP: the service in a process of its own."""

import http.client
import json
import resource
import signal
import socket
import subprocess
import time
from pathlib import Path
from urllib.parse import urlsplit

import history
import pyarrow.parquet as pq
import pytest
import requests
import segments as made
from line import wait_until
from processes import open_files

from speeddata import read_hdf5

EXPORT = "/api/v1/pivot/export"
JOBS = "/api/v1/exports"
LIMIT_S = 30
BASE = {"start": "2023-11-14T22:13:20Z", "duration": "PT1M", "channels": "example"}


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    folder = tmp_path_factory.mktemp("routes") / "archive"
    made.write_segment(folder / "example", [made.records(500, n) for n in range(0, 50_000, 500)])
    made.write_segment(folder / "other", [made.records(10)])
    return folder


@pytest.fixture(scope="module")
def service(archive):
    tags = [
        {"id": 1, "name": "run 7", "start": "2023-11-14T22:13:20Z", "end": "2023-11-14T22:13:21Z", "channels": ["example"]},
        {"id": 2, "name": "twice", "start": "2023-11-14T22:13:20Z", "end": "2023-12-14T22:13:21Z", "channels": None},
        {"id": 3, "name": "twice", "start": "2023-11-14T22:13:20Z", "end": "2023-11-14T22:13:21Z", "channels": ["gone"]},
    ]  # fmt: skip
    with history.registry(["idle"], tags) as url, history.running(archive, registry=url) as service:
        yield service


def get(service, path=EXPORT, headers=None, **params):
    return requests.get(f"{service.address}{path}", params=params, headers=headers, timeout=LIMIT_S)


def finished(service, url):
    def look():
        job = get(service, url).json()
        return job if job["state"] not in ("queued", "running") else None

    return wait_until(look, "its end")


@pytest.mark.parametrize(
    ("how", "media", "suffix"),
    [
        ({"format": "parquet"}, "application/vnd.apache.parquet", ".parquet"),
        ({"format": "csv"}, "text/csv; charset=utf-8", ".csv"),
        ({"format": "csv", "compression": "gzip"}, "application/gzip", ".csv.gz"),
        ({"format": "avro", "channels": "example,other"}, "application/zip", ".zip"),
        ({"layout": "table"}, "application/x-hdf5", ".h5"),
    ],
)
def test_formats_are_named(service, how, media, suffix):
    answer = get(service, **{**BASE, **how})
    assert (answer.status_code, answer.headers["content-type"]) == (200, media)
    assert answer.headers["content-disposition"].endswith(f'{suffix}"')
    assert answer.headers["vary"] == "accept"


def test_accept_asks_too(service, tmp_path):
    answer = get(service, headers={"accept": "application/vnd.apache.parquet"}, **BASE)
    (tmp_path / "x").write_bytes(answer.content)
    assert pq.read_table(tmp_path / "x")["counter"].to_pylist() == list(range(50_000))
    assert get(service, headers={"accept": "application/json"}, **BASE).content.startswith(b"\x89HDF")


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"format": "xlsx"}, "format"), ({"compression": "rar"}, "compression"), ({"layout": "wide"}, "layout"),
        ({"format": "csv", "layout": "table"}, "layout"), ({"decimate": "median:5"}, "decimate"),
        ({"align": "cubic"}, "align"), ({"base": "100Hz"}, "base"), ({"align": "linear", "base": "nosuch"}, "base"),
        ({"time": "ns"}, "time"), ({"format": "csv", "time": "days"}, "time"), ({"format": "jsonl", "header": "units"}, "header"),
        ({"format": "parquet", "compression": "lzf"}, "compression"), ({"colour": "red"}, "colour"),
        ({"start": "x"}, "start"), ({"end": "x", "duration": ""}, "end"), ({"duration": "xx"}, "duration"),
        ({"channels": ","}, "channels"),
    ],
)  # fmt: skip
def test_what_there_is_not_is_named_with_what_is_wanted(service, params, field):
    answer = get(service, **{**BASE, **params})
    assert answer.status_code == 400
    body = answer.json()
    assert body["field"] == field
    assert body["value"] == params[field]
    assert body["wanted"]
    posted = requests.post(f"{service.address}{JOBS}", json={**BASE, **params}, timeout=LIMIT_S)
    assert (posted.status_code, posted.json()) == (400, body)


def test_a_list_may_be_spread_over_several_parameters_and_nothing_else(service):
    twice = [*BASE.items(), ("signals", "counter"), ("signals", "message"), ("format", "csv")]
    answer = requests.get(f"{service.address}{EXPORT}", params=twice, timeout=LIMIT_S)
    assert answer.text.splitlines()[0].split(",")[1:] == ['"counter"', '"message"']
    answer = requests.get(
        f"{service.address}{EXPORT}", params=[*BASE.items(), ("start", BASE["start"])], timeout=LIMIT_S
    )
    assert (answer.status_code, answer.json()["field"]) == (400, "start")


def test_fault_69_a_grid_of_too_many_rows_is_refused_before_work(service):
    """Fault 69."""
    answer = get(service, **{**BASE, "align": "previous", "base": "1000MHz"})
    assert (answer.status_code, answer.json()["requested_rows"]) == (413, 49_999_000_000)


def test_a_tag_is_exported_whole_in_one_file(service, tmp_path):
    answer = get(service, tag="run 7")
    path = tmp_path / "x.h5"
    path.write_bytes(answer.content)
    data = read_hdf5(path)
    assert data.example.counter.tolist() == list(range(1001))
    ids = get(service, tag="twice")
    assert (ids.status_code, ids.json()["ids"]) == (409, [2, 3])
    whole = get(service, tag="2")
    path.write_bytes(whole.content)
    assert list(read_hdf5(path).channel) == ["example", "idle", "other"]
    assert get(service, tag="3").status_code == 200, "a channel that is no more is an empty group"
    assert get(service, tag="nosuch").json() == {"error": "Tag not found", "tag": "nosuch"}
    assert get(service, tag="run 7", start="2023-11-14T22:13:20Z").json()["field"] == "start"
    assert get(service, tag="run 7", channels="other").status_code == 404


def test_tags_that_overlap_are_told(service, tmp_path):
    import h5py

    path = tmp_path / "x.h5"
    path.write_bytes(get(service, **BASE).content)
    with h5py.File(path) as file:
        assert [tag["id"] for tag in json.loads(file.attrs["tags"])] == [1, 2]


def test_a_job_is_made_shown_and_fetched_in_parts(service):
    posted = requests.post(
        f"{service.address}{JOBS}",
        json={**BASE, "channels": ["example"], "duration": "P100D"},
        timeout=LIMIT_S,
    )
    assert posted.status_code == 202
    url = posted.headers["location"]
    assert url == posted.json()["url"]
    job = finished(service, url)
    assert (job["state"], job["progress"], job["records"]) == ("done", 1.0, 50_000)
    assert url in [one["url"] for one in get(service, JOBS).json()["exports"]]
    whole = get(service, job["file"])
    assert (whole.status_code, len(whole.content)) == (200, job["bytes"])
    assert whole.headers["accept-ranges"] == "bytes"
    etag, size = whole.headers["etag"], job["bytes"]
    head = requests.head(f"{service.address}{job['file']}", timeout=LIMIT_S)
    assert (head.status_code, head.headers["content-length"], head.content) == (200, str(size), b"")
    for wanted, part in (("100-199", slice(100, 200)), (f"{size - 5}-", slice(-5, None)), ("-7", slice(-7, None)),
                         ("0-0", slice(0, 1)), (f"10-{10 * size}", slice(10, None))):  # fmt: skip
        answer = get(service, job["file"], {"range": f"bytes={wanted}", "if-range": etag})
        start, stop, _ = part.indices(size)
        assert (answer.status_code, answer.content) == (206, whole.content[part])
        assert answer.headers["content-range"] == f"bytes {start}-{stop - 1}/{size}"
    other = get(service, job["file"], {"range": "bytes=5-9", "if-range": '"other"'})
    assert (other.status_code, other.content) == (200, whole.content)
    for odd in ("bytes=9-5", "bytes=a-b", "bytes=-", "bytes=1-2,5-6", "lines=1-2"):
        assert get(service, job["file"], {"range": odd}).status_code == 200, odd
    beyond = get(service, job["file"], {"range": f"bytes={size}-"})
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{size}")
    assert requests.delete(f"{service.address}{url}", timeout=LIMIT_S).json()["status"] == "success"
    assert get(service, url).status_code == get(service, job["file"]).status_code == 404


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{", b'"x"', b'{"channels": 5}', b'{"channels": [5]}', b'{"start": ["a"]}', b'{"channels": NaN}',
     b'{"channels": "\\ud800"}', b"\xff", b"[" * 60_000, b'{"nosuch": "\\u0000"}'],
)  # fmt: skip
def test_bodies_that_are_no_order_are_refused(service, body):
    answer = requests.post(f"{service.address}{JOBS}", data=body, timeout=LIMIT_S)
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]


def test_a_large_body_is_refused(service):
    """Fault 67, chunked and so without a length."""
    answer = requests.post(
        f"{service.address}{JOBS}", data=(b" " * 100_000 for _ in range(12)), timeout=LIMIT_S
    )
    assert answer.status_code == 413


def test_fault_77_ids_lead_nowhere_else(service):
    """Fault 77."""
    for id in ("..", "%2e%2e%2fx", "a" * 300, "x%00", "\N{CYRILLIC SMALL LETTER A}"):
        for path in (f"{JOBS}/{id}", f"{JOBS}/{id}/file"):
            assert get(service, path).status_code in (404, 405)


def test_clients_that_leave_stop_the_work(tmp_path):
    """Fault 71: within a second the thread is free again, and no file is left."""
    schema = {
        **made.SCHEMA,
        "fields": [*made.SCHEMA["fields"], {"name": "m", "type": {"type": "map", "values": "long"}}],
    }
    rows = [made.record(n, m={f"k{k}": k for k in range(20)}) for n in range(2000)]
    folder = tmp_path / "archive"
    for segment in range(60):
        for number, row in enumerate(rows):
            row["time"] = made.START + segment * 10**10 + number
        made.write_segment(folder / "example", [rows], schema, start=made.START + segment * 10**10)
    with history.running(folder, "--limit-minutes", "100000") as service:
        address = urlsplit(service.address)
        asked = f"GET {EXPORT}?duration=P9D&channels=example HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
        clients = [socket.create_connection((address.hostname, address.port)) for _ in range(4)]
        for client in clients:
            client.sendall(asked)
        wait_until(lambda: unfinished(service, folder), "an export begun")
        for client in clients:
            client.close()
        wait_until(lambda: not unfinished(service, folder), "the work stopped", limit_s=10)


def unfinished(service, folder):
    """Files without a name that the service has open in a folder."""
    links = open_files(service.process.pid).values()
    return [link for link in links if link.startswith(str(folder)) and link.endswith("(deleted)")]


def test_fault_26_killed_midway_leaves_nothing_under_the_final_name(archive, tmp_path):
    folder = tmp_path / "exports"
    options = (
        "--archive",
        str(archive),
        "--port",
        "0",
        "--registry",
        history.NO_REGISTRY,
        "--exports",
        str(folder),
    )
    for attempt in range(5):
        process = subprocess.Popen([*history.COMMAND, *options], stderr=subprocess.PIPE, text=True)
        try:
            address = process.stderr.readline().split()[-1]
            order = {**BASE, "duration": "P100D", "compression": "gzip"}
            assert requests.post(f"{address}{JOBS}", json=order, timeout=LIMIT_S).status_code == 202
            time.sleep(attempt * 0.01)
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait(LIMIT_S)
            process.stderr.close()
    with history.running(archive, "--exports", str(folder)) as service:
        jobs = [finished(service, job["url"]) for job in get(service, JOBS).json()["exports"]]
        assert len(jobs) == 5
        for job in jobs:
            if job["state"] == "failed":
                assert job["error"].startswith("The service ended")
                continue
            assert len(get(service, job["file"]).content) == job["bytes"]
        done = {job["id"] for job in jobs if job["state"] == "done"}
        assert {path.stem for path in folder.glob("*.data")} == done
        assert not list(folder.glob("*.part"))


def test_fault_25_a_process_without_memory_says_so_and_goes_on(archive, tmp_path):
    with history.running(archive, "--exports", str(tmp_path / "exports")) as service:
        assert get(service, **BASE).ok
        status = Path(f"/proc/{service.process.pid}/status").read_text()
        size = int(status.split("VmSize:")[1].split()[0]) * 1024
        resource.prlimit(service.process.pid, resource.RLIMIT_AS, (size, resource.RLIM_INFINITY))
        refused = [get(service, **BASE).status_code for _ in range(3)]
        assert set(refused) <= {200, 500, 503}
        resource.prlimit(
            service.process.pid, resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
        )
        assert get(service, **BASE).ok
        assert not list((tmp_path / "exports").glob("*.part"))


def test_fault_70_too_many_at_once_are_told_when_to_come_again(archive):
    """Downloads that nobody takes fill the service; it says so, and goes on when they are gone."""
    part = "start=2023-11-14T22:13:20Z&duration=PT10S&channels=example"  # soon made, and more than the kernel takes
    with history.running(archive) as service:
        address = urlsplit(service.address)
        taken = []
        try:
            answers = []
            for _ in range(140):
                client = http.client.HTTPConnection(address.hostname, address.port, timeout=LIMIT_S)
                taken.append(client)
                client.sock = socket.socket()
                client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)  # or it all fits in there
                client.sock.settimeout(LIMIT_S)
                client.sock.connect((address.hostname, address.port))
                client.request("GET", f"{EXPORT}?{part}")
                answers.append(client.getresponse())
            busy = [answer for answer in answers if answer.status == 429]
            assert {answer.status for answer in answers} == {200, 429}
            assert {answer.headers["retry-after"] for answer in busy} == {"2"}
        finally:
            for client in taken:
                client.close()
        wait_until(lambda: get(service, **BASE).status_code == 200, "room again")
