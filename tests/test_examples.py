"""The example programs, run as a user runs them, against the running system."""

import contextlib
import itertools
import json
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from line import encode, read_records, wait_until
from ports import free_port
from system import System, demo_turn

from speeddata.schema import Schema

EXAMPLES = Path(__file__).parent.parent / "examples"


@pytest.fixture(scope="module")
def system(tmp_path_factory):
    with demo_turn():  # whose ports the examples have
        running = System(tmp_path_factory.mktemp("examples") / "data").start()
        yield running
        running.process.terminate()
        assert running.process.wait(20) == 0


def program(system, name, *arguments):
    api = f"http://127.0.0.1:{system.api_port}/api/v1"
    return subprocess.Popen([sys.executable, "-P", EXAMPLES / name, "--api", api, *arguments],
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)  # fmt: skip


def finished(process):
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    return out


def stats(system, channel):
    status, answer = system.ask("GET", f"/api/v1/channels/{channel}")
    return (answer["stats"] if status == 200 else None) or {}


@pytest.mark.parametrize("batch", ["1", "10"])
def test_sender_and_receiver(system, batch):
    before = stats(system, "example").get("records", 0)
    if not before:
        finished(program(system, "sender/sender.py", "--count", "1", "--rate", "1000"))
        before = 1
    receiver = program(system, "receiver/receiver.py", "example", "--count", "3")
    sender = program(system, "sender/sender.py", "--count", "300", "--rate", "300", "--batch", batch)
    heard = [json.loads(line) for line in finished(receiver).splitlines()]
    assert [sorted(record) for record in heard] == [
        ["counter", "message", "noise", "ramp", "sine_wave", "square_wave", "time"]
    ] * 3
    finished(sender)
    wait_until(lambda: stats(system, "example")["records"] == before + 300, "all records")


def test_receiver_of_framed_packets_of_two_versions(system):
    first = {"type": "record", "name": "framed", "fields": [{"name": "time", "type": "long"}]}
    second = {**first, "fields": [*first["fields"], {"name": "more", "type": "string", "default": ""}]}
    port = free_port()
    system.register("framed", port, first, framing="single_object", decimation={"enabled": False})
    receiver = program(system, "receiver/receiver.py", "framed")
    heard = []
    reader = threading.Thread(target=lambda: heard.extend(map(json.loads, receiver.stdout)))
    reader.start()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as source:

        def send(schema, **record):
            frame = b"\xc3\x01" + Schema.parse(schema).fingerprint
            source.sendto(frame + encode(schema, **record), ("127.0.0.1", port))
            return record in heard

        wait_until(lambda: send(first, time=5), "the first version")
        assert system.ask("POST", "/api/v1/channels/framed/schemas", {"schema": second})[0] == 201
        wait_until(lambda: send(second, time=6, more="x"), "the second")
    receiver.send_signal(signal.SIGINT)
    assert (receiver.wait(20), receiver.stderr.read()) == (0, "")
    reader.join(20)
    receiver.stdout.close()
    receiver.stderr.close()


def test_temperature_sender(system):
    finished(program(system, "sender/temperature_sender.py", "--count", "2", "--device", "roof"))
    wait_until(lambda: stats(system, "temperature").get("archived") == 2, "both records")
    records = read_records(system.data / "archive" / "temperature", "temperature")
    assert [(r["device_id"], r["status"]) for r in records] == [("roof", "ok")] * 2


def test_host_telemetry(system):
    process = program(system, "host.py", "--rate", "50")
    try:
        wait_until(lambda: stats(system, "host").get("archived", 0) >= 50, "a second of it")
    finally:
        process.terminate()
        process.communicate(timeout=10)
    records = read_records(system.data / "archive" / "host", "host")
    assert all(0 <= r["cpu_0"] <= 100 and r["memory_used"] > 0 and r["network_send"] >= 0 for r in records)
    assert [r["sequence"] for r in records] == list(range(len(records)))
    assert stats(system, "host")["rejected"] == dict.fromkeys(stats(system, "host")["rejected"], 0)


def test_host_telemetry_of_another_machine_is_refused(system):
    """After the test before, the channel has this machine's schema: sending again is in order, as another machine not."""
    sent = stats(system, "host").get("records", 0)
    again = program(system, "host.py", "--rate", "50")
    try:
        wait_until(lambda: again.poll() is not None or stats(system, "host").get("records", 0) > sent, "more")
        assert again.poll() is None
    finally:
        again.terminate()
        again.communicate(timeout=10)
    assert system.ask("DELETE", "/api/v1/channels/host")[0] == 200
    schema = {"type": "record", "name": "telemetry", "namespace": "speeddata.host",
              "fields": [{"name": "time", "type": "long"}, {"name": "cpu_0", "type": "double"}]}  # fmt: skip
    system.register("host", free_port(), schema)
    refused = program(system, "host.py")
    out, err = refused.communicate(timeout=30)
    assert (refused.returncode, out) == (1, "")
    assert "another schema than this machine's" in err
    assert "Traceback" not in err


def test_host_telemetry_says_why_its_channel_cannot_be_had(system):
    system.ask("DELETE", "/api/v1/channels/host")
    with socket.socket(type=socket.SOCK_DGRAM) as taken:
        with contextlib.suppress(OSError):  # another has it already
            taken.bind(("127.0.0.1", 26002))
        refused = program(system, "host.py")
        out, err = refused.communicate(timeout=30)
    assert (refused.returncode, out) == (1, "")
    assert "port 26002 on 127.0.0.1 is in use" in err
    assert "Traceback" not in err


def test_machine(system):
    process = program(system, "machine.py", "--rate", "2000")
    try:
        wait_until(lambda: stats(system, "machine_spectrum").get("archived", 0) >= 5, "five spectra")
    finally:
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=10) == ("", "")
    records = read_records(system.data / "archive" / "machine", "machine")
    assert [r["sequence"] for r in records] == list(range(1, len(records) + 1))
    assert {b["time"] - a["time"] for a, b in itertools.pairwise(records)} == {500_000}
    # It has just begun to turn.
    assert {r["state"] for r in records} == {"idle"}
    spectra = read_records(system.data / "archive" / "machine_spectrum", "machine_spectrum")
    assert {len(r["amplitude"]) for r in spectra} == {256}
    assert stats(system, "machine")["sequence"] == {"gaps": 0, "duplicates": 0, "reordered": 0}


def test_a_receiver_of_an_unknown_channel_says_so(system):
    process = program(system, "receiver/receiver.py", "nobody")
    _, err = process.communicate(timeout=30)
    assert (process.returncode, "no channel 'nobody' is registered" in err) == (1, True)
