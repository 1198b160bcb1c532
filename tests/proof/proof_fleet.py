"""Two hundred channels at one record a second each: registered within seconds, all active, and an orchestrator that hardly works.

Everything runs: relays, live server, history. CHANNELS=n makes it another number, FLEET_S=n another time.
"""

import json
import os
import socket
import time

from line import NUMBERED, numbered, wait_until
from ports import free_port
from system import run

from speeddata.relay.proc_files import read_process

CHANNELS = int(os.environ.get("CHANNELS", "200"))
FLEET_S = float(os.environ.get("FLEET_S", "30"))
REGISTERED_S = 10.0
CORE_PERCENT = 3.0


def cpu_s(pid):
    reading = read_process(pid)
    assert reading is not None
    return reading.cpu_s


def test_two_hundred_channels(tmp_path):
    ports = set()
    while len(ports) < CHANNELS:
        ports.add(free_port())
    with run(tmp_path / "data") as system, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        status = system.processes()
        begin = time.perf_counter()
        for number, port in enumerate(sorted(ports)):
            system.register(f"channel{number:03}", port, NUMBERED)
        registered_s = time.perf_counter() - begin
        pids = {
            "orchestrator": status["pid"],
            "keeper": status["keeper"]["pid"],
            **{one["name"]: one["pid"] for one in status["services"]},
        }
        sent = 0

        def send_each():
            nonlocal sent
            for port in ports:
                sender.sendto(numbered(sent), ("127.0.0.1", port))
            sent += 1

        send_each()
        wait_until(
            lambda: system.get("/status")["channels"]["states"] == {"active": CHANNELS}, "all active", 30
        )
        before, begin = {name: cpu_s(pid) for name, pid in pids.items()}, time.perf_counter()
        while time.perf_counter() - begin < FLEET_S:
            send_each()
            time.sleep(max(0.0, begin + sent - 1 - time.perf_counter()))
        took = time.perf_counter() - begin
        used = {name: round(100 * (cpu_s(pid) - before[name]) / took, 2) for name, pid in pids.items()}
        states = system.get("/status")["channels"]["states"]
        wait_until(
            lambda: all(one["stats"]["archived"] == sent for one in system.get("/channels")["channels"]),
            "all in the archive",
            30,
        )
    print(
        json.dumps({"channels": CHANNELS, "registered_s": round(registered_s, 2), "percent_of_a_core": used})
    )
    assert states == {"active": CHANNELS}
    assert registered_s < REGISTERED_S
    assert used["orchestrator"] < CORE_PERCENT
