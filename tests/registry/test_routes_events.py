"""What happened, told over HTTP."""

from typing import Any

import pytest

API = "/api/v1"
BODY = {"name": "x", "port": 26000, "schema": "agents/example.avsc", "config": {"framing": "single_object"}}


def told(client: Any, query: str = "") -> list[tuple[str, str]]:
    return [(one["name"], one["event"]) for one in client.get(f"{API}/events{query}").json["events"]]


def test_what_is_done_with_channels_is_told_newest_first(client: Any) -> None:
    client.post(f"{API}/channels", json=BODY)
    client.patch(f"{API}/channels/x", json={"decimation": 5, "ttl": 60})
    client.post(f"{API}/channels/x/restart")
    schema = client.get(f"{API}/channels/x/schema").json
    newer = {**schema, "fields": [*schema["fields"], {"name": "more", "type": "int", "default": 0}]}
    client.post(f"{API}/channels/x/schemas", json={"schema": newer})
    client.delete(f"{API}/channels/x")
    client.post(
        f"{API}/channels/batch",
        json={
            "channels": [{"name": f"b{n}", "port": None, "schema": "agents/example.avsc"} for n in range(7)]
        },
    )
    assert told(client) == [
        ("b0", "registered"), ("x", "deregistered"), ("x", "schema"), ("x", "restarted"), ("x", "changed"), ("x", "registered"),
    ]  # fmt: skip
    first, *_ = client.get(f"{API}/events?limit=1&name=b0").json["events"]
    assert first["reason"] == "7 channels without a port: b0, b1, b2, b3, b4 ..."
    assert (first["kind"], first["from"], first["to"]) == ("channel", None, None)
    assert first["time"].endswith("Z")


def test_by_pages(client: Any) -> None:
    client.post(f"{API}/channels", json=BODY)
    for n in range(5):
        client.patch(f"{API}/channels/x", json={"decimation": n + 2})
    page = client.get(f"{API}/events?limit=4").json
    assert len(page["events"]) == 4
    rest = client.get(f"{API}/events?limit=4&before={page['next']}").json
    assert len(rest["events"]) == 2
    assert rest["next"] is None
    assert told(client, "?kind=service") == []
    assert len(told(client, "?kind=channel&name=x")) == 6


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=1001", "limit=x", "before=0", "before=-1", "kind=nosuch"]
)
def test_what_cannot_be_asked_is_named(client: Any, query: str) -> None:
    answer = client.get(f"{API}/events?{query}")
    assert (answer.status_code, answer.json["field"]) == (400, query.partition("=")[0])


def test_a_refused_request_is_no_event(client: Any) -> None:
    client.post(f"{API}/channels", json=BODY | {"port": 99999})
    client.delete(f"{API}/channels/nosuch")
    assert told(client) == []
