"""How processes say things: a line an event, as text or as JSON, and so many a second but no more.

text   2026-01-23T14:00:00.123Z WARNING pivot: what happened
json   {"time": "2026-01-23T14:00:00.123Z", "level": "WARNING", "process": "pivot", "message": "what happened"}

What is beyond the ration is counted and said with the next line.
"""

import json
import logging
import os
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TextIO

__all__ = ["FORMATS", "VARIABLE", "Line", "Ration", "format_line", "left_out", "read_line", "set_up"]

VARIABLE = "SPEEDDATA_LOG_FORMAT"
FORMATS = ("text", "json")
BURST, PER_S = 500, 50  # lines
MAX_MESSAGE = 8192  # characters
TEXT = re.compile(
    r"(?P<time>\d{4}-\d\d-\d\dT[\d:.]+Z) (?P<level>[A-Z]+) (?P<process>[^\s:]+): (?P<message>.*)", re.DOTALL
)


@dataclass(frozen=True)
class Line:
    """One thing that was said."""

    time: str
    level: str
    process: str
    message: str

    @property
    def number(self) -> int:
        """The level as `logging` counts it."""
        known = logging.getLevelName(self.level)
        return known if isinstance(known, int) else logging.INFO


class Ration:
    """How much may be said: so many lines at once, so many a second in the long run."""

    def __init__(
        self, burst: float = BURST, per_s: float = PER_S, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.clock = clock
        self.left_out = 0  # since something could be said last
        self.total = 0  # that were left out, ever
        self._burst, self._per_s = burst, per_s
        self._left, self._at = burst, clock()

    def take(self) -> bool:
        """Whether one more line may be said."""
        now = self.clock()
        self._left = min(self._burst, self._left + (now - self._at) * self._per_s)
        self._at = now
        if self._left < 1:
            self.left_out += 1
            self.total += 1
            return False
        self._left -= 1
        return True

    def take_left_out(self) -> int:
        """How many could not be said since the last that could; they are told now."""
        count, self.left_out = self.left_out, 0
        return count


class _Formatter(logging.Formatter):
    def __init__(self, process: str, style: str) -> None:
        super().__init__()
        self._process, self._as = process, style

    def format(self, record: logging.LogRecord) -> str:
        message = record.getMessage()
        if record.exc_info:
            message = f"{message}\n{self.formatException(record.exc_info)}"
        stamp = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")[:-6] + "Z"
        # A line that a child has said is told as the child's.
        process = getattr(record, "source", self._process)
        return format_line(Line(stamp, record.levelname, process, message[:MAX_MESSAGE]), self._as)


class _Handler(logging.StreamHandler[TextIO]):
    """Writes within its ration; where nobody takes what is said it is gone, and work goes on."""

    def __init__(self) -> None:
        super().__init__()
        self._ration = Ration()

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno < logging.ERROR and not self._ration.take():
            return
        if count := self._ration.take_left_out():
            words = f"{count} lines were left out, as more came than {PER_S} a second"
            super().emit(
                logging.makeLogRecord({"msg": words, "levelno": logging.WARNING, "levelname": "WARNING"})
            )
        super().emit(record)

    def handleError(self, _: logging.LogRecord) -> None:
        """Nothing is to be done: who would read of it?"""


def set_up(process: str, style: str | None = None) -> None:
    """Have this process say things on its standard error; `style` is one of FORMATS, or what the environment says."""
    style = style or os.environ.get(VARIABLE, "")
    handler = _Handler()
    handler.setFormatter(_Formatter(process, style if style in FORMATS else "text"))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)


def left_out() -> int:
    """How many lines of this process were left out, as more came than its ration."""
    return sum(
        handler._ration.total for handler in logging.getLogger().handlers if isinstance(handler, _Handler)
    )


def format_line(line: Line, style: str) -> str:
    """A line as it is written."""
    if style == "json":
        told = {"time": line.time, "level": line.level, "process": line.process, "message": line.message}
        return json.dumps(told)
    # Further lines of one event are set in, so that nobody can make them look like events of their own.
    return f"{line.time} {line.level} {line.process}: " + line.message.replace("\r", "\\r").replace(
        "\n", "\n    "
    )


def read_line(text: str, process: str) -> Line:
    """What a line of a process's log says; one that is none of ours is a message of that process."""
    if text.startswith("{"):
        try:
            told = json.loads(text)
            return Line(str(told["time"]), str(told["level"]), str(told["process"]), str(told["message"]))
        except (ValueError, KeyError, TypeError):
            pass
    if found := TEXT.fullmatch(text):
        return Line(found["time"], found["level"], found["process"], found["message"])
    return Line("", "INFO", process, text)
