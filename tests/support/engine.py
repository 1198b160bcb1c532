"""A channel with limits over a registry in the test's own process: its records, the list of its alarms, acknowledging."""

from typing import Any

API = "/api/v1"
SECOND = 10**9
SCHEMA = {
    "type": "record",
    "name": "engine",
    "fields": [
        {"name": "time", "type": "long", "logicalType": "timestamp-nanos"},
        {
            "name": "speed",
            "type": "double",
            "speeddata": {"unit": "rpm", "limits": {"warn": [None, 5], "alarm": [-10, 10]}},
        },
        {"name": "count", "type": ["null", "long"], "speeddata": {"limits": {"warn": [0, None]}}},
        {"name": "open", "type": "boolean", "speeddata": {"limits": {"alarm": [None, 0]}}},
    ],
}


def register(client: Any, name: str, port: int | None, schema: Any = SCHEMA) -> None:
    body = {"name": name, "port": port, "schema": schema}
    assert client.post(f"{API}/channels", json=body).status_code == 201


class Sent:
    """Records of a channel, one a second."""

    def __init__(self, launcher: Any, name: str = "engine.1") -> None:
        self.launcher, self.name, self.second = launcher, name, 0

    def __call__(self, speed: float = 0.0, count: int | None = None, open: bool = False) -> None:
        stamp = 1_700_000_000 * SECOND + self.second * SECOND
        self.launcher.take(self.name, stamp, speed=speed, count=count, open=open)
        self.second += 1


def alarms(client: Any, query: str = "") -> list[dict[str, Any]]:
    answer = client.get(f"{API}/alarms{query}")
    assert answer.status_code == 200
    found: list[dict[str, Any]] = answer.json["alarms"]
    return found


def acknowledge(client: Any, *signals: Any, **more: Any) -> Any:
    answer = client.post(f"{API}/alarms/acknowledge", json={"signals": list(signals), **more})
    assert answer.status_code == 200, answer.json
    return answer.json


def names(told: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(one["signal"], one["side"]) for one in told]
