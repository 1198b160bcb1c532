"""The progress bar of an import, where there is a terminal to show it."""

import sys
from types import TracebackType
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

__all__ = ["Bar"]


class Bar:
    """Shows how far a step is, its rate in rows, and how long it still takes; nothing at all unless `shown`."""

    def __init__(self, what: str, total: int, shown: bool) -> None:
        self.rows = 0
        self._done = 0
        self._total = total
        self._progress: Progress | None = None
        self._task: TaskID | None = None
        if shown and sys.stderr.isatty():
            from rich import progress
            from rich.console import Console

            columns = (
                progress.TextColumn("{task.description}"), progress.BarColumn(), progress.TaskProgressColumn(),
                progress.TextColumn("{task.fields[rate]}"), progress.TimeRemainingColumn(),
            )  # fmt: skip
            self._progress = progress.Progress(*columns, console=Console(stderr=True), transient=True)
            self._task = self._progress.add_task(what, total=total or None, rate="")

    def __enter__(self) -> Self:
        if self._progress is not None:
            self._progress.start()
        return self

    def __exit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        if self._progress is not None:
            self._progress.stop()

    def reach(self, done: int, total: int) -> None:
        """So much is done, of so much."""
        if self._progress is not None and self._task is not None:
            self._progress.update(self._task, completed=done, total=total)

    def add(self, size: int, rows: int) -> None:
        """So much more is done."""
        self._done += size
        self.rows += rows
        if self._progress is not None and self._task is not None:
            spent = self._progress.tasks[0].elapsed or 0.0
            rate = f"{self.rows / spent:,.0f} rows/s" if spent > 0.1 else ""
            self._progress.update(self._task, completed=self._done, rate=rate)
