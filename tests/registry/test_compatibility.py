"""Avro's rules of schema resolution, at the door."""

from typing import Any

import pytest

from speeddata.registry.compatibility import incompatibilities


def record(*fields: Any) -> dict[str, Any]:
    return {"type": "record", "name": "r", "fields": [{"name": "time", "type": "long"}, *fields]}


WRITER = record(
    {"name": "v", "type": "int"}, {"name": "s", "type": {"type": "enum", "name": "e", "symbols": ["a", "b"]}}
)


@pytest.mark.parametrize(
    "reader",
    [
        WRITER,
        record({"name": "v", "type": "double"}),  # promoted, and one less
        record({"name": "v", "type": ["null", "int"]}),
        record({"name": "new", "type": "int", "default": 5}),
        record({"name": "w", "aliases": ["v"], "type": "long"}),
        record({"name": "s", "type": {"type": "enum", "name": "e", "symbols": ["b", "a", "c"]}}),
    ],
)
def test_what_can_be_read(reader: Any) -> None:
    assert incompatibilities(reader, WRITER) == []


@pytest.mark.parametrize(
    ("reader", "word"),
    [
        (record({"name": "new", "type": "int"}), "new"),
        (record({"name": "v", "type": "string"}), "string"),
        (record({"name": "v", "type": "boolean"}), "boolean"),
        (record({"name": "s", "type": {"type": "enum", "name": "e", "symbols": ["a"]}}), "b"),
    ],
)
def test_what_cannot(reader: Any, word: str) -> None:
    reasons = incompatibilities(reader, WRITER)
    assert reasons
    assert word in " ".join(reasons)


def test_an_incompatible_version_needs_force(client: Any, launcher: Any) -> None:
    body = {"name": "x", "port": 26000, "schema": WRITER, "config": {"framing": "single_object"}}
    assert client.post("/api/v1/channels", json=body).status_code == 201
    newer = record({"name": "new", "type": "int"})
    refused = client.post("/api/v1/channels/x/schemas", json={"schema": newer})
    assert (refused.status_code, refused.json["error"], refused.json["field"]) == (
        409,
        "Schema is not compatible",
        "schema",
    )
    assert refused.json["details"].startswith("records of version 1 cannot be read by it: ")
    assert "force: true" in refused.json["hint"]
    assert refused.json["version"] == 1
    assert refused.json["incompatibilities"]
    assert launcher.specs["x"]["schema"] == WRITER
    assert (
        client.post("/api/v1/channels/x/schemas", json={"schema": newer, "force": "yes"}).json["field"]
        == "force"
    )
    done = client.post("/api/v1/channels/x/schemas", json={"schema": newer, "force": True})
    assert (done.status_code, done.json["version"]) == (201, 2)
