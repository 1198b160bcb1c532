from pathlib import Path
from typing import Any

import pytest

from speeddata.times import parse_time

API = "/api/v1"
START, END = "2026-01-01T00:00:00.000000001Z", "2026-01-01T01:00:00Z"
RUN = {"name": "run 7", "start": START, "end": END, "channels": ["x"], "note": "hot"}


@pytest.fixture(autouse=True)
def channel(client: Any) -> None:
    body = {"name": "x", "port": 26000, "schema": "agents/example.avsc"}
    assert client.post(f"{API}/channels", json=body).status_code == 201


def test_a_tag_is_added_shown_listed_and_deleted(client: Any) -> None:
    answer = client.post(f"{API}/tags", json=RUN)
    assert answer.status_code == 201
    tag = answer.json
    assert {key: tag[key] for key in RUN} == RUN
    assert (tag["id"], set(tag)) == (1, {*RUN, "id", "created_at"})
    assert client.get(f"{API}/tags/1").json == tag
    assert client.get(f"{API}/tags").json == {"tags": [tag]}
    answer = client.delete(f"{API}/tags/1")
    assert (answer.status_code, answer.json["status"], answer.json["id"]) == (200, "success", 1)
    assert client.get(f"{API}/tags").json == {"tags": []}
    assert client.delete(f"{API}/tags/1").status_code == 404


def test_a_tag_of_all_channels(client: Any) -> None:
    for number, channels in enumerate(({}, {"channels": None}), 1):
        tag = client.post(f"{API}/tags", json={"name": "n", "start": START, "end": START} | channels).json
        assert (tag["id"], tag["channels"], tag["note"]) == (number, None, "")


def test_tags_of_a_channel_and_of_a_name(client: Any) -> None:
    client.post(f"{API}/tags", json=RUN)
    client.post(f"{API}/tags", json={"name": "all", "start": START, "end": END})
    ids = {
        query: [tag["id"] for tag in client.get(f"{API}/tags?{query}").json["tags"]]
        for query in ("channel=x", "channel=y", "name=all", "name=run%207&channel=x", "name=nothing")
    }
    assert ids == {
        "channel=x": [1, 2],
        "channel=y": [2],
        "name=all": [2],
        "name=run%207&channel=x": [1],
        "name=nothing": [],
    }


def test_the_last_five_minutes(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time_ns", lambda: parse_time("2026-01-01T00:10:00.5Z"))
    tag = client.post(f"{API}/tags", json={"name": "trigger", "last": "PT5M"}).json
    assert (tag["start"], tag["end"]) == ("2026-01-01T00:05:00.500Z", "2026-01-01T00:10:00.500Z")


def test_a_channel_that_is_not_registered_any_more_but_has_its_archive(client: Any, tmp_path: Path) -> None:
    (tmp_path / "archive" / "former").mkdir(parents=True)
    assert client.post(f"{API}/tags", json=RUN | {"channels": ["former"]}).status_code == 201
    answer = client.post(f"{API}/tags", json=RUN | {"channels": ["x", "never"]})
    assert (answer.status_code, answer.json["error"], answer.json["name"]) == (
        404,
        "Channel not found",
        "never",
    )


@pytest.mark.parametrize(
    ("change", "error", "field"),
    [
        ({"name": ""}, "Missing required fields", "name"),
        ({"name": None}, "Missing required fields", "name"),
        ({"start": None}, "Missing required fields", "start"),
        ({"end": None}, "Missing required fields", "start"),
        ({"name": 5}, "Invalid name", "name"),
        ({"name": "x" * 201}, "Invalid name", "name"),
        ({"name": "\ud800"}, "Invalid name", "name"),
        ({"note": ["x"]}, "Invalid note", "note"),
        ({"start": "yesterday"}, "Invalid time", "start"),
        ({"end": 1700000000}, "Invalid time", "end"),
        ({"end": "2025-01-01T00:00:00Z"}, "Invalid range", "end"),
        ({"last": "PT5M"}, "Invalid range", "last"),
        ({"start": None, "end": None, "last": "5 minutes"}, "Invalid duration", "last"),
        ({"start": None, "end": None, "last": "PT0S"}, "Invalid duration", "last"),
        ({"start": None, "end": None, "last": 300}, "Invalid duration", "last"),
        ({"channels": "x"}, "Invalid channels", "channels"),
        ({"channels": []}, "Invalid channels", "channels"),
        ({"channels": ["../x"]}, "Invalid channel name", "channels"),
        ({"channels": [5]}, "Invalid channel name", "channels"),
        ({"stop": END}, "Unknown field", "stop"),
    ],
)
def test_what_is_wrong_is_named(client: Any, change: dict[str, Any], error: str, field: str | None) -> None:
    answer = client.post(f"{API}/tags", json=RUN | change)
    assert (answer.status_code, answer.json["error"], answer.json.get("field")) == (400, error, field)
    assert answer.json["required" if error.startswith("Missing") else "wanted"]
    assert client.get(f"{API}/tags").json == {"tags": []}


def test_a_tag_is_changed(client: Any) -> None:
    tag = client.post(f"{API}/tags", json=RUN).json
    other = client.post(f"{API}/tags", json=RUN | {"name": "other"}).json
    wanted = tag
    for change in (
        {"name": "run 8"},
        {"note": ""},
        {"end": "2026-01-01T02:00:00Z"},
        {"channels": None},
        {"start": "2025-12-31T23:00:00Z", "channels": ["x"], "note": "cold"},
    ):
        answer = client.patch(f"{API}/tags/1", json=change)
        wanted = wanted | change
        assert (answer.status_code, answer.json) == (200, wanted)
    assert client.get(f"{API}/tags").json == {"tags": [wanted, other]}


def test_a_tag_keeps_a_channel_that_is_no_more(client: Any, tmp_path: Path) -> None:
    folder = tmp_path / "archive" / "former"
    folder.mkdir(parents=True)
    client.post(f"{API}/tags", json=RUN | {"channels": ["former"]})
    folder.rmdir()
    assert client.patch(f"{API}/tags/1", json={"name": "n"}).status_code == 200
    answer = client.patch(f"{API}/tags/1", json={"channels": ["former", "never"]})
    assert (answer.status_code, answer.json["error"], answer.json["name"]) == (
        404,
        "Channel not found",
        "never",
    )


@pytest.mark.parametrize(
    ("change", "error", "field"),
    [
        ({"name": ""}, "Missing required fields", "name"),
        ({"start": None}, "Missing required fields", "start"),
        ({"end": "2025-01-01T00:00:00Z"}, "Invalid range", "end"),
        ({"last": "PT5M"}, "Invalid range", "last"),
        ({"note": 5}, "Invalid note", "note"),
        ({"id": 7}, "Unknown field", "id"),
    ],
)
def test_a_wrong_change_changes_nothing(client: Any, change: Any, error: str, field: str | None) -> None:
    tag = client.post(f"{API}/tags", json=RUN).json
    answer = client.patch(f"{API}/tags/1", json=change)
    assert (answer.status_code, answer.json["error"], answer.json.get("field")) == (400, error, field)
    assert client.get(f"{API}/tags/1").json == tag


@pytest.mark.parametrize("id", ["0", "99999999999999999999", "1" * 5000, "x", "-1", "1.5", "٣"])
def test_an_id_that_is_none(client: Any, id: str) -> None:
    for method, more in ((client.get, {}), (client.delete, {}), (client.patch, {"json": {"name": "n"}})):
        answer = method(f"{API}/tags/{id}", **more)
        assert (answer.status_code, answer.json["error"]) == (404, "Tag not found")


def test_a_database_that_is_locked_adds_nothing(client: Any, store: Any) -> None:
    store.close()
    assert client.post(f"{API}/tags", json=RUN).status_code == 503
    assert client.get(f"{API}/tags").json == {"tags": []}
