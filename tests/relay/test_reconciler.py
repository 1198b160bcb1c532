"""What the reconciler does with channels that cannot start; what it does with keepers is in test_orchestrator."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from line import NUMBERED, wait_until
from ports import free_port

from speeddata.errors import RelayError
from speeddata.registry.channels import Registry
from speeddata.registry.store import Store
from speeddata.relay.client import KeeperClient
from speeddata.relay.event_loop import EventLoop
from speeddata.relay.reconciler import Reconciler
from speeddata.settings import load_settings


@pytest.fixture
def reconciler(tmp_path: Path) -> Iterator[Reconciler]:
    reconciler = Reconciler(EventLoop(), KeeperClient(tmp_path / "data"))
    reconciler.start_keeper()
    yield reconciler
    reconciler.stop()
    reconciler.loop.close()


@pytest.fixture
def registry(reconciler: Reconciler, tmp_path: Path) -> Iterator[Registry]:
    store = Store(tmp_path / "registry.db")
    (tmp_path / "x.avsc").write_text(json.dumps(NUMBERED))
    relay = load_settings().flat["relay"]
    yield Registry(store, reconciler.keeper, relay, tmp_path / "archive", tmp_path, {})
    store.close()


def turn_until_active(reconciler: Reconciler, registry: Registry, count: int) -> None:
    def active() -> bool:
        reconciler.loop.turn(0.05)
        return sum(told["state"] == "active" for _, told, _ in registry.catalogue.conditions()) == count

    wait_until(active)


def test_all_channels_are_started(reconciler: Reconciler, registry: Registry) -> None:
    registry.add_baseline([{"name": name, "port": free_port(), "schema": "x.avsc"} for name in "abc"])
    reconciler.start_channels(registry)
    turn_until_active(reconciler, registry, 3)
    assert reconciler.to_json()["state"] == "active"


def test_fault_33_a_channel_whose_port_is_taken_starts_when_it_is_free(
    reconciler: Reconciler, registry: Registry
) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        ports = {"a": other.getsockname()[1], "b": free_port()}
        registry.add_baseline(
            [{"name": name, "port": port, "schema": "x.avsc"} for name, port in ports.items()]
        )
        reconciler.start_channels(registry)
        turn_until_active(reconciler, registry, 1)
        wait_until(lambda: reconciler.loop.turn(0.05) or reconciler.attempts.get("a"))
        waiting = registry.catalogue.describe(registry.find("a"))
        assert (waiting["state"], waiting["pid"]) == ("backoff", None)
        assert "is in use (by process" in waiting["reason"]
    turn_until_active(reconciler, registry, 2)
    assert reconciler.attempts == {}


def test_a_channel_that_was_removed_meanwhile_is_not_started(
    reconciler: Reconciler, registry: Registry
) -> None:
    registry.add_baseline([{"name": "a", "port": free_port(), "schema": "x.avsc"}])
    reconciler.start_channels(registry)
    registry.deregister("a")
    reconciler.loop.turn(0)
    assert reconciler.keeper.list() == []


def test_relays_of_no_channel_are_stopped(reconciler: Reconciler, registry: Registry) -> None:
    registry.add_baseline([{"name": "a", "port": free_port(), "schema": "x.avsc"}])
    registry.start("a")
    registry.store.delete("a")
    reconciler.start_channels(registry)
    assert reconciler.keeper.list() == []


def test_a_keeper_that_was_there_is_found(reconciler: Reconciler) -> None:
    other = Reconciler(EventLoop(), reconciler.keeper)
    other.start_keeper()
    assert (other.keeper_pid, other.adopted, reconciler.adopted) == (reconciler.keeper_pid, True, False)
    other.loop.close()


def test_a_keeper_that_cannot_start_says_why(tmp_path: Path) -> None:
    (tmp_path / "log").mkdir()
    (tmp_path / "run").write_text("a file where the folder should be")
    broken = Reconciler(EventLoop(), KeeperClient(tmp_path))
    with pytest.raises(RelayError, match="File exists"):
        broken.start_keeper()
    broken.stop()
    broken.loop.close()
