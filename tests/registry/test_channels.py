import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from speeddata.errors import RelayError
from speeddata.registry.channels import Registry
from speeddata.registry.problems import ApiProblem
from speeddata.registry.registration import Registration
from speeddata.registry.store import Store, StoreError
from speeddata.settings import Override, load_settings

ITEM = {"name": "x", "port": 26000, "schema": "agents/example.avsc", "decimation": 5}


def names(registry: Registry) -> list[str]:
    return [channel.name for channel in registry.store.channels()]


def test_the_baseline_is_registered_and_then_the_registry_is_right(registry: Registry) -> None:
    registry.add_baseline([ITEM])
    registry.add_baseline([ITEM | {"port": 26009}])
    channel = registry.find("x")
    assert (channel.port, channel.config) == (26000, {"decimation": 5})


def test_a_baseline_channel_that_cannot_be_registered_does_not_stop_the_others(
    registry: Registry, caplog: pytest.LogCaptureFixture
) -> None:
    registry.add_baseline([ITEM | {"port": 8080}, ITEM | {"name": "y"}])
    assert names(registry) == ["y"]
    assert "channel x of relay.yaml is not registered" in caplog.text


def test_a_registered_channel_is_started_and_found_running(registry: Registry, launcher: Any) -> None:
    registry.add_baseline([ITEM])
    assert launcher.specs == {}
    assert registry.start("x") == 27000
    assert registry.start("x") == 27000
    assert registry.start("nosuch") is None
    assert registry.catalogue.describe(registry.find("x"))["state"] == "active"


def test_a_channel_that_cannot_be_started_says_why_until_it_can(registry: Registry, launcher: Any) -> None:
    registry.add_baseline([ITEM])
    launcher.broken_ports = {26000}
    with pytest.raises(RelayError):
        registry.start("x")
    shown = registry.catalogue.describe(registry.find("x"))
    assert (shown["state"], shown["status"], shown["pid"]) == ("backoff", "registered", None)
    assert shown["reason"].startswith("port 26000 on 127.0.0.1 is in use")
    launcher.broken_ports = set()
    registry.start("x")
    assert registry.catalogue.describe(registry.find("x"))["reason"] == ""


def test_a_relay_that_runs_with_other_settings_is_replaced(registry: Registry, launcher: Any) -> None:
    registry.add_baseline([ITEM])
    registry.start("x")
    launcher.specs["x"] = launcher.specs["x"] | {"block_age_s": 9.0}
    registry.start("x")
    assert launcher.specs["x"]["block_age_s"] == 1.0


def test_relays_of_nobody_are_stopped(registry: Registry, launcher: Any) -> None:
    registry.add_baseline([ITEM])
    registry.start("x")
    launcher.start({"name": "stranger", "port": 1})
    assert registry.stop_strangers() == ["stranger"]
    assert list(launcher.specs) == ["x"]


def test_a_shared_group_is_used_by_all_and_its_port_is_no_channels(
    store: Store, launcher: Any, folder: Path
) -> None:
    shared = [Override.parse("global.multicast.decimated.address=239.1.1.2")]
    relay = load_settings(folder, shared).flat["relay"]
    registry = Registry(store, launcher, relay, Path("/archive"), folder, {})
    registry.add_baseline([ITEM, ITEM | {"name": "y", "port": 26001}])
    decimated = [registry.specs.streams(channel).decimated for channel in store.channels()]
    assert decimated == [("239.1.1.2", 6001)] * 2
    assert len({registry.specs.streams(channel).full_rate for channel in store.channels()}) == 2
    with pytest.raises(ApiProblem) as caught:
        registry.register(Registration("z", 6001, "agents/example.avsc", None))
    assert caught.value.body["used_by"] == "multicast (decimated)"


def test_a_channel_that_cannot_be_deleted_goes_on_recording(registry: Registry, launcher: Any) -> None:
    registry.store._writer.execute("PRAGMA busy_timeout = 50")
    registry.add_baseline([ITEM])
    registry.start(ITEM["name"])
    other = sqlite3.connect(registry.store.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        with pytest.raises(StoreError, match="locked"):
            registry.deregister(ITEM["name"])
    finally:
        other.close()
    assert list(launcher.specs) == names(registry) == [ITEM["name"]]


def test_a_channel_whose_deletion_fails_at_the_end_is_started_again(
    registry: Registry, launcher: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry.add_baseline([ITEM])
    registry.start(ITEM["name"])

    @contextmanager
    def full(_: str) -> Iterator[bool]:
        yield True
        raise StoreError("database or disk is full")

    monkeypatch.setattr(registry.store, "deleting", full)
    with pytest.raises(StoreError, match="full"):
        registry.deregister(ITEM["name"])
    assert list(launcher.specs) == [ITEM["name"]]


def test_a_row_with_a_spoiled_schema_says_so_and_does_not_stop_others(registry: Registry) -> None:
    registry.add_baseline([ITEM])
    other = sqlite3.connect(registry.store.path)
    other.execute("UPDATE channels SET schema = '{'")
    other.commit()
    other.close()
    with pytest.raises(RelayError, match="row of 'x' is damaged"):
        registry.start("x")
    assert registry.catalogue.describe(registry.find("x"))["state"] == "backoff"
