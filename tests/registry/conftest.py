"""A registry with its application, over a launcher that only remembers."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import flask.testing
import pytest

from speeddata.errors import RelayError
from speeddata.plan import Plan
from speeddata.registry.app import create_app
from speeddata.registry.channels import Registry
from speeddata.registry.store import Store
from speeddata.relay.alarms import tell_alarms
from speeddata.relay.limit_check import LimitCheck
from speeddata.rows import encode_record
from speeddata.schema import Schema
from speeddata.settings import load_settings

SCHEMA = {
    "namespace": "speeddata.example",
    "type": "record",
    "name": "data",
    "fields": [
        {"name": "time", "type": "long", "logicalType": "timestamp-nanos"},
        {"name": "value", "type": "double"},
    ],
}
SERVICES = {8080: "registration API", 8081: "live data", 8000: "history API"}


class Checks:
    """Limits of channels, and records held against them, as a relay does it."""

    def __init__(self) -> None:
        self.checks: dict[str, LimitCheck] = {}
        self.deaf = False  # it does not answer
        self.unchecked: dict[str, str] = {}

    def present(self) -> None:
        if self.deaf:
            raise RelayError("the shared relay does not answer: No such file or directory")

    def start(self, name: str, schema: dict[str, Any]) -> None:
        self.checks.setdefault(name, LimitCheck([Plan(Schema.parse(schema))]))

    def take(self, name: str, time_ns: int, **values: Any) -> None:
        """A record that a source has sent."""
        plan = self.checks[name].plans[0]
        self.checks[name].check(encode_record(plan, {"time": time_ns, **values}), time_ns)

    def raised(self, name: str) -> list[dict[str, Any]]:
        check = self.checks[name]
        return tell_alarms(check.plans, check.standings())

    # As the shared relay's client has it.

    def counts(self) -> dict[str, Any]:
        return {}

    def alarms(self) -> dict[str, Any]:
        self.present()
        return {"channels": {name: self.raised(name) for name in self.checks}, "unchecked": self.unchecked}

    def acknowledge(self, name: str, seen: Any) -> None:
        self.present()
        for one in seen:
            self.checks[name].acknowledge(*one)

    def use(self, spec: dict[str, Any]) -> None:
        """The shared relay that this stands for has nothing of a channel with a port."""

    def forget(self, name: str) -> None:
        self.checks.pop(name, None)


class MemoryLauncher:
    """Stands for the keeper: starts nothing, answers as if."""

    def __init__(self) -> None:
        self.specs: dict[str, dict[str, Any]] = {}
        self.limits = Checks()
        self.skipped = 0  # blocks, by every decimator
        self.old = False  # it knows no limits
        self.broken_ports: set[int] = set()  # those that cannot be bound
        self.away = False
        self.source = {"address": "192.0.2.1", "port": 5000, "packets": 3, "last": 1737640800 * 10**9}

    def _present(self) -> None:
        if self.away:
            raise RelayError("no keeper in /data: No such file or directory")

    def start(self, spec: dict[str, Any]) -> int:
        self._present()
        if spec["port"] in self.broken_ports:
            raise RelayError(f"port {spec['port']} on 127.0.0.1 is in use (by process 7, other)")
        if self.specs.get(spec["name"], spec) != spec:
            raise RelayError(f"channel {spec['name']!r} runs already, with other settings; stop it first")
        self.specs[spec["name"]] = spec
        return 1000 + spec["port"]

    def replace(self, name: str, spec: dict[str, Any] | None = None) -> int | None:
        self._present()
        former = self.specs[name]
        spec = former if spec is None else spec
        known, wanted = ([*one["versions"], one["schema"]] for one in (former, spec))
        if spec["port"] != former["port"] or wanted[: len(known)] != known:
            raise RelayError(f"channel {name!r} runs with another port or schema; stop it first")
        self.specs[name] = spec
        return 1000 + spec["port"]

    def stop(self, name: str) -> None:
        self._present()
        if name not in self.specs:
            raise RelayError(f"no relay for channel {name!r}")
        del self.specs[name]
        self.limits.forget(name)

    def acknowledge(self, name: str, seen: Any) -> None:
        self._present()
        self.limits.acknowledge(name, seen)

    def take(self, name: str, time_ns: int, **values: Any) -> None:
        """A record that the channel's source has sent."""
        self.limits.start(name, self.specs[name]["schema"])
        self.limits.take(name, time_ns, **values)

    def alarms(self, name: str) -> dict[str, Any]:
        self.limits.start(name, self.specs[name]["schema"])
        check = self.limits.checks[name]
        ignored = [words for plan in check.plans for words in plan.schema.ignored]
        raised = self.limits.raised(name)
        return {
            "limited": len(check.names),
            "raised": raised,
            "ignored": ignored,
            "skipped_blocks": self.skipped,
        }

    def list(
        self, name: str | None = None, *, stats: bool = False, sources: bool = False, alarms: bool = False
    ) -> list[dict[str, Any]]:
        self._present()
        since = time.time_ns()
        return [
            {
                "name": one,
                "pid": 1000 + spec["port"],
                "state": "active",
                "reason": "",
                "since": since,
                "restarts": 0,
                **({"stats": self.stats(one)} if stats else {}),
                **({"sources": [self.source]} if sources else {}),
                **({"alarms": self.alarms(one)} if alarms and not self.old else {}),
            }
            for one, spec in self.specs.items()
            if name in (None, one)
        ]

    def stats(self, name: str) -> dict[str, Any]:
        self._present()
        if name not in self.specs:
            raise RelayError(f"no relay for channel {name!r}")
        source = {"address": "127.0.0.1", "port": 40000}
        return {
            "packets": 3,
            "records": 3,
            "time_unit": "us",
            "source": source,
            "heartbeat": 1737640800 * 10**9,
            "since": 1737640000 * 10**9,
            "last_packet": 1737640800 * 10**9,
        }


class StillSystem:
    """Stands for the orchestrator."""

    host = "127.0.0.1"

    def services(self) -> dict[str, Any]:
        return {"websocket": {"host": self.host, "port": 8081}, "pivot": {"host": self.host, "port": 8000}}

    def instance(self) -> str:
        return "0123456789abcdef" * 2

    def status(self) -> dict[str, Any]:
        return {"version": "0", "services": []}

    def waits_for(self) -> dict[str, list[str]]:
        return {}

    def usage(self, _status: Any, _relays: Any) -> list[Any]:
        return []

    def vitals(self) -> dict[str, Any]:
        return {"processes": []}

    def examine(self) -> dict[str, Any]:
        return {"findings": []}

    def reload(self) -> dict[str, Any]:
        return {"changes": [], "channels": [], "added": [], "services": [], "failed": {}}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A config folder with two schemas, one file that is not JSON and one that no channel can have."""
    folder = tmp_path / "settings"
    (folder / "agents").mkdir(parents=True)
    (folder / "agents" / "example.avsc").write_text(json.dumps(SCHEMA, indent=1))
    (folder / "agents" / "broken.avsc").write_text("{")
    (folder / "agents" / "timeless.avsc").write_text(
        '{"type": "record", "name": "r", "fields": [{"name": "value", "type": "double"}]}'
    )
    (tmp_path / "outside.avsc").write_text(json.dumps(SCHEMA))
    (folder / "agents" / "link.avsc").symlink_to(tmp_path / "outside.avsc")
    return folder


@pytest.fixture
def launcher() -> MemoryLauncher:
    return MemoryLauncher()


@pytest.fixture
def system() -> StillSystem:
    return StillSystem()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "registry.db")
    yield store
    store.close()


@pytest.fixture
def ingest() -> Checks:
    return Checks()


@pytest.fixture
def registry(
    store: Store, launcher: MemoryLauncher, folder: Path, tmp_path: Path, ingest: Checks
) -> Registry:
    # Ports that neither a demo nor a test beside us takes.
    relay = {**load_settings(folder).flat["relay"], "ports.first": 9100}
    return Registry(store, launcher, relay, tmp_path / "archive", folder, SERVICES, ingest)


@pytest.fixture
def client(registry: Registry, system: StillSystem) -> flask.testing.FlaskClient:
    return create_app(registry, system, ["bench.example.org"]).test_client()
