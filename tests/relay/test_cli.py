"""`python -m speeddata.relay`: one relay alone, as a process; its channel.py and charge.py are shown here too."""

import json
import resource
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from line import chunks, make_spec, numbered, read_records, wait_until
from ports import free_port


@pytest.fixture
def spec(tmp_path):
    return make_spec(tmp_path, port=free_port())


@pytest.fixture
def alone(tmp_path, spec):
    """Starts relays alone, and ends them."""
    started = []

    def start(**changes):
        path = tmp_path / "spec.json"
        path.write_text(json.dumps(spec | changes))
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "speeddata.relay", "--spec", path],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def send(port, packets):
    with socket.socket(type=socket.SOCK_DGRAM) as sender:
        for packet in packets:
            sender.sendto(packet, ("127.0.0.1", port))


def report(process):
    process.send_signal(signal.SIGUSR1)
    return json.loads(process.stdout.readline())


def started(process):
    """Wait until it relays; gives what it said before."""
    said = ""
    while "relaying from" not in said:
        line = process.stderr.readline()
        assert line, said
        said += line
    return said


def test_it_records_and_ends_with_everything_on_the_disk(alone, spec):
    process = alone()
    started(process)
    send(spec["port"], [numbered(n) for n in range(1000)])
    wait_until(lambda: report(process)["records"] == 1000)
    process.terminate()
    out, _ = process.communicate(timeout=10)
    assert process.returncode == 0
    stats = json.loads(out.splitlines()[-1])
    assert (stats["archived"], stats["durable"], stats["kernel_drops"]) == (1000, 1000, 0)
    assert len(read_records(Path(spec["archive"]))) == 1000


def test_a_killed_one_is_repaired_at_the_next_start(alone, spec):
    process = alone()
    started(process)
    send(spec["port"], [numbered(n) for n in range(1000)])
    wait_until(lambda: report(process)["archived"] == 1000)
    process.kill()
    process.communicate()
    (segment,) = Path(spec["archive"]).glob("test_*.avro")
    with segment.open("ab") as file:
        file.write(b"\x08\xff\x01torn")
    second = alone()
    assert "cut 7 bytes of a torn tail" in started(second)
    send(spec["port"], [numbered(n) for n in range(1000, 1100)])
    wait_until(lambda: report(second)["archived"] == 100)
    assert [r["n"] for r in read_records(Path(spec["archive"]))] == list(range(1100))


def test_a_full_disk_is_waited_for_and_when_the_ring_runs_full_counted(alone, spec):
    """Nothing can be written for a while: what the ring holds is archived then, the rest is counted under the reason."""
    process = alone(block_bytes=65536, ring_bytes=1 << 20)
    started(process)
    limits = resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))
    for packet in chunks([numbered(n) for n in range(100_000)], 200):
        send(spec["port"], [packet])
    stats = wait_until(lambda: (s := report(process))["not_archived"]["disk_full"] and s)
    assert (stats["archived"], stats["disk_error"]) == (0, "File too large")
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, limits)
    stats = wait_until(
        lambda: (s := report(process))["archived"]
        + s["not_archived"]["disk_full"]
        + s["ring_full"] == 100_000 and s
    )  # fmt: skip
    assert stats["records"] == stats["forwarded"] * 200 == 100_000
    assert stats["disk_error"] is None
    assert 30_000 < len(read_records(Path(spec["archive"]))) == stats["archived"]


def test_two_on_one_channel_cannot_be(alone):
    first = alone()
    started(first)
    second = alone(port=free_port())
    _, err = second.communicate(timeout=10)
    assert second.returncode == 3
    assert f"channel 'test' has a relay already, process {first.pid}" in err


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schema": {"type": "record", "name": "x", "fields": [{"name": "a", "type": "int"}]}}, "time"),
        ({"nonsense": 1}, "unknown key 'nonsense'"),
        ({"listen": "192.0.2.7"}, "on 192.0.2.7"),
    ],
)
def test_what_cannot_start_says_why(alone, change, message):
    process = alone(**change)
    _, err = process.communicate(timeout=10)
    assert process.returncode == 3
    assert message in err
    assert "Traceback" not in err
