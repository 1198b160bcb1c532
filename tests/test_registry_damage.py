"""Fault 85 with everything running: the registry's database is destroyed, and recording goes on."""

import os
import signal
from typing import Any

from line import NUMBERED, read_records, wait_until
from ports import free_port
from sender import Sender
from system import System, speeddata


def test_fault_85_with_a_damaged_registry_relays_go_on_and_the_api_says_so(tmp_path: Any) -> None:
    system = System(tmp_path / "data").start()
    port = free_port()
    system.register("x", port, NUMBERED)
    registry = system.data / "registry.db"
    sender = Sender(port, pause=0.01)
    sender.start()
    try:
        wait_until(lambda: knows(system, "x"), "an active channel")
        relay = system.get("/channels/x")["pid"]
        wait_until(registry.with_name("registry.db.bak").exists, "a copy of the registry")
        assert system.process is not None
        os.kill(system.process.pid, signal.SIGKILL)
        system.process.wait()
        damaged = b"no database " * 1000
        registry.write_bytes(damaged)
        registry.with_name("registry.db-wal").unlink()  # from which the database would be whole again
        system.start()
        told = wait_until(lambda: knows(system, "x"), "the channel, from the copy")
        assert told["pid"] == relay, "its relay was not touched"
        status, refusal = system.ask(
            "POST", "/api/v1/channels", {"name": "y", "port": free_port(), "schema": NUMBERED}
        )
        assert status == 503
        assert "registry.db" in str(refusal), refusal
        assert "going on with its copy" in system.said()
        count = told["stats"]["records"]
        wait_until(lambda: knows(system, "x")["stats"]["records"] > count, "further records")
    finally:
        sent = sender.finish()
        wait_until(lambda: knows(system, "x")["stats"]["archived"] == sent, "the last block")
        assert speeddata("stop", f"--data={system.data}").returncode == 0
        assert system.process is not None
        system.process.wait(20)
    assert [one["n"] for one in read_records(system.data / "archive" / "x", "x")] == list(range(sent))
    assert registry.read_bytes() == damaged, "left for who wants to mend it"


def knows(system: System, name: str) -> Any:
    """A channel that is active; None otherwise."""
    told = system.get(f"/channels/{name}")
    return told if told["state"] == "active" else None
