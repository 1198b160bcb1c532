from typing import Any

import speeddata

API = "/api/v1"


def test_health_tells_which_instance_it_is(client: Any) -> None:
    answer = client.get(f"{API}/health")
    assert answer.status_code == 200
    assert answer.json == {
        "service": "speeddata-registration-api",
        "status": "ok",
        "version": speeddata.__version__,
        "instance": "0123456789abcdef0123456789abcdef",
    }


def test_the_other_services_are_named(client: Any) -> None:
    assert client.get(f"{API}/services").json == {
        "websocket": {"host": "127.0.0.1", "port": 8081},
        "pivot": {"host": "127.0.0.1", "port": 8000},
    }


def test_a_service_on_all_addresses_is_where_the_client_found_us(client: Any, system: Any) -> None:
    system.host = "0.0.0.0"
    answer = client.get(f"{API}/services", base_url="http://192.0.2.7:8080").json
    assert answer["websocket"] == {"host": "192.0.2.7", "port": 8081}
    answer = client.get(f"{API}/services", base_url="http://[::1]:8080").json
    assert answer["pivot"]["host"] == "::1"


def test_a_service_that_is_not_known_is_null(client: Any, system: Any) -> None:
    system.services = lambda: {"websocket": None, "pivot": None}
    assert client.get(f"{API}/services").json == {"websocket": None, "pivot": None}
    assert client.get("/healthz").headers["Content-Security-Policy"].count("ws:") == 0


def test_the_status_is_the_systems(client: Any) -> None:
    assert client.get(f"{API}/status").json == {"version": "0", "services": []}


def test_processes_and_findings_are_the_systems(client: Any) -> None:
    assert client.get(f"{API}/system").json == {"processes": []}
    assert client.get(f"{API}/doctor").json == {"findings": []}


def test_healthz(client: Any) -> None:
    assert client.get("/healthz").json == {"status": "ok"}
