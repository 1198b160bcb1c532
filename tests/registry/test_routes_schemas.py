import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from speeddata.errors import RelayError
from speeddata.registry.store import StoreError
from speeddata.schema import Schema

API = "/api/v1"
SCHEMAS = f"{API}/channels/x/schemas"
SCHEMA = {
    "type": "record",
    "name": "data",
    "fields": [{"name": "time", "type": "long", "logicalType": "timestamp-nanos"}],
}


def version(number: int, **more: Any) -> dict[str, Any]:
    return {
        **SCHEMA,
        "fields": [*SCHEMA["fields"], {"name": f"v{number}", "type": "int", "default": 0}],
        **more,
    }


def fingerprint(schema: dict[str, Any]) -> str:
    return Schema.parse(schema).fingerprint.hex()


@pytest.fixture(autouse=True)
def channels(client: Any) -> None:
    for name, port, config in (("x", 26000, {"framing": "single_object"}), ("plain", 26001, {})):
        body = {"name": name, "port": port, "schema": SCHEMA, "config": config}
        assert client.post(f"{API}/channels", json=body).status_code == 201


def test_a_version_is_added_and_the_relay_goes_over_to_it(client: Any, launcher: Any) -> None:
    before = client.get(f"{API}/channels/x").json
    assert before["schemas"] == 1
    answer = client.post(SCHEMAS, json={"schema": version(2)})
    assert answer.status_code == 201
    told = answer.json
    assert (told["status"], told["name"], told["version"], told["pid"]) == ("success", "x", 2, 27000)
    assert told["fingerprint"] == fingerprint(version(2))
    assert (launcher.specs["x"]["schema"], launcher.specs["x"]["versions"]) == (version(2), [SCHEMA])
    after = client.get(f"{API}/channels/x").json
    assert (after["schema"], after["schemas"]) == (told["fingerprint"], 2)
    assert {key for key in before if before[key] != after[key]} <= {
        "schema",
        "schemas",
        "since",
        "schema_path",
        "revision",
    }
    (shown,) = [one for one in client.get(f"{API}/channels").json["channels"] if one["name"] == "x"]
    assert shown["schemas"] == 2
    assert client.get(f"{API}/channels/x/schema").json == version(2)


def test_versions_are_listed_oldest_first(client: Any) -> None:
    wanted = [SCHEMA, *(version(number, doc="ü") for number in range(2, 6))]
    for schema in wanted[1:]:
        assert client.post(SCHEMAS, json={"schema": schema}).status_code == 201
    answer = client.get(SCHEMAS)
    assert answer.status_code == 200
    listed = answer.json["schemas"]
    assert [one["schema"] for one in listed] == wanted
    assert [one["version"] for one in listed] == [1, 2, 3, 4, 5]
    assert [one["fingerprint"] for one in listed] == [fingerprint(schema) for schema in wanted]
    assert all(one["created_at"] and one["time_unit"] == "ns" for one in listed)
    assert [one["schema"] for one in client.get(f"{API}/channels/plain/schemas").json["schemas"]] == [SCHEMA]


def test_a_version_from_a_file(client: Any, folder: Any) -> None:
    (folder / "agents" / "second.avsc").write_text(json.dumps(version(2)))
    assert client.post(SCHEMAS, json={"schema": "agents/second.avsc"}).json["version"] == 2
    assert client.get(f"{API}/channels/x").json["schema_path"] == "agents/second.avsc"


def test_a_restart_starts_the_relay_with_all_versions(client: Any, registry: Any, launcher: Any) -> None:
    for number in (2, 3):
        client.post(SCHEMAS, json={"schema": version(number)})
    told = launcher.specs.pop("x")
    registry.start("x")
    assert launcher.specs["x"] == told
    assert told["versions"] == [SCHEMA, version(2)]


def test_de_registration_forgets_them(client: Any, launcher: Any) -> None:
    client.post(SCHEMAS, json={"schema": version(2)})
    assert client.delete(f"{API}/channels/x").status_code == 200
    assert client.get(SCHEMAS).status_code == 404
    body = {"name": "x", "port": 26000, "schema": version(2), "config": {"framing": "single_object"}}
    assert client.post(f"{API}/channels", json=body).status_code == 201
    assert [one["version"] for one in client.get(SCHEMAS).json["schemas"]] == [1]
    assert launcher.specs["x"]["versions"] == []


def test_a_registered_fingerprint_is_named(client: Any) -> None:
    client.post(SCHEMAS, json={"schema": version(2)})
    for number, schema in ((1, SCHEMA | {"doc": "another"}), (2, version(2))):
        answer = client.post(SCHEMAS, json={"schema": schema})
        assert (answer.status_code, answer.json["error"]) == (409, "Schema already registered")
        assert (answer.json["fingerprint"], answer.json["version"]) == (fingerprint(schema), number)


def test_sixteen_versions_and_no_more(client: Any, launcher: Any) -> None:
    for number in range(2, 17):
        assert client.post(SCHEMAS, json={"schema": version(number)}).json["version"] == number
    answer = client.post(SCHEMAS, json={"schema": version(17)})
    assert (answer.status_code, answer.json["error"]) == (409, "Too many versions of the schema")
    assert (answer.json["versions"], answer.json["wanted"]) == (16, "at most 16")
    assert len(launcher.specs["x"]["versions"]) == 15


def test_signals_with_limits_are_counted_over_all_versions(client: Any, launcher: Any) -> None:
    def limited(*names: str) -> dict[str, Any]:
        about = {"type": "int", "default": 0, "speeddata": {"limits": {"alarm": [0, 1]}}}
        return {**SCHEMA, "fields": [*SCHEMA["fields"], *({"name": name} | about for name in names)]}

    many = [f"a{n}" for n in range(256)]
    assert client.post(SCHEMAS, json={"schema": limited(*many)}).status_code == 201
    assert client.post(SCHEMAS, json={"schema": limited(*many[1:])}).status_code == 201
    before = dict(launcher.specs)
    answer = client.post(SCHEMAS, json={"schema": limited("b")})
    assert (answer.status_code, answer.json["error"]) == (409, "Too many signals with limits")
    assert (answer.json["signals"], "256" in answer.json["wanted"]) == (257, True)
    assert launcher.specs == before


def test_a_plain_channel_has_no_versions(client: Any, launcher: Any) -> None:
    answer = client.post(f"{API}/channels/plain/schemas", json={"schema": version(2)})
    assert answer.status_code == 400
    assert (answer.json["field"], answer.json["value"]) == ("framing", "plain")
    assert "single_object" in answer.json["wanted"]
    assert launcher.specs["plain"]["schema"] == SCHEMA


@pytest.mark.parametrize(
    ("body", "error", "about"),
    [
        ({"schema": None, "x": None}, "Unknown field", ("field", "x")),
        ({"schema": SCHEMA, "version": 2}, "Unknown field", ("field", "version")),
        ({"schema": ""}, "Missing required fields", ("required", ["schema"])),
        ({"schema": 5}, "Invalid schema", ("value", 5)),
        ({"schema": [SCHEMA]}, "Invalid schema", ("wanted", "a path on the server or a JSON object")),
        ({"schema": {"type": "string"}}, "Invalid schema", ("field", "schema")),
        ({"schema": "agents/nosuch.avsc"}, "Schema file not found", ("path", "agents/nosuch.avsc")),
        ({"schema": "agents/broken.avsc"}, "Invalid schema file (not valid JSON)", ("path", "agents/broken.avsc")),
        ({"schema": "agents/timeless.avsc"}, "Invalid schema", ("path", "agents/timeless.avsc")),
        ({"schema": "../outside.avsc"}, "Schema file not found", ("path", "../outside.avsc")),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(client: Any, body: Any, error: str, about: tuple[str, Any]) -> None:
    answer = client.post(SCHEMAS, json=body)
    assert (answer.status_code, answer.json["error"]) == (400, error)
    assert answer.json[about[0]] == about[1]
    assert client.get(f"{API}/channels/x").json["schemas"] == 1


def test_an_unknown_channel(client: Any) -> None:
    for answer in (
        client.get(f"{API}/channels/nosuch/schemas"),
        client.post(f"{API}/channels/nosuch/schemas", json={"schema": SCHEMA}),
    ):
        assert (answer.status_code, answer.json["error"], answer.json["name"]) == (
            404,
            "Channel not found",
            "nosuch",
        )


def test_a_relay_that_cannot_go_over_is_left_alone_and_nothing_registered(
    client: Any, launcher: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(name: str, spec: dict[str, Any]) -> int:
        launcher.specs[name] = spec  # a keeper has the next relays go by it
        raise RelayError("the next relay ended: exit status 3")

    with monkeypatch.context() as patched:
        patched.setattr(launcher, "replace", refuse)
        patched.setattr(launcher, "stop", lambda _: pytest.fail("stopped"))
        answer = client.post(SCHEMAS, json={"schema": version(2)})
        assert (answer.status_code, answer.json["error"]) == (500, "Failed to replace relay process")
        assert (answer.json["name"], answer.json["details"]) == ("x", "the next relay ended: exit status 3")
        shown = client.get(f"{API}/channels/x").json
        assert (shown["schema"], shown["schemas"]) == (fingerprint(SCHEMA), 1)
        assert client.post(SCHEMAS, json={"schema": version(2)}).status_code == 201, "it knows it"
    assert client.get(f"{API}/channels/x").json["schemas"] == 2


def test_without_a_keeper_nothing_is_registered(client: Any, launcher: Any) -> None:
    launcher.away = True
    answer = client.post(SCHEMAS, json={"schema": version(2)})
    assert (answer.status_code, "no keeper" in answer.json["details"]) == (500, True)
    launcher.away = False
    shown = client.get(f"{API}/channels/x").json
    assert (shown["schema"], shown["schemas"], launcher.specs["x"]["schema"]) == (
        fingerprint(SCHEMA),
        1,
        SCHEMA,
    )


def test_a_database_that_fails_at_the_end_registers_nothing_and_stops_nothing(
    client: Any, registry: Any, launcher: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def full(*_: Any) -> Iterator[None]:
        yield
        raise StoreError("database or disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(registry.schemas, "adding", full)
        patched.setattr(launcher, "stop", lambda _: pytest.fail("stopped"))
        assert client.post(SCHEMAS, json={"schema": version(2)}).status_code == 503
        assert client.get(f"{API}/channels/x").json["schemas"] == 1
    assert launcher.specs["x"]["schema"] == version(2)
    assert client.post(SCHEMAS, json={"schema": version(3)}).status_code == 201
    assert (launcher.specs["x"]["schema"], launcher.specs["x"]["versions"]) == (version(3), [SCHEMA])


def test_a_channel_that_does_not_run_is_started_with_it(client: Any, registry: Any, launcher: Any) -> None:
    launcher.stop("x")
    answer = client.post(SCHEMAS, json={"schema": version(2)})
    assert (answer.status_code, answer.json["pid"]) == (201, None)
    assert "x" not in launcher.specs
    registry.start("x")
    assert launcher.specs["x"]["versions"] == [SCHEMA]
