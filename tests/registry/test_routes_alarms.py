"""/api/v1/alarms: what is listed, in which order, and who may read it."""

from typing import Any

import pytest
from engine import API, SCHEMA, Sent, acknowledge, alarms, names, register


@pytest.fixture(autouse=True)
def channel(client: Any) -> None:
    register(client, "engine.1", 26000)


@pytest.fixture
def sent(launcher: Any) -> Sent:
    return Sent(launcher)


def test_nothing_beyond_is_nothing_listed(client: Any, sent: Sent) -> None:
    sent(4.0)
    assert client.get(f"{API}/alarms").json == {"alarms": [], "unchecked": []}


def test_one_bad_sample_is_listed_until_it_is_acknowledged(client: Any, sent: Sent) -> None:
    for speed in (0.0, 12.5, 0.0):
        sent(speed)
    (one,) = alarms(client)
    stamp = "2023-11-14T22:13:21Z"
    occurrence = one.pop("occurrence")
    assert one == {
        "signal": "engine.1.speed",
        "channel": "engine.1",
        "via": "udp",
        "level": "alarm",
        "side": "high",
        "limit": 10,
        "limits": {"warn": [None, 5], "alarm": [-10, 10]},
        "unit": "rpm",
        "state": "returned",
        "now": "ok",
        "acknowledged": False,
        "since": stamp,
        "value": 12.5,
        "last_beyond": stamp,
        "worst": 12.5,
        "worst_at": stamp,
        "count": 1,
        "alarm_count": 1,
        "by": None,
        "note": None,
        "acknowledged_at": None,
    }
    assert acknowledge(client, {"signal": "engine.1.speed", "occurrence": occurrence})["instead"] == []
    assert alarms(client) == []
    (normal,) = alarms(client, "?state=normal&channel=engine.1")[:1]
    assert (normal["state"], normal["acknowledged"], normal["worst"]) == ("normal", True, 12.5)


def test_states_go_as_in_isa_18_2(client: Any, sent: Sent) -> None:
    def state() -> tuple[str, bool, str] | None:
        found = [one for one in alarms(client) if one["signal"] == "engine.1.speed"]
        return (found[0]["state"], found[0]["acknowledged"], found[0]["now"]) if found else None

    sent(6.0)
    assert state() == ("active", False, "warn")
    acknowledge(client, "engine.1.speed")
    assert state() == ("active", True, "warn")
    sent(11.0)
    assert state() == ("active", False, "alarm")
    sent(0.0)
    assert state() == ("returned", False, "ok")
    acknowledge(client, "engine.1.speed")
    assert state() is None
    sent(11.0)
    acknowledge(client, "engine.1.speed")
    sent(0.0)
    assert state() is None


def test_the_most_severe_come_first_then_what_is_not_acknowledged_then_the_newest(
    client: Any, launcher: Any, sent: Sent
) -> None:
    register(client, "b", 26001)
    other = Sent(launcher, "b")
    sent(6.0, -1)
    sent(6.0, -1, open=True)
    other(-11.0)
    other(6.0)
    acknowledge(client, "b.speed")
    other(6.0, -1)
    assert names(alarms(client)) == [
        ("engine.1.open", "high"),
        ("b.count", "low"),
        ("engine.1.speed", "high"),
        ("engine.1.count", "low"),
        ("b.speed", "high"),
    ]


def test_filters(client: Any, launcher: Any, sent: Sent) -> None:
    register(client, "b", 26001)
    sent(6.0, -1)
    sent(6.0, 0)
    Sent(launcher, "b")(-11.0)
    assert names(alarms(client, "?channel=b")) == [("b.speed", "low")]
    assert names(alarms(client, "?state=returned")) == [("engine.1.count", "low")]
    assert names(alarms(client, "?state=active&channel=engine.1")) == [("engine.1.speed", "high")]
    assert alarms(client, "?channel=nosuch") == []
    every = alarms(client, "?all=true&channel=engine.1")
    assert sorted(names(every)) == [
        ("engine.1.count", "low"),
        ("engine.1.open", "high"),
        ("engine.1.speed", "high"),
        ("engine.1.speed", "low"),
    ]
    assert set(every[0]) == set(every[-1])
    assert {one["state"] for one in alarms(client, "?state=normal")} == {"normal"}
    assert len(alarms(client, "?all=true")) == 8


@pytest.mark.parametrize(("query", "field"), [("state=acknowledged", "state"), ("all=1", "all")])
def test_a_wrong_query_is_named(client: Any, query: str, field: str) -> None:
    answer = client.get(f"{API}/alarms?{query}")
    assert (answer.status_code, answer.json["field"]) == (400, field)
    assert answer.json["wanted"]


def test_values_of_other_types(client: Any, sent: Sent) -> None:
    sent(float("-inf"), -(2**62), open=True)
    found = {one["signal"]: one for one in alarms(client)}
    assert found["engine.1.open"]["worst"] is True
    assert (found["engine.1.count"]["worst"], found["engine.1.count"]["limit"]) == (-(2**62), 0)
    assert (found["engine.1.speed"]["side"], found["engine.1.speed"]["worst"]) == ("low", None)


def test_what_came_by_http_is_listed_beside(client: Any, ingest: Any, sent: Sent) -> None:
    register(client, "h", None)
    for name in ("h", "engine.1", "stranger"):
        ingest.start(name, SCHEMA)
        Sent(ingest, name)(20.0)
    sent(30.0)
    found = [(one["signal"], one["via"], one["worst"]) for one in alarms(client)]
    assert sorted(found) == [
        ("engine.1.speed", "http", 20.0),
        ("engine.1.speed", "udp", 30.0),
        ("h.speed", "http", 20.0),
    ]
    acknowledge(client, "engine.1.speed", "h.speed")
    assert [one["acknowledged"] for one in alarms(client)] == [True] * 3
    assert ingest.alarms()["channels"]["h"][0]["seen"] == 1


def test_what_was_not_checked_is_said(client: Any, launcher: Any, ingest: Any, sent: Sent) -> None:
    register(client, "plain", 26001, "agents/example.avsc")
    launcher.skipped = 7
    ingest.deaf = True
    sent(20.0)
    answer = client.get(f"{API}/alarms").json
    assert len(answer["alarms"]) == 1
    late, deaf = answer["unchecked"]
    assert (late["channel"], late["via"], late["blocks"]) == ("engine.1", "udp", 7)
    assert (deaf["channel"], deaf["via"]) == (None, "http")
    assert "does not answer" in deaf["reason"]
    assert client.get(f"{API}/alarms?channel=plain").json == {"alarms": [], "unchecked": [deaf]}
    launcher.old, ingest.deaf = True, False
    ingest.unchecked = {"plain": "it is not sent live: no socket", "stranger": "the same"}
    answer = client.get(f"{API}/alarms").json
    assert answer["alarms"] == []
    assert [(one["channel"], one["via"]) for one in answer["unchecked"]] == [
        ("engine.1", "udp"),
        ("plain", "http"),
    ]
    assert "version" in answer["unchecked"][0]["reason"]


def test_without_a_keeper_there_is_no_list(client: Any, launcher: Any) -> None:
    launcher.away = True
    for answer in (client.get(f"{API}/alarms"), client.post(f"{API}/alarms/acknowledge", json={})):
        assert (answer.status_code, answer.json["error"]) == (503, "Alarms are not known")
        assert "no keeper" in answer.json["details"]


@pytest.mark.parametrize(
    ("host", "origin", "allowed"),
    [
        ("localhost", "null", True),
        ("localhost", "http://127.0.0.1:5500", True),
        ("127.0.0.1", "http://localhost", True),
        ("localhost", "https://example.org", False),
        ("localhost", "http://localhost.example.org", False),
        ("192.168.1.10", "http://192.168.1.10:3000", True),
        ("192.168.1.10", "http://192.168.1.11", False),
        ("192.168.1.10", "null", False),
        ("192.168.1.10", "http://[", False),
        ("localhost", None, False),
    ],
)
def test_pages_that_may_read_the_live_data_may_read_the_list(
    client: Any, host: str, origin: str | None, allowed: bool
) -> None:
    headers = {"Host": f"{host}:8080"} | ({"Origin": origin} if origin else {})
    answer = client.get(f"{API}/alarms", headers=headers)
    assert answer.headers.get("Access-Control-Allow-Origin") == (origin if allowed else None)
    assert answer.headers["Vary"] == "Origin"
    answer = client.post(f"{API}/alarms/acknowledge", json={}, headers=headers)
    assert "Access-Control-Allow-Origin" not in answer.headers
