import csv
import io
import json
import subprocess

import history
import pyarrow.parquet as pq
import pytest
import segments as made
from command import command
from system import SPEEDDATA

LIMIT_S = 60
ROWS = "SELECT counter, message FROM example ORDER BY time LIMIT 2"


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    folder = tmp_path_factory.mktemp("archive")
    made.write_segment(folder / "example", [made.records(2000)])
    with history.running(folder) as service:
        yield service


def speeddata(service, *options, stdin=""):
    return command("sql", "--url", service.address, *options, input=stdin)


def test_a_table(service):
    done = speeddata(service, ROWS)
    lines = [
        [word.strip() for word in line.strip("│┃").replace("┃", "│").split("│")]
        for line in done.stdout.splitlines()
    ]
    assert [lines[1], lines[3], lines[4]] == [["counter", "message"], ["0", "m0"], ["1", "m1"]]
    assert (done.returncode, done.stderr) == (0, "2 rows\n")


def test_a_table_ends_and_says_so(service):
    done = speeddata(service, "FROM example")
    assert done.stderr == "1000 rows, and there are more (--limit)\n"
    assert (
        speeddata(service, "FROM example", "--limit", "1").stderr == "1 row, and there are more (--limit)\n"
    )


def test_json_and_standard_input(service):
    done = speeddata(service, "-", "--json", stdin=ROWS)
    assert json.loads(done.stdout)["rows"] == [[0, "m0"], [1, "m1"]]


def test_csv(service):
    done = speeddata(service, ROWS, "--csv")
    assert list(csv.reader(io.StringIO(done.stdout))) == [["counter", "message"], ["0", "m0"], ["1", "m1"]]


def test_a_file(service, tmp_path):
    path = tmp_path / "rows.parquet"
    assert speeddata(service, ROWS, "--format", "parquet", "-o", str(path)).returncode == 0
    assert pq.read_table(path)["counter"].to_pylist() == [0, 1]
    assert speeddata(service, ROWS, "-o", str(tmp_path / "rows.txt")).stdout == ""
    assert "message" in (tmp_path / "rows.txt").read_text()


def test_nothing_is_done_to_the_terminal(service):
    done = speeddata(service, "SELECT chr(27) || '[31m' AS \"[red]x\", NULL AS n, [1, 2] AS l")
    assert "\x1b" not in done.stdout
    for text in ("[red]x", r"\x1b[31m", "NULL", "[1, 2]"):
        assert text in done.stdout


@pytest.mark.parametrize("url", ["http://a..b", f"http://{'a' * 300}"])
def test_an_address_that_cannot_be(url):
    done = command("sql", "--url", url, "SELECT 1")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("speeddata: the history service at")


def test_errors(service):
    done = speeddata(service, "SELECT * FROM nosuch")
    assert done.returncode == 1
    assert "nosuch does not exist" in done.stderr
    assert "\\n" not in done.stderr
    assert done.stderr.splitlines()[-1].strip() == "^"
    assert speeddata(service, ROWS, "--json", "--csv").returncode == 2
    # As a process, as it lets go of its standard output.
    argv = [*SPEEDDATA, "sql", "--url", service.address, ROWS, "-o", "/nosuch/file", "--csv"]
    assert subprocess.run(argv, capture_output=True, timeout=LIMIT_S).returncode == 1


def test_no_service(service):
    done = speeddata(service, ROWS, "--url", "http://127.0.0.1:9")
    assert done.returncode == 1
    assert "http://127.0.0.1:9 does not answer" in done.stderr


def test_zone(service):
    done = speeddata(
        service, "SELECT date_trunc('day', time) FROM example LIMIT 1", "--zone", "Asia/Tokyo", "--csv"
    )
    assert done.stdout.split()[-1] == "2023-11-14T15:00:00Z"
