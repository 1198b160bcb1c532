"""The blocks of commands in README.md and docs/*.md, each with its file and line, and a shell that runs them as readers do."""

import contextlib
import dataclasses
import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Callable, Iterable
from pathlib import Path

from line import wait_until

ROOT = Path(__file__).parents[2]
PAGES = ("README.md", *sorted(path.relative_to(ROOT).as_posix() for path in ROOT.glob("docs/*.md")))
FENCE = re.compile(r"^( *)(```+)(\w*)\s*$")
SHELLS = ("sh", "bash", "console")
LANGUAGES = (*SHELLS, "python")
OTHERS = ("html", "json", "text", "yaml")  # nothing that is run
# What a line that is only indented begins with, if it is a command.
PROGRAM = re.compile(
    r"(\$ |sudo |[A-Z_]+=\S* )*([\w./]*/)?(speeddata|make|docker|curl|echo|printf|sysctl|systemctl|journalctl|runuser|apt-get|apt|ip|ethtool"
    r"|python3?|pip|git|ssh|scp|rsync|cp|mv|rm|ln|mkdir|cat|export|source|for|while|dd|tee|mount|timedatectl)( |$)"
)
LIMIT_S = 90


@dataclasses.dataclass(frozen=True)
class Block:
    """A block of commands: where it begins, what language it is in, and its text without indent."""

    page: str
    line: int
    language: str
    code: str

    @property
    def place(self) -> str:
        return f"{self.page}:{self.line}"


def blocks(page: str) -> list[Block]:
    """The blocks of a page, those between fences and those that are indented, in order."""
    return parse(page, (ROOT / page).read_text(encoding="utf-8"))


def parse(page: str, text: str) -> list[Block]:
    """The blocks of a page's text."""
    found: list[Block] = []
    lines = text.splitlines()
    at = 0
    while at < len(lines):
        start = at
        fence = FENCE.match(lines[at])
        if fence:
            indent, marks, language = fence.groups()
            at = lines.index(f"{indent}{marks}", at + 1)
            code = [line.removeprefix(indent) for line in lines[start + 1 : at]]
        elif lines[at].startswith("    ") and (start == 0 or not lines[at - 1].strip()):
            while at < len(lines) and lines[at].startswith("    "):
                at += 1
            code = [line.removeprefix("    ") for line in lines[start:at]]
            language = "console" if code[0].startswith("$ ") else "sh" if PROGRAM.match(code[0]) else ""
        else:
            at += 1
            continue
        at += 1
        if language in LANGUAGES:
            found.append(Block(page, start + 1 + bool(fence), language, plain(language, code)))
    return found


def plain(language: str, lines: list[str]) -> str:
    """The commands alone: of a console what follows its prompts."""
    if language == "console":
        lines = [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
    return "\n".join(lines) + "\n"


class Shell:
    """One shell for many blocks: each finds the variables, and is in the folder, that those before it have left."""

    def __init__(self, folder: Path, swaps: dict[str, str], **environment: str) -> None:
        self.folder = folder
        self.swaps = swaps
        self.fresh = os.environ | environment
        self.environment = self.fresh
        self.where = folder
        self.scratch = folder.with_name(f"{folder.name}.shell")
        self.scratch.mkdir()
        self.number = 0

    def begin_anew(self) -> None:
        """Be a new shell in the same folder."""
        self.environment = self.fresh
        self.where = self.folder

    def swapped(self, code: str) -> str:
        """What is run in place of what is written."""
        longest_first = sorted(map(re.escape, self.swaps), key=len, reverse=True)
        return (
            re.sub("|".join(longest_first), lambda found: self.swaps[found[0]], code) if self.swaps else code
        )

    def _command(self, language: str, code: str) -> list[str]:
        self.number += 1
        if language in SHELLS:
            return ["bash", "-e", "-o", "pipefail", "-c", self.swapped(code)]
        program = self.scratch / f"{self.number}.py"
        program.write_text(self.swapped(code), encoding="utf-8")
        return ["python", "-P", "-W", "error::SyntaxWarning", str(program)]

    def run(self, language: str, code: str, limit_s: float = LIMIT_S) -> str:
        """Run it to its end, which must be a good one; what it printed."""
        kept = self.scratch / "environment"
        if language in SHELLS:
            code += f"\nenv -0 > {kept}\n"
        process = subprocess.Popen(
            self._command(language, code), cwd=self.where, env=self.environment, text=True, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        try:
            said, _ = process.communicate(timeout=limit_s)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            said, _ = process.communicate()
            raise AssertionError(f"it took longer than {limit_s} s, after\n{said}") from None
        assert process.returncode == 0, f"status {process.returncode}, after\n{said}"
        if language in SHELLS:
            pairs = (pair.partition("=") for pair in kept.read_text().split("\0") if pair)
            self.environment = {name: value for name, _, value in pairs}
            self.where = Path(self.environment["PWD"])
        return said

    def start(self, language: str, code: str, output: int) -> subprocess.Popen[bytes]:
        """Start what does not end by itself; what it prints goes to an open file."""
        return subprocess.Popen(
            self._command(language, code), cwd=self.where, env=self.environment, stdin=subprocess.DEVNULL,
            stdout=output, stderr=output, start_new_session=True,
        )  # fmt: skip

    def run_until(
        self, language: str, code: str, seen: Callable[[str], object], statuses: Iterable[int]
    ) -> str:
        """Start it in a terminal, wait until what it prints is right, press Ctrl-C; what it printed."""
        terminal = Terminal()
        try:
            process = self.start(language, code, terminal.far)
            try:
                wait_until(
                    lambda: process.poll() is not None or seen(terminal.read()),
                    f"{code!r}: what it is to print",
                    20,
                )
                early = process.poll()
                assert early is None, f"it ended by itself with {early}, after\n{terminal.read()}"
                os.killpg(process.pid, signal.SIGINT)
                status = process.wait(LIMIT_S)
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()
            assert status in statuses, f"status {status} at Ctrl-C, after\n{terminal.read()}"
            return terminal.read()
        except AssertionError as error:
            raise AssertionError(f"{error}\n{terminal.read()}") from None
        finally:
            terminal.close()


class Terminal:
    """A terminal, whose text is kept."""

    CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r")

    def __init__(self) -> None:
        self.near, self.far = pty.openpty()
        fcntl.ioctl(self.far, termios.TIOCSWINSZ, struct.pack("4H", 40, 200, 0, 0))
        os.set_blocking(self.near, False)
        self.raw = b""

    def read(self) -> str:
        """All that was printed so far, without what only moves and colours."""
        with contextlib.suppress(BlockingIOError):
            while True:
                self.raw += os.read(self.near, 1 << 16)
        return self.CONTROL.sub("", self.raw.decode(errors="replace"))

    def close(self) -> None:
        os.close(self.near)
        os.close(self.far)


def path_with_python() -> str:
    """PATH with this environment's programs in front."""
    return f"{Path(sys.executable).parent}:{os.environ['PATH']}"
