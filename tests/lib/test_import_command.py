"""`speeddata import` as a user runs it, against a server in memory."""

import csv
import json
import os
import pty
import re
import signal
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from command import command
from import_server import import_server, wait_for
from system import SPEEDDATA, speeddata

PAGE = Path(__file__).parents[2] / "docs" / "import.md"
LINES = "time,a,b\n2021-05-01T00:00:00Z,1.5,x\n2021-05-01T00:00:01Z,2.5,y\n"


@pytest.fixture
def server():
    with import_server() as running:
        yield running


@pytest.fixture
def words(server, tmp_path):
    """A command line up to its files."""
    return ["import", "--api", server.address, "--state", str(tmp_path / "state")]


@pytest.fixture
def run(words):
    def run(*arguments, **options):
        return command(*words, *arguments, **options)

    return run


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "my data.csv"
    path.write_text(LINES)
    return path


def test_a_file_becomes_a_channel(words, server, file):
    done = speeddata(*words, str(file))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{file}: 2 rows imported into my-data\n"
    made = server.channels["my-data"]
    assert (made["port"], made["config"]) == (None, {"live": False, "time_unit": "s"})
    assert server.records("my-data") == [
        {"time": 1619827200, "a": 1.5, "b": "x"},
        {"time": 1619827201, "a": 2.5, "b": "y"},
    ]
    (query,) = server.requests
    assert (query["live"], query["durability"], query["channel"]) == (["false"], ["block"], ["my-data"])


def test_a_dry_run_tells_and_sends_nothing(run, server, file):
    done = run(file, "--dry-run")
    assert done.returncode == 0
    for words in ("comma", "'time'", "%Y-%m-%dT%H:%M:%S", "2021-05-01T00:00:00Z to 2021-05-01T00:00:01Z, exact in s", "rows         2",
                  "my-data (to be made)", "a: double", "b: string", "2021-05-01T00:00:01Z | 2.5 | y"):  # fmt: skip
        assert words in done.stdout
    assert (server.channels, server.requests) == ({}, [])


def test_a_dry_run_does_without_a_server(file):
    done = command("import", "--dry-run", "--api", "http://127.0.0.1:9", str(file))
    assert (done.returncode, "is not known" in done.stdout) == (0, True)


def test_json(run, file):
    told = json.loads(run(file, "--dry-run", "--json").stdout)
    entry = told["files"][0]
    assert (told["dry_run"], entry["state"], entry["rows"], entry["refused"]) == (True, "examined", 2, 0)
    assert [one["name"] for one in entry["signals"]] == ["a", "b"]
    entry = json.loads(run(file, "--json").stdout)["files"][0]
    assert (entry["state"], entry["imported"], entry["by_channel"]) == ("imported", 2, {"my-data": 2})
    assert json.loads(run(file, "--json").stdout)["files"][0]["state"] == "imported before"


def test_what_is_imported_is_not_imported_twice_unless_asked_for(run, server, file):
    assert run(file).returncode == 0
    assert "imported before, 2 rows" in run(file).stdout
    copy = file.with_name("copy.csv")
    copy.write_bytes(file.read_bytes())
    assert (
        "imported before" in run(copy, "--channel", "my-data").stdout or len(server.records("my-data")) == 2
    )
    assert run(file, "--again").returncode == 0
    assert len(server.records("my-data")) == 4


def empty(server):
    """Has the server be one of a new data folder."""
    server.channels.clear(), server.bodies.clear(), server.keys.clear()


@pytest.mark.parametrize("registered", [False, True])
def test_another_data_folder_has_nothing_yet(registered, run, server, file):
    assert run(file).returncode == 0
    made = dict(server.channels)
    empty(server)
    server.instance = "1" * 32
    if registered:
        server.channels.update(made)
    assert "2 rows imported" in run(file).stdout
    assert len(server.records("my-data")) == 2
    server.instance = "0" * 32
    assert "imported before" in run(file).stdout, "the notes of the former one are kept"


def test_a_channel_that_is_gone_has_nothing(run, server, file):
    server.instance = None
    assert run(file).returncode == 0
    assert "imported before" in run(file).stdout
    empty(server)
    assert "imported before" not in run(file, "--dry-run").stdout
    assert "2 rows imported" in run(file).stdout
    assert len(server.records("my-data")) == 2


def test_a_dry_run_tells_what_was_imported_before(run, server, file):
    assert "imported before" not in run(file, "--dry-run").stdout
    assert run(file).returncode == 0
    assert re.search(r"note +imported before, 2 rows at 20", run(file, "--dry-run").stdout)
    entry = json.loads(run(file, "--dry-run", "--json").stdout)["files"][0]
    assert (entry["state"], entry["finished"][:2]) == ("examined", "20")
    assert "imported before" not in run(file, "--dry-run", "--again").stdout
    get = server.get
    server.get = lambda path: (200, {}) if path.endswith("services") else get(path)
    done = run(file, "--dry-run")
    assert (done.returncode, "whether it was imported before is not known" in done.stdout) == (0, True)


def test_without_its_state_an_import_is_known_by_its_keys(run, server, file, tmp_path):
    assert run(file).returncode == 0
    for state in (tmp_path / "state").iterdir():
        state.unlink()
    assert run(file).returncode == 0
    assert len(server.records("my-data")) == 2


def test_a_channel_that_is_there_is_used(run, server, file):
    fields = [{"name": "b", "type": "string"}, {"name": "more", "type": ["double", "null"]},
              {"name": "time", "type": {"type": "long", "logicalType": "timestamp-micros"}}, {"name": "a", "type": ["null", "float"]}]  # fmt: skip
    server.channels["there"] = {"schema": {"type": "record", "name": "r", "fields": fields}}
    assert run(file, "--channel", "there").returncode == 0
    assert server.records("there")[1] == {"b": "y", "more": None, "time": 1619827201000000, "a": 2.5}


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ([{"name": "a", "type": "double"}], "has no signal 'b'"),
        (
            [{"name": "a", "type": "long"}, {"name": "b", "type": "string"}],
            "has the signal 'a' as long, the file has double",
        ),
        (
            [{"name": "a", "type": "double"}, {"name": "b", "type": "string"}, {"name": "c", "type": "int"}],
            "which the file has not",
        ),
    ],
)
def test_a_channel_that_does_not_fit_is_told(fields, error, run, server, file):
    server.channels["there"] = {
        "schema": {"type": "record", "name": "r", "fields": [{"name": "time", "type": "long"}, *fields]}
    }
    done = run(file, "--channel", "there")
    assert (done.returncode, error in done.stderr, server.requests) == (1, True, [])
    assert run(file, "--channel", "there", "--dry-run").returncode == 1


def test_too_many_bad_lines_stop_an_import_before_it_begins(run, server, file, tmp_path):
    with file.open("a") as more:
        more.writelines(f"never,{n},z\n" for n in range(30))
        more.writelines(f"2021-05-02T00:00:00Z,{n},z\n" for n in range(598))
    rejects = tmp_path / "bad.csv"
    done = run(file, "--max-bad", "29", "--rejects", rejects)
    assert (done.returncode, server.requests) == (1, [])
    assert "30 of 630 lines cannot be taken, more than --max-bad 29; nothing was imported" in done.stderr
    done = run(file, "--max-bad", "30", "--rejects", rejects)
    assert (
        done.returncode,
        "600 rows imported into my-data, 30 lines could not be taken" in done.stdout,
    ) == (
        0,
        True,
    )
    with rejects.open(newline="") as written:
        rows = list(csv.DictReader(written))
    assert [row["line"] for row in rows] == [str(n) for n in range(4, 34)]
    assert (rows[0]["text"], "wanted a time as" in rows[0]["reason"]) == ("never,0,z", True)


def test_devices_become_channels(run, server, tmp_path):
    path = tmp_path / "many.csv"
    path.write_text("time,dev,v\n" + "".join(f"{n},d:{n % 3},{n}\n" for n in range(9)))
    assert run(path, "--by", "dev", "--channel", "all").returncode == 0
    assert sorted(server.channels) == ["all.d-0", "all.d-1", "all.d-2"]
    assert server.records("all.d-1") == [{"time": n, "v": n} for n in (1, 4, 7)]
    path.write_text("time,dev,v\n1,a b,1\n2,a:b,2\n")
    assert "would both be channel" in run(path, "--by", "dev").stderr


@pytest.mark.parametrize(
    "arguments",
    [("--zone", "Nowhere"), ("--time-format", "%Q"), ("--delimiter", "ab c"), ("--channel", "../x"), ("--start", "soon"), ("--rate", "0"),
     ("--rate", "5", "--time-column", "a"), ("--quote", "ab"), ("--skip", "-1")],
)  # fmt: skip
def test_wrong_usage(arguments, run, file):
    assert run(file, *arguments).returncode == 2


def test_problems_are_told_file_by_file(run, server, file, tmp_path):
    bad = tmp_path / "bad.csv"
    bad.write_text("a,b\n1,2\n")
    done = run(bad, file)
    assert (done.returncode, "no column holds times" in done.stderr) == (1, True)
    assert len(server.records("my-data")) == 2
    empty = tmp_path / "empty.csv"
    empty.touch()
    assert "no lines of values" in run(empty).stderr
    assert run(tmp_path / "absent.csv").returncode == 2


def test_a_server_that_refuses_or_is_away_is_told(run, server, file):
    server.trouble = lambda _: (400, {"error": "Nothing was ingested"})
    done = run(file)
    assert (
        done.returncode,
        "Nothing was ingested" in done.stderr,
        "0 of 2 rows are imported" in done.stderr,
    ) == (1, True, True)
    done = command("import", "--api", "http://127.0.0.1:9", str(file))
    assert (done.returncode, "does not answer" in done.stderr) == (1, True)


def big_file(tmp_path, rows=250_000):
    """A file of five pieces."""
    path = tmp_path / "big.csv"
    path.write_bytes(
        b"time,v,s\n" + b"".join(b"%d,%d,%s\n" % (10**9 + n, n, b"w" * 220) for n in range(rows))
    )
    return path


@pytest.mark.alone
def test_a_killed_import_goes_on_where_it_was(run, words, server, tmp_path):
    path = big_file(tmp_path)
    reached = 0

    def trouble(number):
        known = server.requests[number]["key"][0] in server.keys
        return None if known or len(server.keys) < reached else (503, {"error": "later", "retry_after": 0})

    server.trouble = trouble
    state = tmp_path / "state"
    after = tmp_path / "after.csv"
    after.write_text(LINES)
    argv = [*SPEEDDATA, *words, str(path), str(after)]
    for number in (signal.SIGKILL, signal.SIGINT):
        reached += 2
        process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        wait_for(lambda: sum(one.read_text().count("done") for one in state.glob("*")) >= reached, "pieces")  # noqa: B023
        process.send_signal(number)
        _, said = process.communicate(timeout=30)
        assert process.returncode == (-9 if number == signal.SIGKILL else 1), said
    assert "goes on where it was" in said
    assert "after" not in server.channels
    server.trouble = lambda _: None
    server.loses = lambda number: number % 2 == 0
    done = run(path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "before" in done.stdout
    assert sorted(row["v"] for row in server.records("big")) == list(range(250_000))
    assert server.sealed == ["big"], "at the end, once"


def test_progress_is_shown_on_a_terminal(words, file):
    ours, theirs = pty.openpty()
    try:
        at_once = "from speeddata import cli, progress_bar; progress_bar.DELAY_S = 0; cli.main()"
        argv = [sys.executable, "-P", "-c", at_once, *words, str(file)]
        done = subprocess.run(argv, stderr=theirs, stdout=subprocess.PIPE, timeout=60)
        assert done.returncode == 0
        os.write(theirs, b".")  # so that there is something to be read
        shown = os.read(ours, 65536).decode()
    finally:
        os.close(ours)
        os.close(theirs)
    assert "examining my data.csv" in shown
    assert "importing my data.csv" in shown


def test_parquet_hdf5_and_avro(run, server, tmp_path):
    times = np.arange(5) * 10**6 + 1619827200 * 10**9
    parquet = tmp_path / "p.parquet"
    pq.write_table(
        pa.table({"when": pa.array(times, pa.timestamp("ns", "UTC")), "v": [1.5, None, 3, 4, 5]}), parquet
    )
    hdf5 = tmp_path / "h.h5"
    with h5py.File(hdf5, "w") as made:
        made["g/time"], made["g/v"] = times, np.arange(5)
        made["g/time"].attrs["unit"] = "ns"
    assert run(parquet, hdf5).returncode == 0
    assert server.records("p")[:2] == [{"time": 1619827200000, "v": 1.5}, {"time": 1619827200001, "v": None}]
    assert [row["v"] for row in server.records("h")] == [0, 1, 2, 3, 4], "by the file's name"


def test_groups_of_different_datasets_are_imported_one_by_one(run, server, tmp_path):
    path = tmp_path / "all.h5"
    with h5py.File(path, "w") as made:
        for name, values in (("q", {"v": [1, 2]}), ("sq", {"v": [0.5, 1.5], "w": [3, 4]}), ("z", {})):
            made[f"{name}/time"] = [10**9, 2 * 10**9]
            for signal, numbers in values.items():
                made[f"{name}/{signal}"] = numbers
    told = json.loads(run(path, "--dry-run", "--json").stdout)["files"]
    assert [(one["group"], one["state"]) for one in told] == [("q", "examined"), ("sq", "examined"), ("z", "failed")]  # fmt: skip
    assert [one["channels"][0]["name"] for one in told[:2]] == ["all.q", "all.sq"]
    done = run(path)
    assert done.stdout == f"{path}: 2 rows imported into all.q\n{path}: 2 rows imported into all.sq\n"
    assert (done.returncode, done.stderr) == (1, f"{path}, group 'z': no column is left besides the time\n")
    assert [row["v"] for row in server.records("all.q")] == [1, 2]
    assert [row["w"] for row in server.records("all.sq")] == [3, 4]
    assert run(path).stdout.count("imported before, 2 rows") == 2
    assert "imported before" in run(path, "--group", "sq", "--channel", "all.sq").stdout
    assert run(path, "--group", "sq", "--channel", "x").returncode == 0
    assert sorted(server.channels) == ["all.q", "all.sq", "x"]


def test_help_and_page_name_every_option():
    said = command("import", "--help").stdout
    page = PAGE.read_text()
    options = re.findall(r"^ +(--[a-z-]+)", said, re.MULTILINE)
    assert len(options) > 20
    for option in set(options) - {"--help"}:
        assert f"`{option}" in page, option
