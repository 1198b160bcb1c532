"""Ending keepers and relays, those that answer and those that do not (see also test_stop)."""

import subprocess
import sys
from pathlib import Path

from deafness import deaf
from line import make_spec, wait_until
from ports import free_port
from system import alive

from speeddata.relay.client import KeeperClient
from speeddata.relay.ending import end_all, end_keeper
from speeddata.relay.losses import take_losses
from speeddata.relay.strays import open_process

DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"


def test_a_keeper_ends_with_its_relays(tmp_path: Path) -> None:
    client = KeeperClient(tmp_path / "data")
    pid = client.start_keeper()
    relay = client.start(make_spec(tmp_path, port=free_port()))
    assert list(end_keeper(client, pid)) == [f"keeper {pid} ended, with 1 relay"]
    assert not alive(pid)
    assert not alive(relay)
    assert list(end_keeper(client, pid)) == []


def test_a_relay_that_hangs_is_killed_when_its_keeper_is(tmp_path: Path) -> None:
    client = KeeperClient(tmp_path / "data")
    pid = client.start_keeper()
    relay = client.start(make_spec(tmp_path, port=free_port()))
    wait_until((tmp_path / "data" / "run" / "relay-test.sock").exists)
    with deaf(pid, relay):
        assert list(end_keeper(client, pid)) == [
            f"keeper {pid} killed, it did not end",
            f"relay {relay} killed, it did not end",
        ]
    killed = f"relay {relay} killed, it did not end: what it had not written is lost"
    assert take_losses(tmp_path / "data" / "run") == [killed]
    wait_until(lambda: not alive(pid) and not alive(relay))


def test_processes_are_asked_and_then_killed() -> None:
    with subprocess.Popen([sys.executable, "-c", DEAF], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        held = open_process("deaf one", process.pid)
        assert held is not None
        assert list(end_all([held], 0.1)) == [f"deaf one {process.pid} killed, it did not end"]
