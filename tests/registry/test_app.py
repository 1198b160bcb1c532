import sqlite3
from typing import Any
from urllib.parse import quote

import pytest

from speeddata.registry.app import MAX_BODY

API = "/api/v1"


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "localhost:8080",
        "127.0.0.1:8080",
        "[::1]:8080",
        "[::1]",
        "192.0.2.7",
        "LOCALHOST.",
        "bench.example.org:8080",
        "x.localhost",
    ],
)
def test_hosts_that_are_this_machine_are_answered(client: Any, host: str) -> None:
    assert client.get(f"{API}/health", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8080", "localhost.evil.example", "[::1", "a b", "127.0.0.1.nip.io"]
)
def test_foreign_host_names_are_refused(client: Any, host: str) -> None:
    answer = client.get(f"{API}/health", headers={"Host": host})
    assert answer.status_code == 400
    assert "error" in answer.json


def test_unknown_paths_and_methods_are_answered_in_json(client: Any) -> None:
    answer = client.get(f"{API}/nosuch")
    assert (answer.status_code, answer.json["error"], answer.json["path"]) == (
        404,
        "Not Found",
        f"{API}/nosuch",
    )
    answer = client.put(f"{API}/channels")
    assert (answer.status_code, answer.json["error"]) == (405, "Method Not Allowed")
    assert "POST" in answer.headers["Allow"]


def test_fault_67_a_body_that_is_too_large_is_refused(client: Any) -> None:
    answer = client.post(f"{API}/channels", data=b" " * (MAX_BODY + 1), content_type="application/json")
    assert answer.status_code == 413
    assert answer.json["error"] == "Request Entity Too Large"


def test_a_database_that_is_locked_is_503(client: Any, registry: Any) -> None:
    registry.add_baseline([{"name": "x", "port": 26000, "schema": "agents/example.avsc"}])
    registry.store._writer.execute("PRAGMA busy_timeout = 50")
    other = sqlite3.connect(registry.store.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        answer = client.delete(f"{API}/channels/x")
    finally:
        other.close()
    assert (answer.status_code, answer.json["error"]) == (503, "Registry database is not available")
    assert "database is locked" in answer.json["details"]
    assert client.delete(f"{API}/channels/x").status_code == 200


def test_what_nobody_foresaw_is_500_without_a_trace(
    client: Any, registry: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise ZeroDivisionError("secret")

    monkeypatch.setattr(registry.store, "channels", fail)
    answer = client.get(f"{API}/channels")
    assert (answer.status_code, answer.json) == (
        500,
        {"error": "Internal error", "field": None, "details": "the log of the orchestrator tells more"},
    )


def test_pages_may_connect_to_our_services_alone(client: Any) -> None:
    policy = client.get(f"{API}/health", base_url="http://localhost:8080").headers["Content-Security-Policy"]
    assert "script-src 'self';" in policy
    assert "ws://localhost:8081 ws://127.0.0.1:8081" in policy
    assert "http://localhost:8000 http://127.0.0.1:8000" in policy
    assert "unsafe" not in policy


def test_a_host_header_cannot_write_the_policy(client: Any) -> None:
    answer = client.get("/", headers={"Host": "x; script-src *"})
    assert answer.status_code == 400
    assert "*" not in answer.headers["Content-Security-Policy"]


def test_sniffing_is_forbidden(client: Any) -> None:
    assert client.get("/healthz").headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "evil", ["x'; DROP TABLE channels; --", "' OR '1'='1", "name DESC; --", '"', "x\0y", "%"]
)
def test_fault_79_no_question_is_sql(client: Any, registry: Any, evil: str) -> None:
    """Each word that a request may bring, in addresses and bodies: refused or found to be nobody's, never run."""
    client.post(f"{API}/channels", json={"name": "x", "port": None, "schema": "agents/example.avsc"})

    def stored() -> list[Any]:
        with registry.store.reading() as reader:
            tables = reader.execute("SELECT sql FROM sqlite_master ORDER BY name").fetchall()
            return [*tables, *reader.execute("SELECT name FROM channels").fetchall()]

    before = stored()
    for path, names in {
        "channels": ("status", "state", "after", "limit"), "events": ("name", "kind", "before", "limit"),
        "tags": ("channel", "name"), "alarms": ("channel", "state"), "ports/available": ("start", "end"),
    }.items():  # fmt: skip
        for name in names:
            answer = client.get(f"{API}/{path}", query_string={name: evil})
            assert answer.status_code in (200, 400), (path, name)
            found = answer.json.get(path, []) if name in ("name", "channel") else []
            assert found == [], "nothing has such a name"
    for part in ("", "/stats", "/schema", "/schemas", "/spec"):
        assert client.get(f"{API}/channels/{quote(evil, safe='')}{part}").status_code == 404
    assert client.post(f"{API}/tags", json={"name": evil, "last": "PT1M", "note": evil}).status_code in (
        201,
        400,
    )
    assert client.post(f"{API}/alarms/acknowledge", json={"signals": [evil], "by": evil}).status_code in (
        400,
        404,
    )
    assert client.delete(f"{API}/channels/{quote(evil, safe='')}").status_code == 404
    assert stored() == before
