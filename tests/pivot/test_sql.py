import asyncio
import json
import os
import signal
import socket
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import history
import pytest
import requests
import segments as made
from line import wait_until

from speeddata.pivot import sql
from speeddata.pivot.problem import Problem
from speeddata.pivot.sql import SqlRunner
from speeddata.pivot.sql_request import SqlLimits, SqlRequest

ENDLESS = "SELECT count(*) FROM range(100000000000) a WHERE hash(a.range) = 3"


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    folder = tmp_path_factory.mktemp("archive")
    made.write_segment(folder / "example", [made.records(500, n) for n in range(0, 5000, 500)])
    with history.running(folder) as service:
        yield service


def ask(service, sql, **other):
    return requests.post(f"{service.address}/api/v1/sql", json={"sql": sql, **other}, timeout=60)


def workers(service):
    """Processes of the service that run or await a statement: those with a file as answer, by the seconds they took."""
    found = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == service.process.pid and fields[0] != "Z":
            found[int(path.parent.name)] = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return found


def busy(service):
    return [pid for pid, seconds in workers(service).items() if seconds > 2]


def test_an_answer_and_what_it_tells(service):
    answer = ask(service, "SELECT counter FROM example ORDER BY time", limit=2)
    assert answer.json()["rows"] == [[0], [1]]
    told = {name: answer.headers[f"x-speeddata-{name}"] for name in ("rows", "truncated", "records-read")}
    assert told == {"rows": "2", "truncated": "true", "records-read": "5000"}
    assert int(answer.headers["content-length"]) == len(answer.content)


def test_the_deadline(service):
    answer = ask(service, ENDLESS, timeout=0.5)
    assert answer.status_code == 408
    assert "0.5 s" in answer.json()["error"]
    wait_until(lambda: not busy(service))


def test_a_client_that_leaves_takes_its_process_along(service):
    host, port = urlsplit(service.address).netloc.split(":")
    body = json.dumps({"sql": ENDLESS}).encode()
    with socket.create_connection((host, int(port))) as client:
        client.sendall(
            b"POST /api/v1/sql HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s"
            % (len(body), body)
        )
        wait_until(lambda: busy(service))
    wait_until(lambda: not busy(service))


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGKILL, 413), (signal.SIGABRT, 413), (signal.SIGSEGV, 500)]
)
def test_a_process_that_dies_is_told(service, number, status):
    with ThreadPoolExecutor(1) as threads:
        answer = threads.submit(ask, service, ENDLESS)
        wait_until(lambda: busy(service))
        os.kill(busy(service)[0], number)
        assert answer.result().status_code == status
        assert number.name in answer.result().json()["error"]
    assert ask(service, "SELECT 1").json()["rows"] == [[1]]


def test_memory(service):
    answer = ask(service, "SELECT list(range) FROM range(1000000000)")
    assert answer.status_code == 413
    assert "512 MB of memory" in answer.json()["error"]


@pytest.mark.alone
def test_a_process_that_waits_may_die(service):
    """Also when a statement comes before the service has seen it."""
    assert ask(service, "SELECT 1").ok
    for n in range(3):
        (ready,) = wait_until(lambda: (found := [*workers(service)]) and len(found) == 1 and found)
        os.kill(ready, signal.SIGKILL)
        assert ask(service, f"SELECT {n}").json()["rows"] == [[n]]


def test_a_process_that_never_begins_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(sql, "COMMAND", (sys.executable, "-c", "raise SystemExit(3)"))

    async def stays():
        return False

    async def answer():
        runner = SqlRunner(tmp_path, SqlLimits())
        try:
            await runner.answer(SqlRequest("SELECT 1"), stays)
        finally:
            runner.close()
            await runner.closed()

    with pytest.raises(Problem, match=r"ended before it began \(exit status 3\)") as caught:
        asyncio.run(answer())
    assert caught.value.status == 500


def test_so_many_at_a_time(service):
    with ThreadPoolExecutor(24) as threads:
        answers = list(threads.map(lambda _: ask(service, ENDLESS, timeout=2), range(24)))
    codes = sorted(answer.status_code for answer in answers)
    assert codes == [408] * 16 + [429] * 8
    assert all(answer.headers["retry-after"] for answer in answers if answer.status_code == 429)
    wait_until(lambda: not busy(service))
    assert ask(service, "SELECT 1").ok


def test_the_service_ends_while_a_statement_runs(tmp_path):
    with ThreadPoolExecutor(1) as threads:
        with history.running(tmp_path) as service:
            answer = threads.submit(ask, service, ENDLESS)
            wait_until(lambda: busy(service))
            began = time.monotonic()
        assert time.monotonic() - began < history.LIMIT_S
        assert answer.result().status_code == 503
    assert not list(tmp_path.iterdir())
