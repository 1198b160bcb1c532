"""What happens to a service under systemd, as seen from inside: run by the proof beside the systemd that it has started.

The standard library alone. Prints a line of JSON; whatever is not as promised ends it.
"""

import json
import os
import signal
import socket
import struct
import subprocess
import time
import urllib.request
from collections.abc import Callable
from typing import Any

API, HISTORY = "http://127.0.0.1:8080", "http://127.0.0.1:8000"
PROGRAM = ("/opt/speeddata/bin/python", "-P", "-m", "speeddata")
PORT = 26010
LIMIT_S = 60.0
FIELDS = [{"name": "time", "type": "double"}, {"name": "value", "type": "double"}]


def ask(url: str, body: Any = None) -> bytes:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=LIMIT_S) as answer:
        return bytes(answer.read())


def wait(condition: Callable[[], Any], what: str) -> Any:
    deadline = time.monotonic() + LIMIT_S
    while time.monotonic() < deadline:
        try:
            if value := condition():
                return value
        except OSError:
            pass
        time.sleep(0.05)
    raise SystemExit(f"{what}: not within {LIMIT_S} s")


def told(*names: str) -> list[str]:
    """What systemd tells of the unit."""
    shown = systemctl("show", "-p", ",".join(names), "speeddata")
    found = dict(line.split("=", 1) for line in shown.splitlines())
    return [found[name] for name in names]


def systemctl(*words: str) -> str:
    done = subprocess.run(["systemctl", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, (words, done.stderr)
    return done.stdout


def channel() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(ask(f"{API}/api/v1/channels/x"))
    return found


def processes() -> dict[str, int] | None:
    """Every process by its name, once all run and systemd says so."""
    status = json.loads(ask(f"{API}/api/v1/status"))
    found = {service["name"]: service["pid"] for service in status["services"]}
    found |= {"orchestrator": status["pid"], "keeper": status["keeper"]["pid"], "relay": channel()["pid"]}
    up = told("ActiveState", "SubState") == ["active", "running"]
    return found if up and len(found) == 6 and all(found.values()) else None


class Source:
    """Sends records, and sees them on the disk."""

    def __init__(self) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sent = 0

    def send(self, count: int = 500) -> None:
        for _ in range(count):
            self.socket.sendto(struct.pack("<2d", time.time(), self.sent), ("127.0.0.1", PORT))
            self.sent += 1

    def arrived(self) -> None:
        wait(lambda: (channel()["stats"] or {}).get("durable") == self.sent, f"{self.sent} records durable")


def main() -> None:
    figures: dict[str, Any] = {}
    systemctl("start", "speeddata")
    assert told("ActiveState") == ["active"], "READY was told"
    schema = {"type": "record", "name": "x", "fields": FIELDS}
    body = {"name": "x", "port": PORT, "schema": schema, "config": {"compression": "zstandard", "cpus": [0]}}
    ask(f"{API}/api/v1/channels", body)
    source = Source()
    source.send()
    source.arrived()
    closed_in(channel()["pid"])
    figures["exports"] = exports()
    outlive(source, figures)
    renew(source)
    end(source)
    print(json.dumps({**figures, "sent": source.sent}))


def closed_in(pid: int) -> None:
    """A relay has no rights, is under a filter, runs as its own user, and has its memory locked all the same."""
    with open(f"/proc/{pid}/status") as file:
        status = dict(line.rstrip().split(":\t", 1) for line in file if ":\t" in line)
    assert int(status["CapBnd"], 16) == int(status["CapEff"], 16) == 0
    assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")
    assert status["Uid"].split()[0] != "0"
    assert status["VmLck"].split()[0] != "0"


def exports() -> dict[str, int]:
    """Every library that might make code at run time is used."""
    wait(lambda: ask(f"{HISTORY}/api/v1/health"), "the history service")
    url = f"{HISTORY}/api/v1/pivot/export?duration=PT5M&channels=x&format="
    sizes = {name: len(ask(url + name)) for name in ("hdf5", "parquet", "arrow", "csv", "jsonl", "avro")}
    assert all(size > 500 for size in sizes.values()), sizes
    assert ask(f"{HISTORY}/api/v1/query?channels=x&duration=PT5M&every=1s&aggregates=avg,max")
    counted = subprocess.run(
        [*PROGRAM, "sql", "SELECT count(*) AS n FROM x"], capture_output=True, text=True, check=True
    )
    assert "500" in counted.stdout
    return sizes


def outlive(source: Source, figures: dict[str, Any]) -> None:
    """Orchestrators are killed and hang; relay and keeper stay, services are renewed, nothing is lost."""
    before = wait(processes, "all processes")
    for number, name in ((signal.SIGKILL, "killed_s"), (signal.SIGSTOP, "hung_s")):
        restarts, begun = told("NRestarts"), time.monotonic()
        os.kill(processes()["orchestrator"], number)  # type: ignore[index]
        source.send()
        wait(lambda restarts=restarts: told("NRestarts") != restarts, "another start")
        after = wait(processes, "all processes again")
        figures[name] = round(time.monotonic() - begun, 1)
        assert (after["keeper"], after["relay"]) == (before["keeper"], before["relay"])
        gone = [name for name in ("ingest", "stripchart", "pivot") if os.path.exists(f"/proc/{before[name]}")]
        assert not gone, f"services of the former orchestrator: {gone}"
        before = after
        source.arrived()


def renew(source: Source) -> None:
    """A reload renews every process but the orchestrator's own, which begins anew, all within the unit."""
    before = wait(processes, "all processes")
    restarts = told("NRestarts")
    source.send()
    systemctl("reload", "speeddata")
    after = wait(processes, "all processes, renewed")
    assert after.pop("orchestrator") == before.pop("orchestrator")
    assert not set(before.values()) & set(after.values())
    source.send()
    source.arrived()
    time.sleep(12)  # longer than the watchdog waits: the one that began anew gives signs of life too
    assert told("NRestarts", "ActiveState") == [*restarts, "active"]
    with open("/sys/fs/cgroup/system.slice/speeddata.service/cgroup.procs") as file:
        assert set(map(str, after.values())) <= set(file.read().split())


def end(source: Source) -> None:
    """A stop ends everything, also what has outlived its orchestrator and its keeper."""
    before = wait(processes, "all processes")
    os.kill(before["keeper"], signal.SIGKILL)
    source.send()
    source.arrived()
    last = wait(lambda: (now := processes()) and now["keeper"] != before["keeper"] and now, "another keeper")
    assert last["relay"] == before["relay"]
    stats = channel()["stats"]
    assert (stats["kernel_drops"], stats["ring_full"]) == (0, 0)
    systemctl("stop", "speeddata")
    assert told("ActiveState", "Result") == ["inactive", "success"]
    assert not [pid for pid in last.values() if os.path.exists(f"/proc/{pid}")]


if __name__ == "__main__":
    main()
