"""How soon a chart is right again when its page comes back to sight, and what its heap gained meanwhile.

Under Playwright no page is ever hidden, as it has each believe that it has the focus: so the browser is spoken to directly, and
another tab is put before the page. The headless shell has no tabs, so it is the whole browser.
"""

import contextlib
import itertools
import json
import re
import subprocess
import tempfile
import time
from collections.abc import Iterator
from typing import Any

from browser import FLAGS
from chart_browser import heap_mb
from websockets.sync.client import ClientConnection, connect

CHROMIUM = "/usr/bin/chromium"
WARM_S = 5
READY_S = 60


class ProtocolError(RuntimeError):
    """What the browser refused."""


class Tabs:
    """A browser by its own protocol."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self.numbers = itertools.count(1)

    def call(self, method: str, session: str | None = None, **params: Any) -> dict[str, Any]:
        number = next(self.numbers)
        told = {"id": number, "method": method, "params": params} | (
            {"sessionId": session} if session else {}
        )
        self.connection.send(json.dumps(told))
        while True:
            answer = json.loads(self.connection.recv(READY_S))
            if answer.get("id") == number:
                if "error" in answer:
                    raise ProtocolError(f"{method}: {answer['error']}")
                result: dict[str, Any] = answer["result"]
                return result

    def open(self, url: str) -> tuple[str, str]:
        """A new tab: its target and session."""
        target = self.call("Target.createTarget", url=url)["targetId"]
        return target, self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]

    def evaluate(self, session: str, code: str) -> Any:
        """The value of an expression; an error while the page is between two documents."""
        told = self.call("Runtime.evaluate", session, expression=code, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in told, told
        return told["result"].get("value")

    def heap_mb(self, session: str) -> float:
        self.call("HeapProfiler.collectGarbage", session)
        return heap_mb(self.call("Runtime.getHeapUsage", session))

    def wait(self, session: str, code: str) -> None:
        deadline = time.monotonic() + READY_S
        while time.monotonic() < deadline:
            with contextlib.suppress(ProtocolError):
                if self.evaluate(session, code):
                    return
            time.sleep(0.1)
        raise AssertionError(f"timed out waiting for {code}")


@contextlib.contextmanager
def tabs() -> Iterator[Tabs]:
    """Run a browser of its own."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        command = [CHROMIUM, "--headless", *FLAGS, "--disable-dev-shm-usage", "--no-first-run"]
        command += ["--window-size=1300,800", "--remote-debugging-port=0", f"--user-data-dir={folder}"]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
            try:
                assert process.stderr
                found = next(
                    filter(None, (re.search(r"listening on (ws://\S+)", line) for line in process.stderr))
                )
                with connect(found[1], max_size=None) as connection:
                    yield Tabs(connection)
            finally:
                process.terminate()
                process.communicate()


def measure(url: str, minutes: float) -> tuple[float, float]:
    """Milliseconds until the window is whole again, and megabytes gained while hidden."""
    with tabs() as browser:
        other, _ = browser.open("about:blank")
        target, page = browser.open(url)
        browser.call("Target.activateTarget", targetId=target)
        browser.wait(page, "globalThis.bench?.isReady() ?? false")
        time.sleep(WARM_S)
        browser.call("Target.activateTarget", targetId=other)
        browser.wait(page, "document.hidden")
        time.sleep(WARM_S)  # until what was drawn last is collected
        before = browser.heap_mb(page)
        time.sleep(minutes * 60 - WARM_S)
        grown = browser.heap_mb(page) - before
        browser.call("Target.activateTarget", targetId=target)
        painted: float = browser.evaluate(page, "bench.returned")
        return painted, grown
