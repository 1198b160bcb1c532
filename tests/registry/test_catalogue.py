"""Lists of channels: parts of them, by state, and what is remembered."""

from typing import Any

import pytest

API = "/api/v1"
SCHEMA = "agents/example.avsc"


@pytest.fixture
def many(client: Any, launcher: Any) -> Any:
    """25 channels, of which one has a port and runs, one has a port and does not."""
    channels = [{"name": f"c{n:02}", "port": None, "schema": SCHEMA} for n in range(23)]
    assert len(client.post(f"{API}/channels/batch", json={"channels": channels}).json["created"]) == 23
    for name in ("x", "y"):
        client.post(f"{API}/channels", json={"name": name, "schema": SCHEMA})
    launcher.stop("y")
    return client


def names(client: Any, query: str) -> list[str]:
    return [channel["name"] for channel in client.get(f"{API}/channels{query}").json["channels"]]


def test_a_list_comes_in_parts(many: Any) -> None:
    every = names(many, "")
    assert len(every) == 25
    found: list[str] = []
    after = ""
    while True:
        page = many.get(f"{API}/channels?limit=10&after={after}").json
        assert page["total"] == 25
        found += [channel["name"] for channel in page["channels"]]
        if page["next"] is None:
            break
        assert len(page["channels"]) == 10
        after = page["next"]
    assert found == every == sorted(every)
    assert many.get(f"{API}/channels?limit=25").json["next"] is None
    assert names(many, "?after=zzz") == []
    assert names(many, "?after=c2&limit=1") == ["c20"]


def test_by_state(many: Any) -> None:
    assert names(many, "?state=active") == ["x"]
    assert names(many, "?state=stopped") == ["y"]
    assert names(many, "?state=ingest&limit=2&after=c05") == ["c06", "c07"]
    page = many.get(f"{API}/channels?state=ingest&limit=2").json
    assert (page["total"], page["next"]) == (23, "c01")


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=x", "limit=-1", "limit=10001", "limit=", "state=nosuch", "live=1"]
)
def test_what_cannot_be_asked_is_named(client: Any, query: str) -> None:
    answer = client.get(f"{API}/channels?{query}")
    field, _, value = query.partition("=")
    assert (answer.status_code, answer.json["field"], answer.json["value"]) == (400, field, value)


def test_what_is_remembered_is_as_it_was_last_written(many: Any) -> None:
    assert many.get(f"{API}/channels/x").json["decimation"]["algorithm"] == "minmax"
    assert many.patch(f"{API}/channels/x", json={"decimation": 7}).status_code == 200
    (told,) = [one for one in many.get(f"{API}/channels").json["channels"] if one["name"] == "x"]
    assert told["decimation"]["factor"] == 7
    many.delete(f"{API}/channels/c03")
    assert "c03" not in names(many, "")


def test_the_counters_of_a_channel(many: Any) -> None:
    told = many.get(f"{API}/channels/x/stats").json
    assert set(told) == {"name", "state", "reason", "since", "restarts", "stats", "ingested", "sources"}
    assert told["stats"]["packets"] == 3
    assert many.get(f"{API}/channels/c01/stats").json["stats"] is None
    assert many.get(f"{API}/channels/nosuch/stats").status_code == 404
