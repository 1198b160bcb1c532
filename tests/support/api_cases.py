"""Requests made up from the history service's own OpenAPI document: none may be answered by 5xx, or as the document does not say."""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from line import wait_until
from ports import free_port
from schemathesis.checks import response_schema_conformance
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


def run_cases(
    address: str,
    count: int,
    prepare: Callable[[], None] = lambda: None,
    known: Mapping[str, Any] | None = None,
) -> Counter[int]:
    """Send about `count` cases, as many to each call; how many were answered by which status.

    `prepare` is called before each call's turn. Half of the cases have values of parameters of the path that are `known` to be
    there; where such are given, answers are held against the document's schemas too.
    """
    seen: Counter[int] = Counter()
    schema = schemathesis.openapi.from_url(f"{address}/openapi.json", timeout=LIMIT_S)
    operations = [found.ok() for found in schema.get_all_operations()]
    each = -(-2 * count // len(operations))  # calls without parameters have but one case
    for operation in operations:
        prepare()
        _send(operation, each, address, seen, known)
    return seen


def _send(
    operation: Any, count: int, address: str, seen: Counter[int], known: Mapping[str, Any] | None
) -> None:
    told = {str(status) for status in operation.definition.raw["responses"]}

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
        if known is not None and seen.total() % 2:
            for name in case.path_parameters or {}:
                case.path_parameters[name] = known.get(name, case.path_parameters[name])
        request = case.as_transport_kwargs(base_url=address)
        with requests.request(**request, timeout=LIMIT_S, stream=True) as answer:
            status = answer.status_code
            seen[status] += 1
            # Who is asked whether all runs may say no, just after a channel has come.
            assert status < 500 or (status, operation.path) == (503, "/readyz"), (request, status)
            assert str(status) in told, (request, status, sorted(told))
            if known is not None and answer.headers.get("Content-Type", "").startswith("application/json"):
                case.validate_response(answer, checks=[response_schema_conformance])

    send()


def ask_registry(system: System, count: int) -> Counter[int]:
    """Made-up requests to the registration API, of which half name what is there."""
    port = free_port()

    def prepare() -> None:
        """A channel, with what it may have had changed, and a tag."""
        system.ask("DELETE", "/api/v1/channels/a")
        body = {
            "name": "a",
            "port": port,
            "schema": SCHEMA,
            "config": {"framing": "single_object"},
            "ttl": 3600,
        }
        status, answer = system.ask("POST", "/api/v1/channels", body)
        assert status == 201, answer
        tags = system.get("/tags")["tags"]
        known["id"] = (
            tags[0]["id"]
            if tags
            else system.ask("POST", "/api/v1/tags", {"name": "t", "last": "PT5M"})[1]["id"]
        )

    known: dict[str, Any] = {"name": "a", "port": port}
    return run_cases(f"http://127.0.0.1:{system.api_port}", count, prepare, known)
