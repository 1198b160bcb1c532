"""Runs the sealing process (see sealing.py), one at a time: starts it for some segments, collects what came of each.

Like a service it carries the path of its pid file, so that one that outlived its orchestrator is found and ended.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from speeddata.pidfile import write_pidfile
from speeddata.relay.data_folder import DataFolder
from speeddata.relay.sealing import Outcome
from speeddata.relay.strays import MARK
from speeddata.times import format_time

__all__ = ["Sealer"]

NAME = "sealing"
MAX_LOG = 1 << 20
END_LIMIT_S = 0.5  # for a killed one to be gone, unless the disk holds it


class Sealer:
    """At most one sealing process."""

    def __init__(self, data: DataFolder) -> None:
        self.pidfile = data.pidfile(NAME)
        self.log = data.log_file(NAME)
        # What it is at work on.
        self.paths: tuple[Path, ...] = ()
        self.pidfd = -1
        self._process: subprocess.Popen[bytes] | None = None
        self._since_ns = 0

    def to_json(self) -> dict[str, Any] | None:
        """The process as the API shows it; None when there is none. For any thread."""
        process, since_ns = self._process, self._since_ns
        return None if process is None else {"pid": process.pid, "since": format_time(since_ns)}

    def start(self, paths: Sequence[Path], codec: str | None) -> None:
        """Seal segments; OSError when that cannot be begun."""
        assert self._process is None, "one at a time"
        if self.log.exists() and self.log.stat().st_size > MAX_LOG:
            self.log.replace(self.log.with_suffix(".log.1"))
        options = ["--codec", codec] if codec else []
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", "speeddata.relay.sealing", *options, *map(str, paths)],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, start_new_session=True,
                env={**os.environ, MARK: str(self.pidfile)},
            )  # fmt: skip
        self.paths, self._since_ns, self._process = tuple(paths), time.time_ns(), process
        try:
            self.pidfd = os.pidfd_open(process.pid)
        except OSError:
            self.stop()  # one that cannot be watched shall not be
            raise
        write_pidfile(self.pidfile, process.pid)

    def finished(self) -> list[Outcome] | None:
        """What came of the segments, once the process has ended; None while there is nothing to tell."""
        if self._process is None or self._process.poll() is None:
            return None
        assert self._process.stdout is not None, "it is a pipe"
        said = self._process.stdout.read().decode(errors="replace").splitlines()
        told = {}
        for line in said:
            with contextlib.suppress(ValueError, KeyError, TypeError):
                outcome = Outcome.from_json(json.loads(line))
                told[outcome.path] = outcome
        words = f"the sealing process ended: {_how(self._process.returncode)}"
        outcomes = [told.get(path, Outcome(path, words=words)) for path in self.paths]
        self._let_go()
        return outcomes

    def stop(self) -> bool:
        """Kill the process, whatever it is at; False when it is still not gone, as when the disk holds it."""
        if self._process is None:
            return True
        self._process.kill()
        try:
            self._process.wait(END_LIMIT_S)
        except subprocess.TimeoutExpired:
            return False
        self._let_go()
        return True

    def _let_go(self) -> None:
        assert self._process is not None, "there is one"
        if self._process.stdout is not None:
            self._process.stdout.close()
        if self.pidfd >= 0:
            os.close(self.pidfd)
        self.paths, self.pidfd, self._process = (), -1, None
        with contextlib.suppress(OSError):
            self.pidfile.unlink(missing_ok=True)


def _how(code: int) -> str:
    return signal.Signals(-code).name if code < 0 else f"exit status {code}"
