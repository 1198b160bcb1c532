"""Two network namespaces as two hosts: a device on one registers, sends, subscribes and watches what runs on the other."""

import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from line import wait_until
from system import SPEEDDATA

from speeddata.tokens import TokenFile

SERVER, DEVICE = "10.77.0.1", "10.77.0.2"
# What the device runs: register over REST, hear the decimated group, send, watch by WebSocket, export. Prints JSON.
DEVICE_PROGRAM = """
import asyncio, json, socket, struct, sys, time
import requests, websockets

server, device, token = sys.argv[1:]
asked = requests.Session()
assert requests.get(f"http://{server}:8080/api/v1/channels", timeout=10).status_code == 401
asked.headers["Authorization"] = f"Bearer {token}"
api = f"http://{server}:8080/api/v1"
schema = {"type": "record", "name": "engine", "fields": [
    {"name": "time", "type": "double"}, {"name": "speed", "type": "double"}]}
body = {"name": "engine", "port": 26010, "schema": schema,
        "config": {"decimation": {"algorithm": "downsample", "factor": 10}}}
registered = asked.post(f"{api}/channels", json=body, timeout=10).status_code
details = asked.get(f"{api}/channels/engine", timeout=10).json()
group = details["multicast"]["decimated"]
member = socket.inet_aton(group["address"]) + socket.inet_aton(device)
heard = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
heard.bind((group["address"], group["port"]))
heard.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
heard.settimeout(20)

def served(port):
    try:
        socket.create_connection((server, port), 5).close()
    except OSError:
        return False
    return True

deadline = time.monotonic() + 20
while not (served(8081) and served(8000)):
    assert time.monotonic() < deadline
    time.sleep(0.1)

def blocks(frame):
    '''Flags, id and numbers of each block of values of a frame.'''
    magic, version, count = struct.unpack_from("<4s2H", frame)
    assert (magic, version, struct.unpack_from("<I", frame, 24)[0]) == (b"SDLV", 2, len(frame))
    at = 32
    for _ in range(count):
        kind, flags, number, n = struct.unpack_from("<2H2I", frame, at)
        width = 4 if kind == 3 else 8
        if kind in (2, 3):
            yield flags, number, struct.unpack_from(f"<{n}{'f' if kind == 3 else 'd'}", frame, at + 16)
        at += 16 + (n * width + 7) // 8 * 8
    assert at == len(frame)

async def watch():
    '''How many frames brought values of engine.speed, and the values.'''
    async with websockets.connect(f"ws://{server}:8081", additional_headers=dict(asked.headers)) as live:
        await live.send(json.dumps({"type": "subscribe", "signals": ["engine.speed"], "window": 5}))
        frames, values, speed, deadline = 0, [], None, time.monotonic() + 20
        while not (values and values[-1] > 990) and time.monotonic() < deadline:
            message = await asyncio.wait_for(live.recv(), 20)
            if isinstance(message, str):
                told = json.loads(message)
                if told["type"] == "subscribed":
                    speed = told["signals"][0].get("id")
                continue
            for flags, number, numbers in blocks(message):
                if number == speed:
                    values = [] if flags & 1 else values
                    values += [value for value in numbers if value == value]
                    frames += 1
        return frames, values

async def send():
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    for n in range(1000):
        sender.sendto(struct.pack("<2d", time.time(), n), (server, 26010))
        await asyncio.sleep(0.002)

async def both():
    watching = asyncio.create_task(watch())
    await asyncio.sleep(1)
    await send()
    return await watching

frames, watched = asyncio.run(both())
decimated = [struct.unpack("<2d", heard.recv(1000))[1] for _ in range(100)]
deadline = time.monotonic() + 20
while (stats := asked.get(f"{api}/channels/engine", timeout=10).json()["stats"])["archived"] < 1000:
    assert time.monotonic() < deadline, stats
    time.sleep(0.1)
export = asked.get(f"http://{server}:8000/api/v1/pivot/export?duration=PT1M&channels=engine", timeout=20)
print(json.dumps({"registered": registered, "frames": frames, "watched": watched, "decimated": decimated, "archived": stats["archived"],
                  "export": [export.status_code, export.content[:8].hex()],
                  "page": asked.get(f"http://{server}:8080/", timeout=10).status_code}))
"""


def ip(*arguments):
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


@pytest.fixture
def hosts():
    """Two namespaces joined by a cable; their names."""
    names = [f"speeddata-{role}-{os.getpid()}" for role in ("server", "device")]
    with contextlib.ExitStack() as undo:
        for name in names:
            ip("netns", "add", name)
            undo.callback(ip, "netns", "del", name)
        ends = [f"sd{role}{os.getpid() % 10**6}" for role in "ab"]
        ip("link", "add", ends[0], "type", "veth", "peer", "name", ends[1])
        for name, end, address in zip(names, ends, (SERVER, DEVICE), strict=True):
            ip("link", "set", end, "netns", name)
            ip("-n", name, "addr", "add", f"{address}/24", "dev", end)
            ip("-n", name, "link", "set", end, "up")
            ip("-n", name, "link", "set", "lo", "up")
        yield names


@pytest.mark.netns
@pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root")
def test_a_device_on_another_host(hosts, tmp_path):
    server_host, device_host = hosts
    (tmp_path / "data").mkdir()
    options = ["--host", SERVER, "--listen", SERVER, "--set", f"global.multicast.interface={SERVER}",
               "--set", "global.multicast.ttl=1", "--data", str(tmp_path / "data")]  # fmt: skip
    token = TokenFile(tmp_path / "data" / "tokens.json").add("device", "write")
    said = tmp_path / "said"
    with said.open("wb") as output:
        server = subprocess.Popen(["ip", "netns", "exec", server_host, *SPEEDDATA, "run", *options],
                                  stdout=output, stderr=output)  # fmt: skip
    try:
        wait_until(lambda: server.poll() is not None or "history" in said.read_text(), "the start", 30)
        assert server.poll() is None, said.read_text()
        assert "every host that reaches it can send records" in said.read_text()
        device = subprocess.run(
            ["ip", "netns", "exec", device_host, sys.executable, "-P", "-c", DEVICE_PROGRAM, SERVER, DEVICE, token],
            capture_output=True, text=True, timeout=90,
        )  # fmt: skip
        assert device.returncode == 0, device.stderr + said.read_text()
    finally:
        server.terminate()
        assert server.wait(20) == 0
    saw = json.loads(device.stdout)
    assert (saw["registered"], saw["archived"], saw["page"]) == (201, 1000, 200)
    assert saw["decimated"] == [float(n) for n in range(9, 1000, 10)]
    assert saw["frames"] >= 5
    # Each value once, in order, to the last: what came before the live stream's first is from the archive, and whole.
    assert len(saw["watched"]) >= 50
    assert saw["watched"] == sorted(set(saw["watched"]))
    live = [value for value in saw["watched"] if value in saw["decimated"]]
    assert live == saw["decimated"][-len(live) :]
    assert [value for value in saw["watched"] if value > live[0]] == live[1:]
    assert saw["export"] == [200, b"\x89HDF\r\n\x1a\n".hex()]
    assert len(list(Path(tmp_path / "data" / "archive" / "engine").glob("engine_*.avro"))) == 1
