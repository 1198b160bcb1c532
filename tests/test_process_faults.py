"""Faults of processes under load, with a system: an orchestrator that is stopped or ended while packets come."""

import os
import re
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from line import NUMBERED, read_records, wait_until
from ports import free_port, free_tcp_ports
from processes import stopped
from sender import Sender
from system import run, speeddata

from speeddata.relay.client import KeeperClient

PORTS = ("relay.api.port", "stripchart.websocket.port", "pivot.api.port")


class Source(Sender):
    """One that goes on where nobody receives any more."""

    refused = 0

    def send(self, packet):
        try:
            super().send(packet)
        except ConnectionRefusedError:
            self.refused += 1


@pytest.fixture
def recording(tmp_path):
    """A system that records, a channel's port, and who sends to it; the system may have been ended."""
    with run(tmp_path / "data", "--only=relay") as system:
        port = free_port()
        system.register("x", port, NUMBERED, block_age_s=0.1, flush_interval_s=60)
        sender = Source(port, pause=0.002)
        sender.start()
        try:
            yield system, sender
        finally:
            sender.finish()


def test_fault_31_recording_goes_on_while_the_orchestrator_is_stopped(recording):
    """It reads nothing that keeper and relay say, of refused packets and of a relay that is killed, and none waits for it."""
    system, sender = recording
    keeper = KeeperClient(system.data)
    wait_until(lambda: keeper.stats("x")["records"] > 0, "records")
    with stopped(system.process.pid):
        relay = keeper.list()[0]["pid"]
        os.kill(relay, signal.SIGKILL)
        wait_until(lambda: keeper.list()[0]["pid"] not in (relay, None), "another relay")
        for _ in range(1000):
            sender.send(b"no record")
        before = sender.sent
        wait_until(lambda: sender.sent > before + 2000, "further packets")
        sent = sender.finish()
        wait_until(lambda: keeper.stats("x")["archived"] == sent, "all of them in the archive")
        stats = keeper.stats("x")
        assert (stats["records"], stats["kernel_drops"], stats["ring_full"]) == (sent, 0, 0)
        assert sum(stats["rejected"].values()) == 1000
    wait_until(lambda: system.get("/channels/x")["stats"]["archived"] == sent, "the API again")


def test_fault_37_what_was_received_when_it_is_ended_under_load_is_in_the_archive(recording):
    system, sender = recording
    wait_until(lambda: system.get("/channels/x")["stats"]["records"] > 1000, "records")
    keeper = KeeperClient(system.data)
    received = keeper.stats("x")["records"]
    assert system.end() == 0, system.said()
    wait_until(lambda: sender.refused, "packets come until the end, and after it")
    numbers = [one["n"] for one in read_records(system.data / "archive" / "x", "x")]
    assert len(numbers) >= received
    assert numbers == list(range(len(numbers))), "none is missing among them"


def test_fault_38_a_flood_of_registrations_makes_no_more_relays_than_may_be(tmp_path):
    with run(tmp_path / "data", "--only=relay", "--set=relay.limits.relays=3") as system:

        def register(number):
            body = {"name": f"c{number}", "schema": NUMBERED}
            return system.ask("POST", "/api/v1/channels", body)[0]

        with ThreadPoolExecutor(8) as clients:
            statuses = sorted(clients.map(register, range(40)))
        assert statuses == [201] * 3 + [409] * 37
        keeper = KeeperClient(system.data)
        pids = [one["pid"] for one in keeper.list()]
        assert len(pids) == 3
        own = [
            int(re.search(r"RssAnon:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[1]) for pid in pids
        ]
        assert max(own) < 64 << 10, "KiB that a relay has for itself"


def test_fault_87_nothing_is_started_with_tokens_that_others_can_read(tmp_path):
    data = tmp_path / "data"
    assert speeddata("token", "create", "ann", "--role", "admin", f"--data={data}").returncode == 0
    (data / "tokens.json").chmod(0o644)
    ports = [f"--set={key}={port}" for key, port in zip(PORTS, free_tcp_ports(3), strict=True)]
    done = speeddata("run", f"--data={data}", "--set=global.access.required=true", *ports)
    assert done.returncode != 0
    assert "mode 0644, wanted 0600" in done.stderr
    assert KeeperClient(data).ping() is None
