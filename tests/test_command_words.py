"""What commands say while they wait, and where they look when they are not told: on a system that asks for no token."""

import json
import os
import subprocess

import pytest
import system
from command import command
from line import wait_until

SCHEMA = {
    "type": "record",
    "name": "engine",
    "fields": [
        {"name": "time", "type": "long", "logicalType": "timestamp-nanos"},
        {"name": "speed", "type": "double"},
    ],
}
START = 1_700_000_000_000_000_000


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    folder = tmp_path_factory.mktemp("words")
    (folder / "engine.avsc").write_text(json.dumps(SCHEMA))
    with system.run(folder / "data") as started:
        wait_until(lambda: "history at" in started.said(), "history")
        yield started


@pytest.fixture
def asked(running):
    """The environment by which commands find the system."""
    return {"SPEEDDATA_URL": f"http://127.0.0.1:{running.api_port}"}


def filled(running, asked, name):
    """A channel with three records of 2023-11-14, a minute apart."""
    made = command("register", name, "--schema", running.data.parent / "engine.avsc", env=asked)
    assert made.returncode == 0, made.stderr
    rows = [{"time": START + n * 60 * 10**9, "speed": n} for n in range(3)]
    lines = "".join(f"{json.dumps(row)}\n" for row in rows)
    assert command("send", name, "-q", env=asked, input=lines).returncode == 0
    wait_until(lambda: (running.get(f"/channels/{name}")["stats"] or {}).get("durable") == 3, "archived")
    return name


def test_tail_says_what_it_waits_for(running, asked):
    name = filled(running, asked, "waited")
    words = [*system.SPEEDDATA, "tail", name, "--records", "1"]
    begun = subprocess.Popen(
        words, env={**os.environ, **asked}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    said = begun.stderr.readline()
    assert said.startswith(f"waiting for records of {name}; the newest came "), said
    assert command("send", name, "--test", "--count", 1, "-q", env=asked).returncode == 0
    table, more = begun.communicate(timeout=60)
    assert (begun.returncode, "waited.speed" in table, more) == (0, True, "")


def test_a_replay_looks_in_the_archive_of_the_server(running, asked, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    name = filled(running, asked, "again")
    done = command("replay", "--channel", name, "--speed", "max", env=asked)
    assert (done.returncode, done.stdout[:14]) == (0, "sent 3 records"), done.stderr
    missing = command("replay", "--channel", "nosuch", env=asked)
    assert missing.returncode == 1
    assert "no channel 'nosuch' in data/archive (--archive, --data)" in missing.stderr
    assert "Channel not found" in missing.stderr
    (tmp_path / "empty" / "archive" / name).mkdir(parents=True)
    elsewhere = command("replay", "--channel", name, "--data", "empty", env=asked)
    assert (elsewhere.returncode, elsewhere.stderr) == (
        1,
        "speeddata: there are no records to be sent there\n",
    )


@pytest.mark.parametrize("given", [False, True])
def test_sql_and_export_find_the_history_of_the_system(running, asked, tmp_path, monkeypatch, given):
    monkeypatch.chdir(tmp_path)
    name = filled(running, asked, f"told{given}")
    url = [f"--url=http://127.0.0.1:{running.pivot_port}"] if given else []
    environment = {"SPEEDDATA_URL": "http://127.0.0.1:1"} if given else asked
    counted = command("sql", f"SELECT count(*) AS n FROM {name}", "--csv", *url, env=environment)
    assert (counted.returncode, counted.stdout.split()) == (0, ["n", "3"]), counted.stderr
    span = ["--start", "2023-11-14T22:13:20Z", "--duration", "5m"]
    made = command("export", "--channels", name, *span, "-o", "x.csv", "-q", *url, env=environment)
    assert (made.returncode, made.stdout[:17]) == (0, "x.csv: 3 records,"), made.stderr
