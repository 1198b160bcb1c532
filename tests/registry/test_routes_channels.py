"""SpeedData 0.6's API table, row by row, and what was added to it."""

import json
from typing import Any

import pytest

API = "/api/v1"
SCHEMA = {
    "namespace": "speeddata.example",
    "type": "record",
    "name": "data",
    "fields": [
        {"name": "time", "type": "long", "logicalType": "timestamp-nanos"},
        {"name": "value", "type": "double"},
    ],
}
REQUIRED = {"error": "Missing required fields", "required": ["name", "port", "schema"]}
PATH = "config/agents/example.avsc"


def body(**changes: Any) -> dict[str, Any]:
    """A registration that succeeds, but for the changes; None takes a field away."""
    full = {"name": "x", "port": 26070, "schema": PATH} | changes
    return {key: value for key, value in full.items() if value is not None}


@pytest.fixture
def taken(client: Any) -> Any:
    """A client of a registry that has channel `taken` on port 26050."""
    answer = client.post(f"{API}/channels", json=body(name="taken", port=26050))
    assert answer.status_code == 201, answer.json
    return client


def test_registering_answers_as_ever(client: Any) -> None:
    answer = client.post(f"{API}/channels", json=body())
    assert answer.status_code == 201
    assert answer.json == {
        "status": "success",
        "name": "x",
        "port": 26070,
        "pid": 27070,
        "message": "Channel 'x' registered and relay started",
    }


ROWS = [
    ("no body", None, None, 400, {"error": "Request body required"}),
    ("empty object", "{}", None, 400, {"error": "Request body required"}),
    ("null", "null", None, 400, {"error": "Request body required"}),
    ("empty text with another type", "", "text/plain", 400, {"error": "Request body required"}),
    ("malformed", "{", None, 400, {"error": "Request body is not valid JSON"}),
    ("NaN", '{"port": NaN}', None, 400, {"error": "Request body is not valid JSON"}),
    ("not UTF-8", b'{"name": "\xff"}', None, 400, {"error": "Request body is not valid JSON"}),
    ("deep", "[" * 100000, None, 400, {"error": "Request body is not valid JSON"}),
    ("a list", "[1]", None, 400, {"error": "Request body must be a JSON object"}),
    ("wrong content type", "{}", "text/plain", 415, {"error": "Content-Type must be application/json"}),
    (
        "a form",
        "name=x",
        "application/x-www-form-urlencoded",
        415,
        {"error": "Content-Type must be application/json"},
    ),
    ("name missing", body(name=None), None, 400, REQUIRED),
    ("schema missing", body(schema=None), None, 400, REQUIRED),
    ("name empty", body(name=""), None, 400, REQUIRED),
    ("schema empty", body(schema={}), None, 400, REQUIRED),
    (
        "port text",
        body(port="many"),
        None,
        400,
        {"error": "Port must be an integer", "field": "port", "value": "many"},
    ),
    ("port fraction", body(port=1.5), None, 400, {"error": "Port must be an integer"}),
    ("port true", body(port=True), None, 400, {"error": "Port must be an integer"}),
    ("port list", body(port=[1]), None, 400, {"error": "Port must be an integer"}),
    (
        "port 65536",
        body(port=65536),
        None,
        400,
        {"error": "Port out of range", "field": "port", "value": 65536},
    ),
    ("port negative", body(port=-1), None, 400, {"error": "Port out of range"}),
    (
        "port taken",
        body(port=26050),
        None,
        409,
        {"error": "Port already in use", "port": 26050, "used_by": "taken"},
    ),
    ("port of multicast", body(port=10000), None, 409, {"used_by": "multicast of taken (full_rate)"}),
    ("port of a service", body(port=8080), None, 409, {"used_by": "registration API"}),
    ("no such file", body(schema="x.avsc"), None, 400, {"error": "Schema file not found", "path": "x.avsc"}),
    ("a folder", body(schema="agents"), None, 400, {"error": "Schema file not found"}),
    ("outside", body(schema="../outside.avsc"), None, 400, {"error": "Schema file not found"}),
    ("outside, absolute", body(schema="/etc/hostname"), None, 400, {"error": "Schema file not found"}),
    ("outside by a link", body(schema="agents/link.avsc"), None, 400, {"error": "Schema file not found"}),
    ("a NUL", body(schema="agents/\0"), None, 400, {"error": "Schema file not found"}),
    ("long path", body(schema="x" * 5000), None, 400, {"error": "Schema file not found"}),
    (
        "not JSON",
        body(schema="agents/broken.avsc"),
        None,
        400,
        {"error": "Invalid schema file (not valid JSON)", "path": "agents/broken.avsc"},
    ),
    ("no time", body(schema="agents/timeless.avsc"), None, 400, {"error": "Invalid schema"}),
    ("no time, inline", body(schema=SCHEMA | {"fields": []}), None, 400, {"error": "Invalid schema"}),
    ("not a schema", body(schema={"a": 1}), None, 400, {"error": "Invalid schema"}),
    ("schema a list", body(schema=["x"]), None, 400, {"error": "Invalid schema", "field": "schema"}),
    (
        "name taken",
        body(name="taken"),
        None,
        409,
        {"error": "Channel name already registered", "name": "taken"},
    ),
    (
        "name not text",
        body(name=5),
        None,
        400,
        {"error": "Invalid channel name", "field": "name", "value": 5},
    ),
    ("config not an object", body(config=[1]), None, 400, {"error": "Invalid config", "field": "config"}),
    ("config key", body(config={"port": 1}), None, 400, {"error": "Invalid config", "field": "config.port"}),
    (
        "setting beside config",
        body(durability="block"),
        None,
        400,
        {
            "error": "Unknown field",
            "field": "durability",
            "wanted": 'in config: {"config": {"durability": ...}}',
        },
    ),
    ("misspelt", body(confg={}), None, 400, {"error": "Unknown field", "field": "confg", "wanted": "config"}),
    ("one missing", {"name": "a", "port": 26000}, None, 400, {"missing": ["schema"]}),
    (
        "config core",
        body(config={"cpus": [0, 1023]}),
        None,
        400,
        {"error": "Invalid config", "field": "config.cpus", "value": "[0, 1023]"},
    ),
    ("config name", body(config={"name": "evil"}), None, 400, {"field": "config.name"}),
    ("config value", body(config={"decimation": "x"}), None, 400, {"field": "config.decimation"}),
    (
        "config algorithm",
        body(config={"decimation": {"algorithm": "fft"}}),
        None,
        400,
        {"field": "config.decimation.algorithm"},
    ),
    (
        "config factor",
        body(config={"decimation": -1}),
        None,
        400,
        {"field": "config.decimation.factor", "value": -1},
    ),
    (
        "config rule",
        body(config={"rotation": {"threshold": 5}}),
        None,
        400,
        {"field": "config.rotation.mode"},
    ),
    (
        "config downsample without factor",
        body(config={"decimation": {"algorithm": "downsample"}}),
        None,
        400,
        {"error": "Invalid config", "field": "config.decimation.factor", "value": None},
    ),
]


@pytest.mark.parametrize(
    ("sent", "kind", "status", "told"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS]
)
def test_what_cannot_be_registered_is_answered_with_why(
    taken: Any, launcher: Any, sent: Any, kind: str | None, status: int, told: dict[str, Any]
) -> None:
    data = json.dumps(sent) if isinstance(sent, dict) else sent
    answer = taken.post(f"{API}/channels", data=data, content_type=kind or "application/json")
    assert answer.status_code == status, answer.json
    assert answer.json | told == answer.json
    assert list(launcher.specs) == ["taken"]
    assert [channel["name"] for channel in taken.get(f"{API}/channels").json["channels"]] == ["taken"]


def test_what_is_wrong_is_told_in_the_order_of_0_6(taken: Any, launcher: Any) -> None:
    launcher.broken_ports = {26071}
    sent: dict[str, Any] = {}
    for change, error in (
        ({}, "Request body required"),
        ({"name": "taken"}, "Missing required fields"),
        ({"schema": "nosuch.avsc", "port": "many"}, "Port must be an integer"),
        ({"port": 26050}, "Port already in use"),
        ({"port": 26071}, "Schema file not found"),
        ({"schema": "agents/broken.avsc"}, "Invalid schema file (not valid JSON)"),
        ({"schema": PATH}, "Channel name already registered"),
        ({"name": "x"}, "Failed to start relay process"),
    ):
        sent |= change
        assert taken.post(f"{API}/channels", json=sent).json["error"] == error


def test_a_relay_that_cannot_start_leaves_nothing_behind(client: Any, launcher: Any) -> None:
    launcher.broken_ports = {26070}
    answer = client.post(f"{API}/channels", json=body())
    assert answer.status_code == 500
    assert answer.json == {
        "error": "Failed to start relay process",
        "field": "port",
        "name": "x",
        "details": "port 26070 on 127.0.0.1 is in use (by process 7, other)",
    }
    assert client.get(f"{API}/channels/x").status_code == 404
    launcher.broken_ports = set()
    assert client.post(f"{API}/channels", json=body()).status_code == 201


@pytest.mark.parametrize("path", [PATH, "agents/example.avsc", "./agents/../agents/example.avsc"])
def test_schema_paths_are_looked_for_below_the_config_folder(client: Any, path: str) -> None:
    assert client.post(f"{API}/channels", json=body(schema=path)).status_code == 201
    assert client.get(f"{API}/channels/x").json["schema_path"] == path
    assert client.get(f"{API}/channels/x/schema").json == SCHEMA


def test_an_absolute_schema_path_inside_the_config_folder_is_allowed(client: Any, folder: Any) -> None:
    assert (
        client.post(f"{API}/channels", json=body(schema=str(folder / "agents/example.avsc"))).status_code
        == 201
    )


def test_a_channel_is_shown_with_all_fields(client: Any, registry: Any) -> None:
    client.post(f"{API}/channels", json=body(schema=SCHEMA, config={"decimation": 10}))
    channel = client.get(f"{API}/channels/x").json
    own = registry.specs.streams(registry.store.get("x")).to_json()
    assert channel.pop("since").endswith("Z")
    assert len(channel.pop("created_at")) == len("2025-01-23 14:00:00")
    assert channel.pop("archive").endswith("/archive/x")
    assert len(channel.pop("revision")) == 8
    assert channel == {
        "name": "x",
        "ttl": None,
        "expires_in_s": None,
        "port": 26070,
        "schema_path": None,
        "status": "active",
        "pid": 27070,
        "last_heartbeat": "2025-01-23 14:00:00",
        "config": {"decimation": 10},
        "state": "active",
        "reason": "",
        "restarts": 0,
        "stats": registry.launcher.stats("x")
        | {"since": "2025-01-23T13:46:40Z", "durable_until": None, "last_packet": "2025-01-23T14:00:00Z"},
        "sources": [registry.launcher.source | {"last": "2025-01-23T14:00:00Z"}],
        "ingested": None,
        "live": True,
        "multicast": own,
        "source": {"address": "127.0.0.1", "port": 40000},
        "time_unit": "us",
        "schema": registry.store.get("x").fingerprint,
        "schemas": 1,
        "framing": "plain",
        "signed": False,
        "decimation": {"enabled": True, "algorithm": "downsample", "factor": 10, "rate_hz": None},
    }
    assert own["full_rate"]["address"].startswith("239.255.")


def test_config_is_absent_when_none_was_given(client: Any) -> None:
    client.post(f"{API}/channels", json=body(config=None))
    client.post(f"{API}/channels", json=body(name="y", port=26071) | {"config": None})
    channels = client.get(f"{API}/channels").json["channels"]
    assert ["config" in channel for channel in channels] == [False, False]


def test_channels_are_listed_by_status(client: Any, launcher: Any) -> None:
    client.post(f"{API}/channels", json=body())
    client.post(f"{API}/channels", json=body(name="y", port=26071))
    launcher.stop("y")

    def names(query: str) -> list[str]:
        return [channel["name"] for channel in client.get(f"{API}/channels{query}").json["channels"]]

    assert names("") == ["x", "y"]
    assert names("?status=active") == ["x"]
    assert names("?status=registered") == ["y"]
    assert names("?status=nosuch") == []


def test_channels_are_shown_while_the_keeper_is_away(client: Any, launcher: Any) -> None:
    client.post(f"{API}/channels", json=body())
    launcher.away = True
    channel = client.get(f"{API}/channels/x").json
    assert (channel["status"], channel["state"], channel["pid"], channel["stats"]) == (
        "registered",
        "stopped",
        None,
        None,
    )


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", "/channels/nosuch"),
        ("delete", "/channels/nosuch"),
        ("get", "/channels/nosuch/schema"),
        ("post", "/channels/nosuch/validate-schema"),
        ("get", "/channels/%2e%2e%00"),
    ],
)
def test_an_unknown_channel_is_404(client: Any, method: str, path: str) -> None:
    answer = getattr(client, method)(f"{API}{path}", **({"json": {"schema": {}}} if method == "post" else {}))
    assert answer.status_code == 404
    assert answer.json["error"] == "Channel not found"
    assert "name" in answer.json


def test_deregistering_stops_the_relay(taken: Any, launcher: Any) -> None:
    answer = taken.delete(f"{API}/channels/taken")
    assert answer.status_code == 200
    assert answer.json == {
        "status": "success",
        "name": "taken",
        "message": "Channel 'taken' de-registered and relay stopped",
    }
    assert launcher.specs == {}
    assert taken.get(f"{API}/channels/taken").status_code == 404


def test_a_channel_whose_relay_is_gone_can_be_deregistered(taken: Any, launcher: Any) -> None:
    launcher.stop("taken")
    assert taken.delete(f"{API}/channels/taken").status_code == 200


def test_a_relay_that_cannot_be_stopped_keeps_its_channel(taken: Any, launcher: Any) -> None:
    launcher.away = True
    answer = taken.delete(f"{API}/channels/taken")
    assert answer.status_code == 500
    assert (answer.json["error"], answer.json["name"]) == ("Failed to stop relay process", "taken")
    launcher.away = False
    assert taken.delete(f"{API}/channels/taken").status_code == 200


def test_a_schema_is_validated_by_equality(taken: Any) -> None:
    url = f"{API}/channels/taken/validate-schema"
    answer = taken.post(url, json={"schema": SCHEMA})
    assert (answer.status_code, answer.json) == (
        200,
        {"valid": True, "message": "Schema matches registered schema"},
    )
    other = SCHEMA | {"name": "other"}
    answer = taken.post(url, json={"schema": other})
    assert answer.status_code == 409
    assert answer.json == {
        "valid": False,
        "message": "Schema does not match",
        "registered_schema": SCHEMA,
        "provided_schema": other,
    }


@pytest.mark.parametrize(
    ("sent", "error"), [({}, "Request body required"), ({"schema": {}}, "Missing required fields")]
)
def test_a_schema_to_validate_is_required(taken: Any, sent: Any, error: str) -> None:
    answer = taken.post(f"{API}/channels/taken/validate-schema", json=sent)
    assert (answer.status_code, answer.json["error"]) == (400, error)
