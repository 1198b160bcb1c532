"""What the watch notes: states that changed, leases that ran out, a keeper that hangs."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from line import NUMBERED

from speeddata.errors import RelayError
from speeddata.registry.channels import Registry
from speeddata.registry.leases import Leases
from speeddata.registry.registration import Registration
from speeddata.registry.store import Store
from speeddata.relay.watch import KEEPER_LIMIT_S, Watch
from speeddata.settings import load_settings

PORT = 26000


class Launcher:
    """Stands for a keeper whose relays fare as told."""

    def __init__(self):
        self.channels = {}
        self.away = ""
        self.hang = lambda: None  # what asking costs while it is away

    def start(self, spec):
        self.channels[spec["name"]] = {"name": spec["name"], "pid": 7, "state": "active", "reason": "", "since": 0,
                                       "restarts": 0, "last_packet": 2 * 10**18}  # fmt: skip
        return 7

    def stop(self, name):
        del self.channels[name]

    def list(self, name=None, **_):
        if self.away:
            self.hang()
            raise RelayError(self.away)
        return [one for one in self.channels.values() if name in (None, one["name"])]


class Bench:
    """A registry with a channel, a watch over it, and a clock."""

    def __init__(self, folder, ttl_s=None):
        self.now = 100.0
        (folder / "x.avsc").write_text(json.dumps(NUMBERED))
        self.launcher = Launcher()
        self.store = Store(folder / "registry.db")
        relay = {**load_settings().flat["relay"], "idle_after_s": 1e12}
        self.registry = Registry(self.store, self.launcher, relay, folder / "archive", folder, {})
        self.registry.leases = self.registry.catalogue.leases = self.registry.admission.leases = Leases(
            lambda: self.now
        )
        self.registry.register(Registration("x", PORT, "x.avsc", None, ttl_s))
        self.part = {"name": "pivot", "state": "active", "reason": ""}
        self.keeper = None
        self.watch = Watch(
            self.registry, lambda: [("service", self.part)], lambda: self.keeper, lambda: self.now
        )

    def look(self, after_s=1.0):
        self.now += after_s
        self.watch.look()

    def told(self):
        shown = [(one["name"], one["event"], one["from"], one["to"]) for one in self.registry.events.list(99)]
        return list(reversed(shown))[1:]  # but for its registration


@pytest.fixture
def bench(tmp_path: Path):
    made = Bench(tmp_path)
    yield made
    made.store.close()


def test_a_state_that_changes_is_noted_once(bench):
    bench.look()
    assert bench.told() == []
    bench.launcher.channels["x"] |= {"state": "degraded", "reason": "disk full"}
    bench.look()
    bench.look()
    assert bench.told() == [("x", "state", "active", "degraded")]
    assert bench.registry.events.list(1)[0]["reason"] == "disk full"
    bench.launcher.channels["x"] |= {"state": "active", "reason": ""}
    bench.part |= {"state": "backoff", "reason": "exit status 1"}
    bench.look()
    assert bench.told()[1:] == [("pivot", "state", "active", "backoff"), ("x", "state", "degraded", "active")]


def test_a_relay_that_died_is_noted_though_the_next_one_went_on_at_once(bench):
    bench.launcher.channels["x"] |= {"deaths": 9, "death": "before we looked"}
    bench.look()
    assert bench.told() == []
    bench.launcher.channels["x"] |= {"deaths": 0}
    bench.look()
    for deaths in (1, 1, 3, 0, 1):  # the fourth is what another keeper counts
        bench.launcher.channels["x"] |= {"deaths": deaths, "death": f"SIGKILL {deaths}"}
        bench.look()
    told = [(one["event"], one["reason"]) for one in bench.registry.events.list(3)]
    assert told == [("relay died", f"SIGKILL {deaths}") for deaths in (1, 3, 1)]


def test_trouble_that_is_there_from_the_start_is_noted(bench):
    bench.launcher.channels["x"] |= {"state": "failed", "reason": "port in use"}
    bench.look()
    assert bench.told() == [("x", "state", None, "failed")]


def test_a_channel_that_has_gone_is_forgotten(bench):
    bench.look()
    bench.registry.deregister("x")
    bench.look()
    bench.registry.register(Registration("x", PORT, "x.avsc", None))
    bench.look()
    assert [event for _, event, _, _ in bench.told()] == ["deregistered", "registered"]


def test_while_the_keeper_says_nothing_nothing_is_known_of_channels(bench):
    bench.look()
    bench.launcher.away = "no keeper"
    bench.look()
    bench.launcher.away = ""
    bench.look()
    assert bench.told() == []


def test_a_lease_runs_out_and_nothing_is_deleted(tmp_path):
    bench = Bench(tmp_path, ttl_s=10)
    bench.look()
    for _ in range(5):
        bench.look(5)
        bench.registry.renew("x")
    assert "x" in bench.launcher.channels
    bench.look(9)
    assert "x" in bench.launcher.channels
    bench.look(2)
    assert bench.launcher.channels == {}
    shown = bench.registry.catalogue.describe(bench.registry.find("x"))
    assert (shown["state"], shown["status"], shown["expires_in_s"]) == ("stopped", "registered", 0)
    assert shown["reason"] == "its lease has run out: nothing was heard of its device for 10 s"
    assert bench.registry.start("x") is None, "no reconciling starts it"
    assert [event for _, event, _, _ in bench.told()] == ["expired"]
    bench.registry.renew("x")
    assert "x" in bench.launcher.channels
    assert [event for _, event, _, _ in bench.told()] == ["expired", "renewed"]
    bench.store.close()


def test_a_device_that_is_heard_of_at_the_last_moment_is_not_given_up(tmp_path, monkeypatch):
    bench = Bench(tmp_path, ttl_s=10)
    bench.registry.register(Registration("a", PORT + 1, "x.avsc", None, 10))
    stop = bench.launcher.stop

    def stop_meanwhile(name):
        bench.registry.renew("x")
        stop(name)

    bench.look()
    monkeypatch.setattr(bench.launcher, "stop", stop_meanwhile)
    bench.look(11)
    assert list(bench.launcher.channels) == ["x"]
    assert not bench.registry.leases.has_run_out("x")
    bench.store.close()


def test_a_relay_that_could_not_be_stopped_is_stopped_next_time(tmp_path, monkeypatch):
    bench = Bench(tmp_path, ttl_s=10)

    def refuse(_name):
        raise RelayError("the keeper did not answer")

    bench.look()
    with monkeypatch.context() as patch:
        patch.setattr(bench.launcher, "stop", refuse)
        bench.look(11)
    assert not bench.registry.leases.has_run_out("x")
    bench.look()
    assert bench.launcher.channels == {}
    assert bench.registry.leases.has_run_out("x")
    bench.store.close()


def test_packets_renew_a_lease(tmp_path):
    bench = Bench(tmp_path, ttl_s=10)
    for n in range(5):
        bench.launcher.channels["x"]["last_packet"] += 1 + n
        bench.look(8)
    assert "x" in bench.launcher.channels
    bench.look(8)
    bench.look(8)
    assert bench.launcher.channels == {}
    bench.store.close()


def test_a_change_of_the_lease_has_a_channel_run_again(tmp_path):
    bench = Bench(tmp_path, ttl_s=10)
    bench.look(1)
    bench.look(11)
    bench.look(11)
    assert bench.launcher.channels == {}
    bench.registry.change("x", {"ttl": None})
    assert "x" in bench.launcher.channels
    bench.look(1000)
    assert "x" in bench.launcher.channels
    bench.store.close()


def test_fault_30_a_keeper_that_lives_and_does_not_answer_is_ended(bench):
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as keeper:
        bench.keeper = keeper.pid
        bench.look()
        bench.launcher.away = "it does not answer"
        for _ in range(int(KEEPER_LIMIT_S) - 1):
            bench.look()
        assert keeper.poll() is None
        # Who was stopped himself does not know for how long the keeper has not answered.
        bench.look(100)
        for _ in range(int(KEEPER_LIMIT_S) - 1):
            bench.look()
        with pytest.raises(subprocess.TimeoutExpired):
            keeper.wait(0.5)
        bench.look()
        bench.look()
        assert keeper.wait(10) == -9
    bench.keeper = keeper.pid
    for _ in range(int(KEEPER_LIMIT_S) + 2):
        bench.look()
    assert not os.path.exists(f"/proc/{keeper.pid}")


def test_fault_30_waiting_for_the_keeper_is_not_being_stopped_oneself(bench):
    """Each look waits for a keeper that hangs, longer than looks are apart: it is ended all the same."""

    def wait():
        bench.now += 5

    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as keeper:
        bench.keeper = keeper.pid
        bench.look()
        bench.launcher.away, bench.launcher.hang = "it does not answer", wait
        for _ in range(int(KEEPER_LIMIT_S) // 6 + 2):
            bench.look()
        assert keeper.wait(10) == -9
