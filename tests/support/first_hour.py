"""The walk of docs/first-hour.md: its blocks as they are written, by who has an empty home but for a clone, in a network of its own.

`python first_hour.py URL` looks at the live page as a reader does at the word "Open".
"""

import contextlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from docs_blocks import LIMIT_S, Block, Shell, Terminal, blocks
from line import wait_until
from own_network import own_network

PAGE = "docs/first-hour.md"
# What certain blocks, by their beginnings, must print.
PRINTS = {
    "cd ~/first-hour\nsource ": r"speeddata, version \d",
    "cat > engine.avsc": "'engine' registered .* port 26010",
    "speeddata tail": r"engine\.speed +[\d.,]+ +1/min",
    "speeddata status": r"(?s)all is well.*engine +26010 +active",
    "curl": r'(?s)"speed\.max".*records.*"engine\.speed"',
    "speeddata tag": r"first-run\.h5: [\d,]+ records, [\d,]+ bytes",
    "from speeddata": r"(?s)1/min on average.*\d of \d+ records above the limit",
    "speeddata verify": r"[1-9]\d* records, \d+ bytes: whole",
}


class Walk:
    """A reader with an empty home but for a clone, and as many terminals as the page wants."""

    def __init__(self, home: Path, installed: Callable[[], None], wheel: Path) -> None:
        self.clone = home / "speeddata"
        self.clone.mkdir(parents=True)
        self.wheel = wheel
        # This environment's programs are not on the way: python3 is the one that it was made of.
        path = f"{Path(sys.base_prefix) / 'bin'}:{os.environ['PATH']}"
        self.shell = Shell(self.clone, {}, PATH=path, HOME=str(home), TERM="xterm")
        for name in ("VIRTUAL_ENV", "PYTHONPATH"):
            self.shell.environment.pop(name, None)
        self.installed = installed
        self.held: list[tuple[subprocess.Popen[bytes], Terminal]] = []
        self.said: dict[str, str] = {}
        self.network = contextlib.ExitStack()

    def all(self) -> None:
        """Go through the whole page."""
        for block in blocks(PAGE):
            self.said[block.code] = said = self.one(block)
            for begins, pattern in PRINTS.items():
                if block.code.startswith(begins):
                    assert re.search(pattern, said), f"{block.place}: no {pattern!r} in\n{said}"

    def one(self, block: Block) -> str:
        """Do what the page says about a block, and beside it."""
        code = block.code
        if code.strip() == "make dist":  # was done, see tests/support/wheel.py
            (self.clone / "dist").mkdir()
            shutil.copy(self.wheel, self.clone / "dist")
            return ""
        if code.startswith(("speeddata run", "python sender.py")):
            return self.hold(block)
        if code.startswith("speeddata tail"):
            self.look()
            wanted = PRINTS["speeddata tail"]
            return self.shell.run_until("sh", code, lambda said: re.search(wanted, said), (0,))
        if code.startswith("speeddata tag"):
            self.release()  # the sender
        if code.startswith("curl"):  # nobody is here within the first wave's seconds
            alarms = "curl -sS --fail http://localhost:8080/api/v1/alarms | grep engine.speed"
            wait_until(lambda: self.succeeds(alarms), "an alarm", 30)
        said = self.shell.run(block.language, code)
        if " -m pip install" in code:
            self.installed()
            # From here on every port is free, as on a machine that does nothing else.
            self.network.enter_context(own_network())
        if code.startswith("speeddata stop"):
            server, terminal = self.held.pop()
            assert server.wait(LIMIT_S) == 0
            terminal.close()
        return said

    def hold(self, block: Block) -> str:
        """Have it hold a terminal of its own."""
        terminal = Terminal()
        process = self.shell.start(block.language, f"exec {block.code}", terminal.far)
        self.held.append((process, terminal))
        if block.code.startswith("speeddata run"):
            ask = "curl -sS --fail http://localhost:8080/healthz"
            wait_until(lambda: self.succeeds(ask) or process.poll() is not None, "the API", LIMIT_S)
        assert process.poll() is None, terminal.read()
        return ""

    def succeeds(self, command: str) -> bool:
        with contextlib.suppress(AssertionError):
            self.shell.run("sh", command)
            return True
        return False

    def release(self) -> None:
        """Press Ctrl-C in the newest terminal."""
        process, terminal = self.held.pop()
        process.send_signal(2)
        assert process.wait(LIMIT_S) == 0, terminal.read()
        terminal.close()

    def look(self) -> None:
        """Open the page."""
        seen = subprocess.run(
            [sys.executable, "-P", __file__, "http://localhost:8080/"],
            env=os.environ | {"PYTHONPATH": str(Path(__file__).parent)},
            capture_output=True, text=True, timeout=LIMIT_S, check=False,
        )  # fmt: skip
        assert seen.returncode == 0, seen.stderr

    def close(self) -> None:
        for process, terminal in reversed(self.held):
            process.terminate()
            process.wait(LIMIT_S)
            terminal.close()


def walk(home: Path, installed: Callable[[], None], wheel: Path) -> dict[str, str]:
    """Do the walk, with a wheel that was made; what each block said."""
    reader = Walk(home, installed, wheel)
    with reader.network:
        try:
            reader.all()
        finally:
            reader.close()
    return reader.said


LIVE = """() => document.querySelector('canvas[data-signals="engine.speed"]')
    ?.stripchart.columns().signals[0].columns.length > 20"""


def look(url: str) -> None:
    """Open the live page, and wait until a chart of the speed has been drawn for a while; all of it from this machine."""
    from browser import browsing
    from page_watch import Watch

    watch = Watch()
    with browsing() as browser:
        page = browser.new_page(viewport={"width": 1000, "height": 1400})
        watch.attach(page)
        page.goto(url)
        page.wait_for_function(LIVE, timeout=30_000)
        page.close()
    watch.check()


if __name__ == "__main__":
    look(sys.argv[1])
