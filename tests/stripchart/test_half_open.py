"""A client whose host is gone without a word, in a network namespace of its own."""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from live import DEADLINE_S, wait_for

from speeddata.tokens import TokenFile

SERVER, CLIENT = "10.78.0.1", "10.78.0.2"
# Both take their token from the environment.
HEADERS = 'import os; headers = {"Authorization": f"Bearer {os.environ[\'TOKEN\']}"}'
CLIENT_PROGRAM = f"""
{HEADERS}
from websockets.sync.client import connect
with connect("ws://{SERVER}:8081", open_timeout={DEADLINE_S}, additional_headers=headers) as client:
    client.recv()
    print("welcomed", flush=True)
    while True:
        client.recv()
"""
STATUS_PROGRAM = f"""
{HEADERS}
import urllib.request
asked = urllib.request.Request("http://{SERVER}:8081/status", headers=headers)
print(urllib.request.urlopen(asked, timeout=5).read().decode())
"""


def ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


@pytest.fixture
def hosts() -> Iterator[tuple[str, str]]:
    """Two namespaces joined by a cable; their names."""
    names = tuple(f"speeddata-live-{role}-{os.getpid()}" for role in "ab")
    with contextlib.ExitStack() as undo:
        for name in names:
            ip("netns", "add", name)
            undo.callback(ip, "netns", "del", name)
        ends = [f"sl{role}{os.getpid() % 10**6}" for role in "ab"]
        ip("link", "add", ends[0], "type", "veth", "peer", "name", ends[1])
        for name, end, address in zip(names, ends, (SERVER, CLIENT), strict=True):
            ip("link", "set", end, "netns", name)
            ip("-n", name, "addr", "add", f"{address}/24", "dev", end)
            ip("-n", name, "link", "set", end, "up")
            ip("-n", name, "link", "set", "lo", "up")
        yield names[0], names[1]


@pytest.mark.netns
@pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root")
def test_fault_73_who_is_gone_without_a_word_is_forgotten(
    hosts: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = TokenFile(tmp_path / "tokens.json")
    monkeypatch.setenv("TOKEN", file.add("viewer", "read"))
    here, there = (("ip", "netns", "exec", host, sys.executable, "-P") for host in hosts)

    def clients() -> list[object] | None:
        asked = subprocess.run([*here, "-c", STATUS_PROGRAM], capture_output=True, text=True)
        return list(json.loads(asked.stdout)["clients"]) if asked.returncode == 0 else None

    with contextlib.ExitStack() as ending:

        def start(*command: str) -> subprocess.Popen[str]:
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            ending.enter_context(process)  # waits for its end
            ending.callback(process.kill)
            return process

        server = start(
            *here, "-m", "speeddata.stripchart", "--host", SERVER, "--ping", "0.5", f"--tokens={file.path}"
        )
        assert server.stderr
        assert "listening" in next(line for line in server.stderr if "listening" in line)
        client = start(*there, "-c", CLIENT_PROGRAM)
        assert client.stdout
        assert client.stdout.readline() == "welcomed\n"
        assert len(clients() or ()) == 1
        ip("-n", hosts[1], "link", "set", f"slb{os.getpid() % 10**6}", "down")
        wait_for(lambda: clients() == [])
        assert client.poll() is None
