"""Many channels registered at once, none of which has a port."""

import copy
from typing import Any

import pytest

API = "/api/v1"
SCHEMA: dict[str, Any] = {
    "type": "record",
    "name": "point",
    "fields": [
        {"name": "time", "type": "long", "logicalType": "timestamp-nanos"},
        {"name": "value", "type": "double"},
    ],
}
OTHER = {**SCHEMA, "fields": [*SCHEMA["fields"], {"name": "more", "type": "int"}]}


def channel(name: str, schema: Any = SCHEMA, **other: Any) -> dict[str, Any]:
    return {"name": name, "port": None, "schema": schema, **other}


def register(client: Any, *channels: Any) -> Any:
    return client.post(f"{API}/channels/batch", json={"channels": list(channels)})


def test_new_present_and_refused_ones_are_told(client: Any) -> None:
    first = register(client, channel("a"), channel("b"), channel("a"))
    assert (first.status_code, first.json) == (200, {"created": ["a", "b"], "present": [], "refused": []})
    answer = register(client, channel("b"), channel("c"), channel("a", OTHER), channel("..")).json
    assert (answer["created"], answer["present"]) == (["c"], ["b"])
    assert [(one["name"], one["error"]) for one in answer["refused"]] == [
        ("a", "Channel name already registered"),
        ("..", "Invalid channel name"),
    ]
    assert [one["name"] for one in client.get(f"{API}/channels").json["channels"]] == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("one", "error"),
    [
        (7, "Invalid channel"),
        ({"name": "x", "schema": SCHEMA}, "Invalid port"),
        (channel("x", port=26000), "Invalid port"),
        (channel("x", "none.avsc"), "Schema file not found"),
        (channel("x", {"type": "int"}), "Invalid schema"),
        (channel("x", config={"nonsense": 1}), "Invalid config"),
        ({"name": "x", "port": None}, "Missing required fields"),
    ],
)
def test_what_is_refused_keeps_no_other_from_being_registered(client: Any, one: Any, error: str) -> None:
    answer = register(client, one, channel("y")).json
    assert (answer["created"], [problem["error"] for problem in answer["refused"]]) == (["y"], [error])


@pytest.mark.parametrize("given", [None, [], {}, "x", [channel("x")] * 10_001])
def test_a_list_of_channels_is_wanted(client: Any, given: Any) -> None:
    answer = client.post(f"{API}/channels/batch", json={"channels": given, "a": 1})
    assert (answer.status_code, answer.json["field"]) == (400, "channels")


def test_the_specs_of_many_are_those_of_each(client: Any) -> None:
    register(client, channel("a"), channel("b", OTHER))
    told = client.post(f"{API}/channels/specs", json={"names": ["b", "nobody", "a"]}).json["specs"]
    assert told == [
        client.get(f"{API}/channels/b/spec").json,
        None,
        client.get(f"{API}/channels/a/spec").json,
    ]


@pytest.mark.parametrize("given", [None, [], {}, "x", [7], ["x"] * 10_001])
def test_a_list_of_names_is_wanted(client: Any, given: Any) -> None:
    answer = client.post(f"{API}/channels/specs", json={"names": given, "a": 1})
    assert (answer.status_code, answer.json["field"]) == (400, "names")


def test_they_are_not_live_unless_they_say_so(client: Any) -> None:
    register(client, channel("a"), channel("b", config={"live": True}))
    a, b = client.get(f"{API}/channels").json["channels"]
    assert (a["live"], a["multicast"], a["state"], a["status"]) == (False, None, "ingest", "active")
    assert b["live"]
    assert b["multicast"]["decimated"]["address"].startswith("239.255.")
    assert [one["name"] for one in client.get(f"{API}/channels?live=true").json["channels"]] == ["b"]


def test_a_schema_that_many_have_is_kept_for_each(client: Any) -> None:
    answer = register(client, *(channel(f"c{n}", copy.deepcopy(SCHEMA)) for n in range(2000)))
    assert len(answer.json["created"]) == 2000
    assert client.get(f"{API}/channels/c1999/schema").json == SCHEMA
