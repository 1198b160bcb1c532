"""The whole system as its users start it: `speeddata run` in a process of its own, on ports of its own."""

import contextlib
import fcntl
import json
import signal
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from line import wait_until
from ports import free_tcp_ports

from speeddata.access import bearer

LIMIT_S = 30.0
SPEEDDATA = (sys.executable, "-P", "-m", "speeddata")


def speeddata(*arguments: str, limit_s: float = LIMIT_S, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        [*SPEEDDATA, *arguments], capture_output=True, text=True, timeout=limit_s, **options
    )


class System:
    """A running system; `run` gives one and ends what is left of it."""

    def __init__(self, data: Path, *options: str, command: str = "run") -> None:
        self.data = data
        self.command = command
        self.options = options
        self.api_port, self.websocket_port, self.pivot_port = free_tcp_ports(3)
        self.output = data.with_name(f"{data.name}.out")
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *, wait: bool = True) -> "System":
        """Start the orchestrator, and wait until its API answers."""
        ports = [
            f"--api-port={self.api_port}",
            f"--websocket-port={self.websocket_port}",
            f"--pivot-port={self.pivot_port}",
        ]
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(
                [*SPEEDDATA, self.command, f"--data={self.data}", *ports, *self.options],
                stdout=output, stderr=output, stdin=subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip
        if wait:
            wait_until(self.answers, f"API of {self.said()!r}", LIMIT_S)
        return self

    def answers(self) -> bool:
        """Whether the API answers; fails if the orchestrator has ended."""
        assert self.process is not None
        assert self.process.poll() is None, self.said()
        with contextlib.suppress(OSError):
            return self.ask("GET", "/healthz")[0] == 200
        return False

    def said(self) -> str:
        """What the orchestrator has printed and logged."""
        return self.output.read_text() if self.output.exists() else ""

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """One request to the API: status and JSON."""
        data = None if body is None else json.dumps(body).encode()
        own = self.data / "run" / "token"
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.api_port}{path}",
            data,
            {"Content-Type": "application/json", **bearer(own if own.exists() else None)},
            method=method,
        )
        try:
            with urllib.request.urlopen(request, timeout=LIMIT_S) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.loads(error.read())

    def get(self, path: str) -> Any:
        """GET below /api/v1, which must succeed."""
        status, answer = self.ask("GET", f"/api/v1{path}")
        assert status == 200, answer
        return answer

    def processes(self) -> dict[str, Any]:
        """The status, once the keeper and every service have been started."""

        def started() -> dict[str, Any] | None:
            status: dict[str, Any] = self.get("/status")
            there = all(one["pid"] for one in [status["keeper"], *status["services"]])
            return status if status["services"] and there else None

        found: dict[str, Any] = wait_until(started, "all processes")
        return found

    def register(self, name: str, port: int, schema: Any, **config: Any) -> dict[str, Any]:
        """Register a channel, which must succeed."""
        body = {"name": name, "port": port, "schema": schema, "config": config}
        status, answer = self.ask("POST", "/api/v1/channels", body)
        assert status == 201, answer
        return dict(answer)

    def end(self, number: int = signal.SIGTERM, limit_s: float = LIMIT_S) -> int:
        """Send the orchestrator a signal and wait for its end; its exit status."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(limit_s)

    def stop(self) -> str:
        """`speeddata stop`; what it said."""
        done = speeddata("stop", f"--data={self.data}")
        assert done.returncode == 0, done.stderr
        if self.process is not None:
            self.process.wait(LIMIT_S)
        return done.stdout


@contextlib.contextmanager
def demo_turn() -> Iterator[None]:
    """One demo at a time on this machine, as its channels have ports of their own."""
    with open(Path(tempfile.gettempdir()) / "speeddata-demo.lock", "w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def demo(data: Path) -> Iterator[System]:
    """The demo."""
    with demo_turn(), run(data, command="demo") as started:
        yield started


@contextlib.contextmanager
def run(data: Path, *options: str, command: str = "run") -> Iterator[System]:
    """A system that is started and, whatever happens, stopped."""
    system = System(data, *options, command=command)
    try:
        yield system.start()
    finally:
        system.stop()


def alive(pid: int) -> bool:
    """Whether a process lives (one that is dead and not reaped does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False
