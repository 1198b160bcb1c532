"""Versions of a channel's schema, told apart by their fingerprints: never mixed in a segment, each decimated by itself."""

import io
import os
import signal
import socket
from pathlib import Path

import fastavro
import pytest
from line import drain, encode, make_spec, read_records, running, subscribe, wait_until
from ports import free_port

from speeddata.errors import RelayError
from speeddata.schema import Schema


def schema(*extra, unit="timestamp-nanos"):
    fields = [{"name": "time", "type": {"type": "long", "logicalType": unit}}, {"name": "n", "type": "long"}]
    return {"type": "record", "name": "speeddata.test.versioned", "fields": [*fields, *extra]}


FIRST = schema()
SECOND = schema({"name": "value", "type": "double"})
THIRD = schema({"name": "note", "type": "string"}, unit="timestamp-millis")


def framed(version, n, **more):
    unit = 1_000_000 if version is THIRD else 1
    values = {"value": 0.5} if version is SECOND else {"note": "x" * (n % 5)} if version is THIRD else {}
    frame = b"\xc3\x01" + Schema.parse(version).fingerprint
    return frame + encode(version, time=(10**18 + n * 10**9) // unit, n=n, **values, **more)


@pytest.fixture
def versioned(tmp_path):
    return make_spec(
        tmp_path,
        THIRD,
        versions=[FIRST, SECOND],
        framing="single_object",
        decimation={"enabled": True, "algorithm": "minmax", "factor": 10, "rate_hz": None},
    )


def per_segment(folder):
    """Names of the fields, unit and numbers of the segments, in their order."""
    for path in sorted(Path(folder).glob("test_*.avro")):
        with path.open("rb") as file:
            reader = fastavro.reader(file)
            names = [field["name"] for field in reader.writer_schema["fields"]]
            yield names[-1], reader.metadata["speeddata.time_unit"], [record["n"] for record in reader]


def test_each_version_has_segments_of_its_own(versioned):
    with running(versioned) as line:
        line.send(*(framed(FIRST, n) for n in range(100)))
        line.send(*(framed(SECOND, n) for n in range(100, 200)))
        line.send(*(framed(THIRD, n) for n in range(200, 300)))
        line.send(framed(SECOND, 300) + framed(SECOND, 301))
        line.wait(archived=302, packets=301)
        found = [one for one in per_segment(line.folder) if one[2]]
    assert found == [
        ("n", "ns", list(range(100))),
        ("value", "ns", list(range(100, 200))),
        ("note", "ms", list(range(200, 300))),
        ("value", "ns", [300, 301]),
    ]


def test_unknown_versions_and_packets_of_two_are_refused(versioned):
    other = schema({"name": "other", "type": "int"})
    with running(versioned) as line:
        frame = b"\xc3\x01" + Schema.parse(other).fingerprint
        line.send(frame + encode(other, time=1, n=1, other=2))
        line.send(b"\xc3\x02" + framed(FIRST, 1)[2:], framed(FIRST, 1)[:9], b"\xc3")
        line.send(framed(FIRST, 1) + framed(SECOND, 2))
        line.send(framed(FIRST, 5))
        line.wait(archived=1, rejected__schema=2, rejected__short=2, rejected__trailing=1)
        assert [r["n"] for r in read_records(line.folder)] == [5]


def test_decimated_packets_say_which_version_they_are_of(versioned):
    with subscribe(**versioned["multicast"]["decimated"]) as subscriber, running(versioned) as line:
        line.send(*(framed(SECOND, n) for n in range(20)))
        line.send(*(framed(THIRD, n) for n in range(20, 35)))
        line.wait(archived=35)
        line.stop()
        packets = drain(subscriber)
    numbers = []
    for packet in packets:
        version = next(v for v in (SECOND, THIRD) if packet[2:10] == Schema.parse(v).fingerprint)
        assert packet[:2] == b"\xc3\x01"
        numbers.append((version is THIRD, _number(version, packet[10:])))
    assert numbers == [(False, n) for n in (0, 9, 10, 19)] + [(True, n) for n in (20, 29, 30, 34)]


def _number(version, datum):
    return fastavro.schemaless_reader(io.BytesIO(datum), fastavro.parse_schema(version))["n"]


def test_a_version_is_added_while_packets_come_and_relays_die(keeper, tmp_path):
    spec = make_spec(tmp_path, FIRST, framing="single_object", port=free_port())
    pid = keeper.start(spec)
    sent = 0

    def send(version, count):
        nonlocal sent
        for n in range(sent, sent + count):
            source.send(framed(version, n))
        sent += count

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as source:
        source.connect(("127.0.0.1", spec["port"]))
        send(FIRST, 100)
        with pytest.raises(RelayError, match="runs with another schema; stop it first"):
            keeper.replace("test", spec | {"schema": SECOND, "versions": []})
        pid = keeper.replace("test", spec | {"schema": SECOND, "versions": [FIRST]})
        for version in (FIRST, SECOND, FIRST):
            send(version, 50)
            os.kill(pid, signal.SIGKILL)
            send(version, 50)
            pid = wait_until(lambda former=pid: (p := keeper.list()[0]["pid"]) not in (None, former) and p)
    wait_until(lambda: keeper.stats("test")["durable"] == sent)
    assert sum(keeper.stats("test")["rejected"].values()) == 0
    found = [(last, numbers) for last, _, numbers in per_segment(spec["archive"]) if numbers]
    assert [n for _, numbers in found for n in numbers] == list(range(400))
    assert {last: sum(len(n) for name, n in found if name == last) for last, _ in found} == {
        "n": 300,
        "value": 100,
    }


def test_a_unit_found_from_records_is_kept_for_the_versions_that_state_none(tmp_path):
    plain = {"type": "record", "name": "v", "fields": [{"name": "time", "type": "double"}]}
    newer = {"type": "record", "name": "v", "fields": [*plain["fields"], {"name": "a", "type": "int"}]}
    stated = schema()
    spec = make_spec(tmp_path, newer, versions=[plain, stated], framing="single_object")

    def record(version, **values):
        return b"\xc3\x01" + Schema.parse(version).fingerprint + encode(version, **values)

    with running(spec) as line:
        line.send(
            record(plain, time=1.7e12), record(stated, time=10**18, n=1), record(newer, time=1.7e12, a=1)
        )
        line.wait(archived=3)
        units = {}
        for path in line.folder.glob("test_*.avro"):
            with path.open("rb") as file:
                reader = fastavro.reader(file)
                if list(reader):
                    units[reader.writer_schema["fields"][-1]["name"]] = reader.metadata["speeddata.time_unit"]
    assert units == {"time": "ms", "n": "ns", "a": "ms"}
