import io
import json
import os
import subprocess
import sys
import tempfile

import pytest
import segments as made

from speeddata.pivot.sql_worker import run

LIMIT_S = 60


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    folder = tmp_path_factory.mktemp("apart") / "archive"
    made.write_segment(folder / "example", [made.records(500, n) for n in range(0, 5000, 500)])
    made.write_segment(folder / "Roof", [made.records(3)])
    made.write_segment(folder / "roof", [made.records(4)])
    made.write_segment(folder / "grid.x-1", [made.records(5)])
    (folder / "empty").mkdir()
    (folder.parent / "secret.csv").write_text("a\n1\n")
    return folder


def request(archive, sql, **other):
    asked = {"archive": str(archive), "sql": sql, "format": "json", "limit": None, "timeout": 20, "time_zone": "UTC",
             "memory_mb": 256, "threads": 2, "max_bytes": 1 << 20}  # fmt: skip
    return asked | other


def ask(archive, sql, **other):
    out = io.BytesIO()
    told = run(request(archive, sql, **other), out)
    return told, json.loads(out.getvalue())["rows"] if "rows" in told else None


@pytest.mark.parametrize(
    ("sql", "rows", "records"),
    [
        ("SELECT count(*), min(voltage), max(message) FROM example", [[5000, 0, "m999"]], 5000),
        ("SELECT count(*) FROM EXAMPLE WHERE time >= '2023-11-14T22:13:21Z' AND time < '2023-11-14 22:13:21.4'", [[400]], 1000),
        ("SELECT voltage FROM example WHERE time_ns = 1700000000007000000", [[1.75]], 500),
        ("SELECT time FROM example ORDER BY time DESC LIMIT 1", [["2023-11-14T22:13:24.999Z"]], 5000),
        ("SELECT count(*) FROM example WHERE time > now() - INTERVAL 1 DAY", [[0]], 0),
        ('SELECT count(*) FROM "grid.x-1"', [[5]], 5),
        ('SELECT (SELECT count(*) FROM "Roof"), (SELECT count(*) FROM example WHERE counter < 3)', [[3, 3]], 5003),
        ("SELECT count(*) FROM roof", [[4]], 4),
        ("SELECT a.message FROM example a JOIN \"grid.x-1\" b USING (counter) WHERE b.voltage = 1", [["m4"]], 5005),
        ("WITH e AS (FROM example) SELECT count(*) FROM e", [[5000]], 5000),
        ("SELECT * FROM empty", [], 0),
        ("FROM channels", [["Roof"], ["empty"], ["example"], ["grid.x-1"], ["roof"]], 0),
        ("show tables;", [["Roof"], ["empty"], ["example"], ["grid.x-1"], ["roof"]], 0),
    ],
)  # fmt: skip
def test_statements(archive, sql, rows, records):
    told, given = ask(archive, sql)
    assert given == rows, told
    assert told["records_read"] <= records
    assert not told["damages"]


def test_only_channels_that_are_named_are_opened(archive, tmp_path):
    for path in archive.iterdir():
        (tmp_path / path.name).symlink_to(path) if path.name != "example" else None
    (tmp_path / "example").mkdir()
    (tmp_path / "broken").mkdir(mode=0)
    assert ask(tmp_path, "SELECT count(*) FROM example")[1] == [[0]]
    assert ask(tmp_path, 'SELECT count(*) FROM "Roof"')[0]["status"] == 400  # a link is no channel


def test_local_days(archive):
    told, rows = ask(archive, "SELECT date_trunc('day', time) FROM example LIMIT 1", time_zone="Asia/Tokyo")
    assert rows == [["2023-11-14T15:00:00Z"]], told


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("SELEC 1", "syntax error"),
        ("SELECT nosuch FROM example", "nosuch"),
        ("SELECT * FROM nosuch", "nosuch does not exist\nSHOW TABLES lists the channels"),
        ("SELECT * FROM exmple", "exmple does not exist; did you mean 'example'?"),
        ("SELECT avgg(1)", 'Did you mean "avg"?'),
        ("SELECT * FROM grid.x-1", 'needs quotes: "grid.x-1"'),
        ("", "wanted one statement"),
        ("SELECT 1; SELECT 2", "wanted one statement"),
        ("SELECT 'a'::INT", "Could not convert"),
    ],
)
def test_errors_have_duckdbs_words(archive, sql, words):
    told, _ = ask(archive, sql)
    assert told["status"] == 400
    assert words in told["error"]


def test_unknown_zone(archive):
    assert ask(archive, "SELECT 1", time_zone="Mars/Base")[0]["status"] == 400


OUTSIDE = [
    "SELECT * FROM read_csv('{0}')", "SELECT * FROM '{0}'", 'SELECT * FROM "{0}"', "SELECT * FROM read_text('{0}')",
    "SELECT * FROM read_blob('{0}')", "SELECT * FROM sniff_csv('{0}')", "SELECT * FROM glob('{1}/*')",
    "SELECT * FROM read_parquet('http://127.0.0.1:9/x')", "SELECT * FROM read_json('{0}')",
    "SELECT * FROM query('SELECT * FROM read_csv(''{0}'')')", "EXPLAIN ANALYZE SELECT * FROM read_csv('{0}')",
    "EXPLAIN ANALYZE COPY (SELECT 1) TO '{1}/out.csv'", "COPY (SELECT 1) TO '{1}/out.csv'",
    "COPY example TO '{1}/out.parquet'", "EXPORT DATABASE '{1}/out'", "ATTACH '{1}/out.db'", "INSTALL httpfs",
    "LOAD httpfs", "LOAD '{1}/out'", "SET enable_external_access = true", "SET lock_configuration = false",
    "RESET lock_configuration", "PRAGMA memory_limit = '10GB'", "PRAGMA enable_profiling='json'", "CREATE TABLE a AS SELECT 1",
    "CREATE SECRET (TYPE s3)", "INSERT INTO example VALUES (1)", "DROP VIEW example", "CALL enable_logging(storage_path='{1}/out')",
    "SET profiling_output = '{1}/out'", "SELECT 1; COPY (SELECT 1) TO '{1}/out.csv'", "CREATE MACRO f() AS 1",
    "SELECT * FROM sys", "SELECT * FROM connection", "SELECT * FROM request", "SELECT * FROM duckdb_extensions()",
    "SELECT * FROM parquet_metadata('{0}')", "IMPORT DATABASE '{1}'", "FORCE CHECKPOINT", "VACUUM", "USE example",
    "SELECT * FROM \"../secret.csv\"", "SELECT * FROM \"example\"\";COPY (SELECT 1) TO '{1}/out.csv';--\"",
]  # fmt: skip


@pytest.mark.parametrize("sql", OUTSIDE)
def test_nothing_outside_is_read_or_written(archive, sql, tmp_path):
    before = sorted(archive.parent.rglob("*"))
    told, _ = ask(archive, sql.format(archive.parent / "secret.csv", tmp_path))
    assert told["status"] == 400, told
    assert sorted(archive.parent.rglob("*")) == before
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ['a"b', "a'b", "a;b", "example; DROP VIEW example"])
def test_fault_79_names_are_quoted(archive, name):
    quoted = name.replace('"', '""')
    told, _ = ask(archive, f'SELECT "{quoted}" FROM example')
    assert told["status"] == 400
    assert "not found" in told["error"]


def test_what_is_too_much(archive):
    for sql, words in (
        ("SELECT list(range) FROM range(100000000)", "256 MB of memory"),
        ("SELECT a.message, b.message FROM example a, example b", "larger than 1 MB"),
    ):
        told, _ = ask(archive, sql)
        assert told["status"] == 413
        assert words in told["error"]


def process(archive, sql, keep_open=False, **other):
    with tempfile.TemporaryFile() as file:
        started = subprocess.Popen(
            [sys.executable, "-P", "-m", "speeddata.pivot.sql_worker", str(file.fileno())],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, pass_fds=(file.fileno(),),
            env=os.environ | {"ARROW_DEFAULT_MEMORY_POOL": "system", "OPENBLAS_NUM_THREADS": "1"},
        )  # fmt: skip
        with started:
            started.stdin.write(json.dumps(request(archive, sql, **other)).encode() + b"\n")
            started.stdin.flush()
            if not keep_open:
                started.stdin.close()
            told = started.stdout.read()
            code = started.wait(LIMIT_S)
        file.seek(0)
        return code, told, file.read()


def test_the_process_answers(archive):
    code, told, content = process(archive, "SELECT count(*) FROM example", keep_open=True)
    assert (code, json.loads(told)["rows"]) == (0, 1)
    assert json.loads(content)["rows"] == [[5000]]


def test_the_process_ends_when_nobody_waits(archive):
    assert process(archive, "SELECT count(*) FROM range(100000000000) a WHERE hash(a.range) = 3")[0] == 1


def test_the_process_has_limits(archive):
    code, told, _ = process(archive, "SELECT repeat('x', 3000000000)", keep_open=True)
    assert (code, json.loads(told)["status"]) == (0, 413)


def test_the_process_without_a_request():
    with tempfile.TemporaryFile() as file:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "speeddata.pivot.sql_worker", str(file.fileno())],
            stdin=subprocess.DEVNULL, capture_output=True, pass_fds=(file.fileno(),), timeout=LIMIT_S,
        )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
