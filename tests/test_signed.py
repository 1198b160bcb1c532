"""Fault 58 in a whole system: signed packets, from the key to the archive, over deaths and other keys."""

import os
import signal
import socket

from line import NUMBERED, numbered, read_records, wait_until
from numbered_channel import NumberedChannel, keeping
from ports import free_port
from sender import Sender
from system import System, speeddata

from speeddata.signing import Signer, make_key, read_key

SETTINGS = {"block_age_s": 0.02, "flush_interval_s": 0.02}


class SigningSender(Sender):
    """Sends signed records, and each packet twice."""

    def __init__(self, port, signer):
        super().__init__(port, pause=0.002)
        self.signer = signer

    def packet(self, n):
        return self.signer.sign(numbered(n))

    def send(self, packet):
        self.socket.send(packet)
        self.socket.send(packet)


def test_fault_58_kill_9_under_load_loses_and_doubles_nothing_and_takes_no_replay(tmp_path):
    path = make_key(tmp_path / "keys", "roof")
    with (
        keeping(tmp_path) as keeper,
        NumberedChannel(keeper, tmp_path, sign=[str(path)], **SETTINGS) as channel,
    ):
        sender = SigningSender(channel.spec["port"], Signer("test", read_key(path)))
        sender.start()
        for _ in range(5):
            before, pid = sender.sent, channel.pid
            wait_until(lambda n=before: channel.stats["archived"] > n, "records on their way")
            os.kill(pid, signal.SIGKILL)
            channel.pid = wait_until(lambda p=pid: (new := channel.state["pid"]) not in (None, p) and new)
        sent = channel.sent = sender.finish()
        stats = wait_until(
            lambda: (s := channel.stats)["archived"] == sent and s["rejected"]["replay"] == sent and s
        )
        assert (stats["packets"], sum(stats["rejected"].values()), stats["kernel_drops"]) == (sent, sent, 0)
        channel.stop()
        assert [r["n"] for r in read_records(channel.archive)] == list(range(sent))


def stats(system):
    return system.ask("GET", "/api/v1/channels/test")[1]["stats"]


def test_fault_58_keys_from_the_command_to_the_archive(tmp_path):
    system = System(tmp_path / "data").start()
    body = {"name": "test", "port": free_port(), "schema": NUMBERED, "config": {"sign": ["roof"]}}
    status, refused = system.ask("POST", "/api/v1/channels", body)
    assert (status, refused["field"]) == (400, "config.sign")
    assert "`speeddata key create roof`" in refused["details"]
    paths = [
        speeddata("key", "create", name, f"--data={system.data}").stdout.strip() for name in ("roof", "next")
    ]
    assert system.ask("POST", "/api/v1/channels", body)[0] == 201
    old, new = (Signer.from_file("test", path) for path in paths)
    with socket.socket(type=socket.SOCK_DGRAM) as source:
        source.connect(("127.0.0.1", body["port"]))
        first = old.sign(numbered(0))
        for packet in (first, first, new.sign(numbered(1)), numbered(2)):
            source.send(packet)
        wait_until(lambda: (r := stats(system)["rejected"])["replay"] == 1 and r["auth"] == 2, "the first")
        # To another key: both are right for a while.
        assert system.ask("PATCH", "/api/v1/channels/test", {"sign": ["roof", "next"]})[0] == 200
        for packet in (old.sign(numbered(1)), new.sign(numbered(2)), first):
            source.send(packet)
        wait_until(lambda: (s := stats(system))["packets"] == 3 and s["rejected"]["replay"] == 2, "both keys")
        assert system.ask("PATCH", "/api/v1/channels/test", {"sign": ["next"]})[0] == 200
        source.send(old.sign(numbered(3)))
        wait_until(lambda: stats(system)["rejected"]["auth"] == 3, "the end of the old one")
    told = [system.ask("GET", f"/api/v1/channels/test{what}")[1] for what in ("", "/spec", "/stats")]
    said = repr(told) + "".join(path.read_text() for path in (system.data / "log").iterdir())
    assert str(paths[1]) in said
    secrets = [read_key(path).hex() for path in (system.data / "keys").iterdir()]
    registry = b"".join(path.read_bytes() for path in system.data.glob("registry.db*"))
    assert not any(secret in said or secret.encode() in registry for secret in secrets)
    # A key that others can read is refused, and the channel says why.
    os.chmod(paths[1], 0o644)
    os.kill(system.ask("GET", "/api/v1/channels/test")[1]["pid"], signal.SIGKILL)
    wait_until(
        lambda: "wanted 0600" in system.ask("GET", "/api/v1/channels/test")[1]["reason"], "the reason", 30
    )
    os.chmod(paths[1], 0o600)
    wait_until(
        lambda: system.ask("GET", "/api/v1/channels/test")[1]["state"] in ("active", "idle"), "it again", 40
    )
    with socket.socket(type=socket.SOCK_DGRAM) as source:
        source.connect(("127.0.0.1", body["port"]))
        source.send(new.sign(numbered(4)))
    wait_until(lambda: stats(system)["packets"] == 4, "packets again")
    assert speeddata("stop", f"--data={system.data}").returncode == 0
    assert system.process.wait(20) == 0
