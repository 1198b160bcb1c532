import socket
from typing import Any

import pytest

API = "/api/v1"
PATH = "agents/example.avsc"


@pytest.fixture
def taken(client: Any) -> Any:
    assert (
        client.post(f"{API}/channels", json={"name": "taken", "port": 26950, "schema": PATH}).status_code
        == 201
    )
    return client


def test_available_ports_are_those_that_no_channel_has(taken: Any) -> None:
    answer = taken.get(f"{API}/ports/available?start=26949&end=26952")
    assert answer.status_code == 200
    assert answer.json == {
        "range": {"start": 26949, "end": 26952},
        "available": [26949, 26951, 26952],
        "count": 3,
    }


def test_the_range_is_26000_to_27000_unless_given(client: Any) -> None:
    assert client.get(f"{API}/ports/available").json["range"] == {"start": 26000, "end": 27000}


def test_ports_of_multicast_and_services_are_not_available(taken: Any) -> None:
    assert 10000 not in taken.get(f"{API}/ports/available?start=9999&end=10002").json["available"]
    assert 8080 not in taken.get(f"{API}/ports/available?start=8079&end=8082").json["available"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("start=5&end=5", "start"),
        ("start=6&end=5", "start"),
        ("start=x&end=5", "start"),
        ("start=5&end=", "end"),
        ("start=0&end=5", "start"),
        ("start=5&end=65536", "end"),
        ("start=-5&end=5", "start"),
        ("start=1.5&end=5", "start"),
        ("start=" + "9" * 5000, "start"),
    ],
)
def test_a_range_that_is_none_is_refused(client: Any, query: str, field: str | None) -> None:
    answer = client.get(f"{API}/ports/available?{query}")
    assert answer.status_code == 400
    assert answer.json.get("field") == field


def test_the_status_of_a_port(taken: Any) -> None:
    assert taken.get(f"{API}/ports/26951/status").json == {"port": 26951, "available": True, "status": "free"}
    assert taken.get(f"{API}/ports/26950/status").json == {
        "port": 26950,
        "available": False,
        "status": "in_use",
        "channel": "taken",
    }


def test_a_port_that_another_program_has_is_in_use(client: Any) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        port = other.getsockname()[1]
        answer = client.get(f"{API}/ports/{port}/status").json
        assert answer == {"port": port, "available": False, "status": "in_use", "channel": None}


@pytest.mark.parametrize(("port", "status"), [("0", 400), ("65536", 400), ("x", 404), ("-1", 404)])
def test_a_port_that_is_none_is_refused(client: Any, port: str, status: int) -> None:
    answer = client.get(f"{API}/ports/{port}/status")
    assert answer.status_code == status
    assert "error" in answer.json
