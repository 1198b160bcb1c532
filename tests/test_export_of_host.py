"""Telemetry of this machine, exported over HTTP while it is recorded, is what the archive holds: all of it, by fastavro."""

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import requests
from line import read_records, wait_until
from system import demo_turn, run

from speeddata import read_hdf5
from speeddata.times import format_time

HOST = Path(__file__).parent.parent / "examples" / "host.py"
SPAN_NS = 2_000_000_000


def export(system, start_ns, end_ns, tmp_path):
    """The channel of an export over this range, and the path of its file."""
    query = {"start": format_time(start_ns), "end": format_time(end_ns), "channels": "host"}
    url = f"http://127.0.0.1:{system.pivot_port}/api/v1/pivot/export"
    answer = requests.get(url, params=query, timeout=60)
    assert answer.status_code == 200, answer.text
    assert "X-SpeedData-Partial" not in answer.headers
    path = tmp_path / "export.h5"
    path.write_bytes(answer.content)
    return read_hdf5(path).host


def newest_ns(system):
    """Time of the newest record in the history; 0 before there is one."""
    query = {"duration": "PT0.001S", "channels": "host", "signals": "sequence"}
    try:
        answer = requests.get(
            f"http://127.0.0.1:{system.pivot_port}/api/v1/pivot/export", params=query, timeout=60
        )
    except requests.ConnectionError:
        return 0
    if answer.status_code != 200:
        return 0
    path = system.data.with_name("newest.h5")
    path.write_bytes(answer.content)
    channel = read_hdf5(path).host
    return int(channel.time_ns[-1]) if len(channel) else 0


def test_the_last_seconds_are_those_of_the_archive(tmp_path):
    with demo_turn(), run(tmp_path / "data") as system:
        api = f"http://127.0.0.1:{system.api_port}/api/v1"
        host = subprocess.Popen([sys.executable, "-P", HOST, "--api", api, "--rate", "50"])
        try:
            first = wait_until(lambda: newest_ns(system), "the first block")
            wait_until(lambda: newest_ns(system) > first + SPAN_NS, "some seconds of it")
            end = newest_ns(system)
            exported = export(system, end - SPAN_NS, end, tmp_path)
            assert host.poll() is None
            assert time.time_ns() - end < 60e9
        finally:
            host.terminate()
            host.wait(10)
    archived = [
        record
        for record in read_records(system.data / "archive" / "host", "host")
        if end - SPAN_NS <= record["time"] <= end
    ]
    assert len(archived) > 20
    assert exported.time_ns.tolist() == [record["time"] for record in archived]
    assert set(exported.signal) == archived[0].keys() - {"time"}
    for name, signal in exported.signal.items():
        np.testing.assert_array_equal(signal, [record[name] for record in archived], name)
    numbers = exported.sequence.tolist()
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
