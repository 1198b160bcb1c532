"""Who may ask for metrics, in which format; what is waited for, and who is told by name."""

from pathlib import Path
from typing import Any

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families

from speeddata.access import Access
from speeddata.registry.app import create_app
from speeddata.registry.exposition import OPENMETRICS, PLAIN
from speeddata.registry.store import StoreError
from speeddata.relay.readiness import waited_for
from speeddata.tokens import TokenFile

API = "/api/v1"
ACTIVE = {"state": "active"}
STATUS: dict[str, Any] = {
    "version": "1", "started": "2026-01-01T00:00:00Z", "services": [], "registry": {"trouble": None}, "archive": {"trouble": None}, "keeper": {"restarts": 0},
    "channels": {"states": {}}, "left_out": {"log_lines": {}, "events": 0},
}  # fmt: skip


@pytest.fixture(autouse=True)
def told(system: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(system, "status", lambda: STATUS)


@pytest.fixture
def waiting(registry: Any, system: Any, monkeypatch: Any) -> dict[str, Any]:
    """What the system waits for, by what can be changed."""
    given: dict[str, Any] = {"up": True, "services": [], "keeper": ACTIVE}
    monkeypatch.setattr(system, "waits_for", lambda: waited_for(registry, **given))
    return given


def register(client: Any, name: str, port: int, **more: Any) -> None:
    body = {"name": name, "port": port, "schema": "agents/example.avsc", **more}
    assert client.post(f"{API}/channels", json=body).status_code == 201


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_metrics_come_as_text_or_as_openmetrics(client: Any) -> None:
    register(client, "x", 26070)
    plain = client.get("/metrics")
    assert (plain.status_code, plain.headers["Content-Type"]) == (200, PLAIN)
    assert plain.headers["Vary"] == "Accept"
    answer = client.get("/metrics", headers={"Accept": "application/openmetrics-text;version=1.0.0"})
    assert answer.headers["Content-Type"] == OPENMETRICS
    found = {family.name for family in read_openmetrics(answer.text)}
    assert "speeddata_channel_packets" in found


def test_metrics_take_a_token_where_one_is_required(registry: Any, system: Any, tmp_path: Path) -> None:
    tokens = TokenFile(tmp_path / "tokens.json")
    reader = tokens.add("prometheus", "read")
    client = create_app(registry, system, access=Access(tokens.path)).test_client()
    assert client.get("/metrics").status_code == 401
    assert client.get("/metrics", headers=bearer(reader)).status_code == 200


def test_everything_runs(client: Any, waiting: Any) -> None:
    assert waiting
    register(client, "x", 26070)
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json) == (200, {"status": "ready"})


def test_what_is_missing_is_named(client: Any, waiting: Any, launcher: Any) -> None:
    register(client, "x", 26070)
    launcher.stop("x")
    waiting |= {"up": False, "services": ["pivot", "ingest"]}
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json == {
        "status": "not ready",
        "waiting_for": [
            {"kind": "orchestrator", "count": 1, "names": ["orchestrator"]},
            {"kind": "service", "count": 2, "names": ["pivot", "ingest"]},
            {"kind": "channel", "count": 1, "names": ["x"]},
        ],
    }


def test_channels_are_named_to_who_may_read(
    registry: Any, system: Any, client: Any, waiting: Any, launcher: Any, tmp_path: Path
) -> None:
    register(client, "secret", 26070)
    launcher.stop("secret")
    waiting["services"] = ["pivot"]
    tokens = TokenFile(tmp_path / "tokens.json")
    reader = tokens.add("probe", "read")
    guarded = create_app(registry, system, access=Access(tokens.path)).test_client()
    told = guarded.get("/readyz")
    assert told.status_code == 503
    assert told.json["waiting_for"] == [
        {"kind": "service", "count": 1, "names": ["pivot"]}, {"kind": "channel", "count": 1},
    ]  # fmt: skip
    assert "secret" not in told.text
    assert guarded.get("/readyz", headers=bearer(reader)).json["waiting_for"][1]["names"] == ["secret"]


@pytest.mark.parametrize(
    ("state", "status"), [("degraded", 200), ("starting", 503), ("backoff", 503), ("failed", 503)]
)
def test_a_relay_that_cannot_archive_is_there(
    client: Any, waiting: Any, launcher: Any, monkeypatch: Any, state: str, status: int
) -> None:
    assert waiting
    register(client, "x", 26070)
    listed = launcher.list
    monkeypatch.setattr(launcher, "list", lambda *a, **k: [one | {"state": state} for one in listed(*a, **k)])
    assert client.get("/readyz").status_code == status


def test_a_channel_whose_lease_has_run_out_is_not_waited_for(
    client: Any, waiting: Any, registry: Any
) -> None:
    assert waiting
    register(client, "x", 26070, ttl=5)
    clock = registry.leases.clock
    registry.leases.clock = lambda: clock() + 10
    assert registry.expire([]) == ["x"]
    assert client.get("/readyz").status_code == 200


@pytest.mark.parametrize("keeper", [ACTIVE, {"state": "backoff"}])
def test_while_the_keeper_is_away_nothing_is_said_of_channels(
    client: Any, waiting: Any, launcher: Any, keeper: Any
) -> None:
    register(client, "x", 26070)
    waiting["keeper"] = keeper
    launcher.away = True
    assert client.get("/readyz").json["waiting_for"] == [{"kind": "keeper", "count": 1, "names": ["keeper"]}]


def test_without_a_registry_that_is_told_and_what_is_known_without_it(
    client: Any, registry: Any, launcher: Any, monkeypatch: Any
) -> None:
    def broken(_self: Any) -> Any:
        raise StoreError("/data/registry.db: disk I/O error")

    monkeypatch.setattr(type(registry.store), "channels", broken)
    for away, up in ((False, 1), (True, 0)):
        launcher.away = away
        answer = client.get("/metrics")
        assert answer.status_code == 200
        told = {one.name: one.samples[0].value for one in text_string_to_metric_families(answer.text)}
        assert told == {
            "speeddata_build_info": 1,
            "speeddata_registry_degraded": 1,
            "speeddata_keeper_up": up,
        }


def test_a_registry_that_does_not_answer_is_waited_for(client: Any, system: Any, monkeypatch: Any) -> None:
    def broken() -> Any:
        raise StoreError("/data/registry.db: disk I/O error")

    monkeypatch.setattr(system, "waits_for", broken)
    answer = client.get("/readyz")
    assert (answer.status_code, "/data" in answer.text) == (503, False)
    assert answer.json["waiting_for"] == [{"kind": "registry", "count": 1, "names": ["registry"]}]
    assert client.get("/healthz").json == {"status": "ok"}
