"""The progress bar of all commands: how far it is, its rate, how long it still takes, or what is waited for; on standard error, where
that is a terminal.

What is done within half a second shows none.
"""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

__all__ = ["BYTES", "ProgressBar", "rate_text", "waiting"]

DELAY_S = 0.5  # what takes no longer needs no bar
PAUSE_S = 0.05  # between two drawings
BYTES = "B"
PREFIXES = (("G", 1e9), ("M", 1e6), ("k", 1e3))


class ProgressBar:
    """One step of a command; draws nothing at all unless `shown`.

    `unit` is what its rate counts: "records", "rows", "B" for bytes.
    """

    def __init__(
        self, what: str, total: float | None = None, *, unit: str = "records", shown: bool = True
    ) -> None:
        self.what = what
        # Of `add`: what it counted.
        self.counted = 0.0
        self._unit = unit
        self._total = total
        self._done = 0.0
        self._shown = shown and sys.stderr is not None and sys.stderr.isatty()
        self._begun = time.monotonic()
        self._drawn = 0.0  # when it was drawn last
        self._first: float | None = None  # what was counted when it began, as of a download that is taken up
        self._progress: Progress | None = None
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Take it away."""
        if self._progress is not None:
            self._progress.stop()
            self._progress = None
        self._shown = False

    def add(self, done: float, counted: float | None = None) -> None:
        """So much more is done, which is so many of the unit."""
        if self._first is None:
            self._first = 0.0
        self._done += done
        self.counted += done if counted is None else counted
        self._draw(self.counted)

    def reach(self, done: float, total: float | None = None) -> None:
        """So much is done, of so much."""
        self._done = done
        self._total = total if total is not None else self._total
        if self._first is None:
            self._first = done
        self._draw(done)

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Print something meanwhile, without it and the bar being in one line."""
        if self._progress is None:
            yield
            return
        self._progress.stop()
        try:
            yield
        finally:
            sys.stdout.flush()
            self._progress.start()

    def _draw(self, counted: float) -> None:
        now = time.monotonic()
        spent = now - self._begun
        if not self._shown or (self._progress is None and spent < DELAY_S) or now - self._drawn < PAUSE_S:
            return
        self._drawn = now
        if self._progress is None:
            self._progress = progress = _made()
            self._task = progress.add_task(self.what, total=None, rate="")
            progress.start()
        assert self._task is not None, "made with the bar"
        rate = rate_text((counted - (self._first or 0.0)) / spent, self._unit)
        self._progress.update(self._task, completed=self._done, total=self._total or None, rate=rate)


@contextmanager
def waiting(what: str) -> Iterator[None]:
    """Tell what is waited for, and for how long by now, where nobody knows how far it is."""
    if sys.stderr is None or not sys.stderr.isatty():
        yield
        return
    ended = threading.Event()
    teller = threading.Thread(target=_tell, args=(what, ended), name="waiting", daemon=True)
    teller.start()
    try:
        yield
    finally:
        ended.set()
        teller.join()


def _tell(what: str, ended: threading.Event) -> None:
    if ended.wait(DELAY_S):
        return
    from rich import progress
    from rich.console import Console

    columns = (
        progress.SpinnerColumn(),
        progress.TextColumn("{task.description}", markup=False),
        progress.TimeElapsedColumn(),
    )
    shown = progress.Progress(*columns, console=Console(stderr=True), transient=True,
                              redirect_stdout=False, redirect_stderr=False)  # fmt: skip
    with shown:
        shown.add_task(what, total=None)
        ended.wait()


def rate_text(per_s: float, unit: str) -> str:
    """A rate for a reader."""
    if unit != BYTES:
        return f"{per_s:,.0f} {unit}/s" if per_s >= 10 or per_s == 0 else f"{per_s:.1f} {unit}/s"
    prefix, scale = next((one for one in PREFIXES if per_s >= one[1]), ("", 1.0))
    return f"{per_s / scale:,.1f} {prefix}{BYTES}/s"


def _made() -> Any:
    from rich import progress
    from rich.console import Console

    columns = (
        progress.TextColumn("{task.description}", markup=False), progress.BarColumn(), progress.TaskProgressColumn(),
        progress.TextColumn("{task.fields[rate]}"), progress.TimeRemainingColumn(),
    )  # fmt: skip
    return progress.Progress(*columns, console=Console(stderr=True), transient=True)
