"""Requests made up from the history service's own OpenAPI document: none may be answered by 5xx, or as the document does not say."""

from collections import Counter
from typing import Any

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from line import wait_until
from system import System

SCHEMA: dict[str, Any] = {
    "type": "record",
    "name": "case",
    "fields": [
        {"name": "time", "type": {"type": "long", "logicalType": "timestamp-nanos"}},
        {"name": "speed", "type": "double"},
        {"name": "mode", "type": ["null", "string"]},
    ],
}
LIMIT_S = 30.0


def fill(system: System) -> None:
    """A channel with some records, that cases may hit upon."""
    status, answer = system.ask("POST", "/api/v1/channels", {"name": "a", "port": None, "schema": SCHEMA})
    assert status == 201, answer
    wait_until(lambda: answers(f"http://127.0.0.1:{system.pivot_port}/api/v1/health"), "the service", LIMIT_S)
    rows = [{"time": f"2026-01-01T00:00:{n:02d}Z", "speed": n / 4, "mode": None} for n in range(60)]
    answered = requests.post(
        f"http://127.0.0.1:{system.pivot_port}/api/v1/ingest",
        json={"channel": "a", "rows": rows},
        timeout=LIMIT_S,
    )
    assert answered.status_code == 200, answered.text


def answers(url: str) -> bool:
    """Whether somebody answers."""
    try:
        return requests.get(url, timeout=LIMIT_S).status_code == 200
    except requests.ConnectionError:
        return False


def run_cases(address: str, count: int) -> Counter[int]:
    """Send about `count` cases, as many to each call; how many were answered by which status."""
    seen: Counter[int] = Counter()
    schema = schemathesis.openapi.from_url(f"{address}/openapi.json", timeout=LIMIT_S)
    operations = [found.ok() for found in schema.get_all_operations()]
    each = -(-2 * count // len(operations))  # calls without parameters have but one case
    for operation in operations:
        told = {str(status) for status in operation.definition.raw["responses"]}
        _send(operation, each, address, told, seen)
    return seen


def _send(operation: Any, count: int, address: str, told: set[str], seen: Counter[int]) -> None:
    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def send(case: Any) -> None:
        request = case.as_transport_kwargs(base_url=address)
        with requests.request(**request, timeout=LIMIT_S, stream=True) as answer:
            status = answer.status_code
        seen[status] += 1
        assert status < 500, (request, status)
        assert str(status) in told, (request, status, sorted(told))

    send()
