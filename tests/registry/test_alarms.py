"""Acknowledging alarms: of what was seen, once, in one life of a channel, and by whom."""

import json
import logging
from pathlib import Path
from typing import Any

import pytest
from engine import API, SCHEMA, Sent, acknowledge, alarms, names, register

from speeddata.errors import RelayError
from speeddata.limits import ALARM_FILE


@pytest.fixture(autouse=True)
def channel(client: Any) -> None:
    register(client, "engine.1", 26000)


@pytest.fixture
def sent(launcher: Any) -> Sent:
    return Sent(launcher)


def test_what_rose_since_it_was_seen_is_not_acknowledged(client: Any, sent: Sent) -> None:
    sent(20.0)
    (seen,) = alarms(client)
    sent(0.0)
    sent(99.0)
    answer = acknowledge(client, seen, by="ann")
    assert answer["acknowledged"] == []
    (instead,) = answer["instead"]
    assert (instead["worst"], instead["acknowledged"]) == (99.0, False)
    assert alarms(client) == [instead]
    assert names(acknowledge(client, instead)["acknowledged"]) == [("engine.1.speed", "high")]
    assert alarms(client)[0]["acknowledged"]


def test_what_rises_after_it_was_acknowledged_begins_anew(client: Any, sent: Sent) -> None:
    sent(20.0)
    acknowledge(client, "engine.1.speed")
    sent(0.0)
    sent(7.0)
    (one,) = alarms(client)
    assert (one["acknowledged"], one["by"], one["level"], one["worst"], one["count"]) == (
        False,
        None,
        "warn",
        7.0,
        1,
    )


def test_acknowledging_again_changes_nothing(client: Any, sent: Sent) -> None:
    sent(20.0)
    (seen,) = alarms(client)
    (first,) = acknowledge(client, seen, by="ann", note="I look at it")["acknowledged"]
    assert (first["by"], first["note"], first["acknowledged"]) == ("ann", "I look at it", True)
    assert first["acknowledged_at"]
    assert acknowledge(client, seen, by="bob")["acknowledged"] == [first]
    assert alarms(client) == [first]


def test_what_is_not_meant_is_not_acknowledged(client: Any, sent: Sent) -> None:
    sent(20.0, -1, open=True)
    sent(-20.0, -1, open=True)
    given = alarms(client)
    answer = acknowledge(client, given[1])
    assert [one["occurrence"] for one in answer["acknowledged"]] == [given[1]["occurrence"]]
    left = [one["occurrence"] for one in alarms(client) if not one["acknowledged"]]
    assert sorted(left) == sorted(one["occurrence"] for one in given if one is not given[1])
    assert acknowledge(client) == {"acknowledged": [], "instead": []}


@pytest.mark.parametrize("body", [{}, {"signals": None}, {"by": "ann"}])
def test_without_signals_all_are_acknowledged(client: Any, sent: Sent, body: Any) -> None:
    sent(20.0, -1, open=True)
    answer = client.post(f"{API}/alarms/acknowledge", json=body)
    assert (answer.status_code, len(answer.json["acknowledged"])) == (200, 3)
    assert {one["acknowledged"] for one in alarms(client)} == {True}


def test_a_signal_that_is_normal_has_nothing_to_acknowledge(client: Any) -> None:
    assert acknowledge(client, "engine.1.speed") == {"acknowledged": [], "instead": []}


def test_acknowledgements_are_of_one_life_of_a_channel(client: Any, sent: Sent) -> None:
    sent(20.0)
    (seen,) = alarms(client)
    acknowledge(client, "engine.1.speed")
    assert client.delete(f"{API}/channels/engine.1").status_code == 200
    register(client, "engine.1", 26000)
    assert alarms(client) == []
    sent(20.0)
    (one,) = alarms(client)
    assert (one["acknowledged"], one["by"]) == (False, None)
    answer = acknowledge(client, seen)
    assert (answer["acknowledged"], answer["instead"]) == ([], [one])


def test_where_the_relay_has_lost_its_count_what_comes_next_is_not_acknowledged(
    client: Any, launcher: Any, sent: Sent
) -> None:
    sent(20.0)
    acknowledge(client, "engine.1.speed")
    launcher.limits.forget("engine.1")
    sent(20.0)
    assert not alarms(client)[0]["acknowledged"]


def test_limits_of_another_form_are_refused_at_registration(client: Any) -> None:
    wrong = json.loads(json.dumps(SCHEMA).replace('"warn": [null, 5]', '"max": 5'))
    answer = client.post(f"{API}/channels", json={"name": "w", "port": 26001, "schema": wrong})
    assert (answer.status_code, answer.json["error"]) == (400, "Invalid schema")
    assert answer.json["field"] == "schema: speed"
    assert "unknown key 'max'" in answer.json["details"]


def test_what_a_relay_has_kept_goes_with_its_channel(client: Any, tmp_path: Path) -> None:
    kept = tmp_path / "archive" / "engine.1" / ALARM_FILE
    kept.parent.mkdir(parents=True)
    kept.write_text("{}")
    assert client.delete(f"{API}/channels/engine.1").status_code == 200
    assert not kept.exists()


def test_other_limits_begin_anew(client: Any, sent: Sent) -> None:
    sent(20.0)
    assert client.delete(f"{API}/channels/engine.1").status_code == 200
    wider = json.loads(
        json.dumps(SCHEMA).replace("[-10, 10]", "[-10, 1000]").replace("[null, 5]", "[null, 900]")
    )
    register(client, "engine.1", 26000, wider)
    sent(20.0)
    assert alarms(client) == []
    sent(950.0)
    assert alarms(client)[0]["limits"] == {"warn": [None, 900], "alarm": [-10, 1000]}


def test_a_relay_that_could_not_be_told_is_told_when_somebody_looks(
    client: Any, ingest: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    register(client, "h", None)
    ingest.start("h", SCHEMA)
    source = Sent(ingest, "h")
    source(20.0)
    with monkeypatch.context() as patch:
        patch.setattr(ingest, "acknowledge", _refuse)
        acknowledge(client, "h.speed")
    assert ingest.alarms()["channels"]["h"][0]["seen"] == 0
    assert alarms(client)[0]["acknowledged"]
    source(0.0)
    source(7.0)
    assert alarms(client)[0]["worst"] == 7.0


def _refuse(*_: Any) -> None:
    raise RelayError("it does not answer")


@pytest.mark.parametrize(
    ("body", "error", "field"),
    [
        ({"signals": "engine.1.speed"}, "Invalid signals", "signals"),
        ({"signals": [5]}, "Invalid signal", "signals"),
        ({"signals": [{"occurrence": "x"}]}, "Invalid signal", "signals"),
        (
            {"signals": [{"signal": "engine.1.speed", "occurrence": "7"}]},
            "Invalid occurrence",
            "signals.occurrence",
        ),
        (
            {"signals": [{"signal": "engine.1.speed", "occurrence": 7}]},
            "Invalid occurrence",
            "signals.occurrence",
        ),
        ({"by": 5}, "Invalid by", "by"),
        ({"by": "x" * 201}, "Invalid by", "by"),
        ({"note": "\ud800"}, "Invalid note", "note"),
        ({"signal": "engine.1.speed"}, "Unknown field", "signal"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_acknowledged(
    client: Any, sent: Sent, body: Any, error: str, field: str
) -> None:
    sent(20.0)
    answer = client.post(f"{API}/alarms/acknowledge", json=body)
    assert (answer.status_code, answer.json["error"], answer.json["field"]) == (400, error, field)
    assert answer.json["wanted"]
    assert not alarms(client)[0]["acknowledged"]


def test_a_signal_without_limits_is_named_and_nothing_is_acknowledged(client: Any, sent: Sent) -> None:
    sent(20.0)
    wrong = ["engine.1.time", "engine.1", "nosuch.speed"]
    answer = client.post(f"{API}/alarms/acknowledge", json={"signals": ["engine.1.speed", *wrong]})
    assert (answer.status_code, answer.json["error"]) == (404, "Signal has no limits")
    assert (answer.json["field"], answer.json["signals"]) == ("signals", wrong)
    assert not alarms(client)[0]["acknowledged"]


def test_a_page_of_elsewhere_cannot_acknowledge_by_a_plain_request(client: Any, sent: Sent) -> None:
    sent(20.0)
    path = f"{API}/alarms/acknowledge"
    assert client.post(path).status_code == 400
    assert client.post(path, data="{}", content_type="text/plain").status_code == 415
    assert not alarms(client)[0]["acknowledged"]


def test_a_database_that_is_locked_acknowledges_nothing(
    client: Any, sent: Sent, store: Any, caplog: pytest.LogCaptureFixture
) -> None:
    sent(20.0)
    store._writer.close()
    with caplog.at_level(logging.CRITICAL):
        assert client.post(f"{API}/alarms/acknowledge", json={}).status_code == 503
    assert not alarms(client)[0]["acknowledged"]
