"""A configuration of SpeedData 0.6 and packets as its senders make them, against the running system."""

import io
import json
import math
import random
import socket
import time
from datetime import datetime

import fastavro
import pytest
from line import drain, read_records, subscribe, wait_until
from ports import free_port
from system import System

EXAMPLE = {
    "namespace": "speeddata.example",
    "type": "record",
    "name": "data",
    "fields": [
        {"name": "time", "type": "long", "logicalType": "timestamp-nanos"},
        {"name": "message", "type": "string"},
        {"name": "counter", "type": "int"},
        {"name": "sine_wave", "type": "double"},
        {"name": "ramp", "type": "double"},
        {"name": "square_wave", "type": "double"},
        {"name": "noise", "type": "double"},
    ],
}
TEMPERATURE = {
    "namespace": "speeddata.sensors",
    "type": "record",
    "name": "temperature_data",
    "fields": [
        {"name": "time", "type": "long", "doc": "milliseconds"},
        {"name": "device_id", "type": "string"},
        {"name": "temperature_c", "type": "double"},
        {"name": "temperature_f", "type": "double"},
        {"name": "pressure_pa", "type": "double"},
        {"name": "humidity_pct", "type": "double"},
        {"name": "status", "type": "string"},
    ],
}
GLOBAL = """
multicast:
  full_rate: {{address: 239.255.211.1, port: {full}}}
  decimated: {{address: 239.255.211.2, port: {decimated}}}
storage:
  avro_path: ./elsewhere
"""
RELAY = """
channels:
  - {{name: example, port: {example}, schema: config/agents/example.avsc}}
  - {{name: temperature, port: {temperature}, schema: config/agents/temperature.avsc}}
decimation: {{enabled: true, factor: 5, algorithm: downsample}}
rotation: {{mode: time, threshold: 3600}}
retention: {{mode: ttl, value: 86400}}
"""
STRIPCHART = "websocket: {port: 8081}\ndecimation: {pass_through: true}\n"
PIVOT = "api:\n  port: 8000\n  limits: {max_channels: 20, max_duration_minutes: 5, timeout_seconds: 60}\n"


def example(counter):
    """A record as sender.py sends it."""
    return {
        "time": time.time_ns(),
        "message": random.choice(["aback", "zebra", "übung"]),
        "counter": counter,
        "sine_wave": math.sin(2 * math.pi * counter / 20),
        "ramp": counter % 40 / 40,
        "square_wave": 1.0 if counter % 20 < 10 else -1.0,
        "noise": random.uniform(-0.5, 0.5),
    }


def temperature(counter):
    """A record as temperature_sender.py sends it: nanoseconds, whatever its schema says."""
    return {
        "time": time.time_ns(),
        "device_id": "sensor-1",
        "temperature_c": 20.0 + counter,
        "temperature_f": 68.0,
        "pressure_pa": 101325.0,
        "humidity_pct": 40.0,
        "status": "ok",
    }


def packet(schema, record):
    out = io.BytesIO()
    fastavro.schemaless_writer(out, fastavro.parse_schema(schema), record)
    return out.getvalue()


@pytest.fixture
def ports():
    return {name: free_port() for name in ("example", "temperature", "full", "decimated")}


@pytest.fixture
def system(tmp_path, ports):
    config = tmp_path / "config"
    (config / "agents").mkdir(parents=True)
    (config / "agents" / "example.avsc").write_text(json.dumps(EXAMPLE))
    (config / "agents" / "temperature.avsc").write_text(json.dumps(TEMPERATURE))
    for name, text in (("global", GLOBAL), ("relay", RELAY)):
        (config / f"{name}.yaml").write_text(text.format(**ports))
    (config / "stripchart.yaml").write_text(STRIPCHART)
    (config / "pivot.yaml").write_text(PIVOT)
    running = System(tmp_path / "data", f"--config={config}").start()
    yield running
    running.process.terminate()
    assert running.process.wait(20) == 0


def active(system):
    channels = system.ask("GET", "/api/v1/channels")[1]["channels"]
    return {c["name"]: c for c in channels if c["status"] == "active"}


def test_senders_and_configuration_work_unchanged(system, ports, tmp_path):
    wait_until(lambda: len(active(system)) == 2, "both channels")
    for warning in ("retention", "multicast"):
        assert warning in system.said()
    records = {
        "example": [example(n) for n in range(100)],
        "temperature": [temperature(n) for n in range(10)],
    }
    schemas = {"example": EXAMPLE, "temperature": TEMPERATURE}
    with (
        subscribe("239.255.211.1", ports["full"]) as full,
        subscribe("239.255.211.2", ports["decimated"]) as decimated,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender,
    ):
        sent = {name: [packet(schemas[name], r) for r in records[name]] for name in schemas}
        for name, packets in sent.items():
            for one in packets:
                sender.sendto(one, ("127.0.0.1", ports[name]))
        wait_until(
            lambda: [c["stats"]["archived"] for c in active(system).values()] == [100, 10], "the archive"
        )
        assert sorted(drain(full)) == sorted(sent["example"] + sent["temperature"])
        assert sorted(drain(decimated)) == sorted(sent["example"][4::5] + sent["temperature"][4::5])
    sources = {c["source"]["port"] for c in active(system).values()}
    assert len(sources) == 2, "channels on a shared group are told apart by the port they are sent from"
    for name, expected in records.items():
        assert read_records(tmp_path / "data" / "archive" / name, name) == expected
    assert active(system)["temperature"]["time_unit"] == "ns"


def test_every_call_of_its_api_is_answered_as_ever(system, ports):
    """With relays: what a client of 0.6 sends, and each field that it reads; registry/test_routes_channels.py has all refusals."""
    api = "/api/v1"
    status, told = system.ask("GET", f"{api}/health")
    assert (status, told["service"], told["status"]) == (200, "speeddata-registration-api", "ok")
    wait_until(lambda: len(active(system)) == 2, "both channels")
    port = free_port()
    sent = {
        "name": "x",
        "port": str(port),
        "schema": "config/agents/example.avsc",
        "config": {"decimation": 1},
    }
    status, told = system.ask("POST", f"{api}/channels", sent)
    assert (status, told["status"], told["name"], told["port"]) == (201, "success", "x", port)
    assert told["message"] == "Channel 'x' registered and relay started"
    one = system.get("/channels/x")
    assert {key: one[key] for key in ("name", "port", "schema_path", "status", "pid", "config")} == {
        "name": "x", "port": port, "schema_path": sent["schema"], "status": "active", "pid": told["pid"],
        "config": {"decimation": 1},
    }  # fmt: skip
    assert datetime.strptime(one["created_at"], "%Y-%m-%d %H:%M:%S")
    assert datetime.strptime(one["last_heartbeat"], "%Y-%m-%d %H:%M:%S")
    assert "config" not in system.get("/channels/temperature")
    found = {query: [c["name"] for c in system.get(f"/channels{query}")["channels"]]
             for query in ("", "?status=active", "?status=registered", "?status=nosuch")}  # fmt: skip
    names = ["example", "temperature", "x"]
    assert list(found.values()) == [names, names, [], []]
    assert system.get("/channels/x/schema") == EXAMPLE
    assert system.ask("POST", f"{api}/channels/x/validate-schema", {"schema": EXAMPLE}) == (
        200, {"valid": True, "message": "Schema matches registered schema"})  # fmt: skip
    assert system.ask("POST", f"{api}/channels/x/validate-schema", {"schema": TEMPERATURE})[0] == 409
    ranged = system.get(f"/ports/available?start={port}&end={port + 2}")
    assert (ranged["range"], ranged["count"]) == ({"start": port, "end": port + 2}, len(ranged["available"]))
    assert port not in ranged["available"]
    in_use = {"port": port, "available": False, "status": "in_use", "channel": "x"}
    assert system.get(f"/ports/{port}/status") == in_use
    taken = {"name": "y", "port": ports["example"], "schema": sent["schema"]}
    status, told = system.ask("POST", f"{api}/channels", taken)
    assert (status, told["error"], told["used_by"]) == (409, "Port already in use", "example")
    assert system.ask("DELETE", f"{api}/channels/x") == (
        200, {"status": "success", "name": "x", "message": "Channel 'x' de-registered and relay stopped"})  # fmt: skip
    status, told = system.ask("DELETE", f"{api}/channels/x")
    assert (status, told["error"], told["name"]) == (404, "Channel not found", "x")
    wait_until(lambda: system.get(f"/ports/{port}/status")["status"] == "free", "the port")
