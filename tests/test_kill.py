"""`kill -9` of relay, keeper and orchestrator while a sender runs: after it every file is readable and the books balance."""

import os
import signal

from line import NUMBERED, read_records, wait_until
from ports import free_port
from sender import Sender
from system import System, speeddata


def channel(system):
    return system.ask("GET", "/api/v1/channels/test")[1]


def kill(pid):
    os.kill(pid, signal.SIGKILL)


def status(system):
    return system.ask("GET", "/api/v1/status")[1]


def test_kill_9_of_relay_keeper_and_orchestrator_under_load(tmp_path):
    system = System(tmp_path / "data").start()
    body = {"name": "test", "port": free_port(), "schema": NUMBERED}
    assert system.ask("POST", "/api/v1/channels", body)[0] == 201
    sender = Sender(body["port"], pause=0.004)
    sender.start()
    try:
        for round_ in range(3):
            before = sender.sent
            wait_until(lambda n=before: channel(system)["stats"]["archived"] > n, "records on their way")
            relay = channel(system)["pid"]
            kill(relay)
            wait_until(lambda p=relay: channel(system)["pid"] not in (None, p), "the next relay")
            if round_ == 1:
                keeper = status(system)["keeper"]["pid"]
                kill(system.process.pid)
                system.process.wait()
                system.start()
                assert status(system)["keeper"]["pid"] == keeper, "nothing stopped"
            if round_ == 2:
                keeper, relay = status(system)["keeper"]["pid"], channel(system)["pid"]
                kill(keeper)
                wait_until(
                    lambda p=keeper: status(system)["keeper"]["pid"] not in (None, p), "the next keeper"
                )
                wait_until(lambda p=relay: channel(system)["pid"] == p, "the relay adopted")
    finally:
        sender.finish()
    stats = wait_until(
        lambda: (s := channel(system)["stats"])["archived"] == sender.sent and s, "the last block"
    )
    assert stats["packets"] + sum(stats["rejected"].values()) + stats["kernel_drops"] == sender.sent
    assert stats["archived"] + stats["ring_full"] + sum(stats["not_archived"].values()) == stats["records"]
    assert stats["sequence"] == {"gaps": 0, "duplicates": 0, "reordered": 0}
    assert speeddata("stop", f"--data={system.data}").returncode == 0
    assert system.process.wait(20) == 0
    assert [r["n"] for r in read_records(system.data / "archive" / "test")] == list(range(sender.sent))
