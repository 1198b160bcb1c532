"""What is known of an import that may be continued: which pieces the service has acknowledged."""

import json
import os
from pathlib import Path
from typing import Any

from speeddata.errors import FormatError

__all__ = ["ImportState", "state_folder"]


def state_folder() -> Path:
    """Where states are when the user names no place: $XDG_STATE_HOME/speeddata/imports."""
    given = os.environ.get("XDG_STATE_HOME", "")
    home = Path(given) if given.startswith("/") else Path.home() / ".local" / "state"
    return home / "speeddata" / "imports"


class ImportState:
    """A file of JSON lines: what is imported where, then a line for each piece that is there, then that all is.

    It is only ever added to. A line that a kill has cut is left out; the service knows that piece by its key.
    """

    def __init__(self, path: Path, about: dict[str, Any]) -> None:
        self.path = path
        # Pieces that the service has, by number.
        self.done: set[int] = set()
        # Rows in them.
        self.rows = 0
        # When all was there; "" before that.
        self.finished = ""
        # How often the same was imported before, on purpose.
        self.again = 0
        self._about = about
        self._anew = False
        self._read()

    def _read(self) -> None:
        try:
            lines = self.path.read_text("utf-8").splitlines()
        except FileNotFoundError:
            return
        except (OSError, UnicodeDecodeError) as error:
            raise FormatError(f"the state {self.path} cannot be read: {error}") from None
        entries = [entry for entry in map(_entry, lines) if entry is not None]
        if not entries:
            return
        if entries[0].get("import") != self._about:
            raise FormatError(
                f"the state {self.path} is of another import: give another --state, or delete it to begin anew"
            )
        self.again = int(entries[0].get("again", 0))
        for entry in entries[1:]:
            if "done" in entry and entry["done"] not in self.done:
                self.done.add(entry["done"])
                self.rows += entry.get("rows", 0)
            self.finished = entry.get("finished", self.finished)

    def begin(self) -> None:
        """Make the file, unless it is there."""
        try:
            if self._anew:
                self.path.unlink(missing_ok=True)
                self._anew = False
            self.path.parent.mkdir(parents=True, exist_ok=True)
            if not self.path.exists() or not self.path.stat().st_size:
                self._write({"import": self._about, "again": self.again})
            elif not self.path.read_bytes().endswith(b"\n"):
                with self.path.open("ab") as file:
                    file.write(b"\n")
        except OSError as error:
            raise FormatError(f"the state {self.path} cannot be written: {error}") from None

    def add(self, piece: int, rows: int) -> None:
        """Note that the service has a piece."""
        self.done.add(piece)
        self.rows += rows
        self._write({"done": piece, "rows": rows})

    def finish(self, when: str) -> None:
        self.finished = when
        self._write({"finished": when})

    def forget(self) -> None:
        """Believe nothing of what is noted; the file begins anew when the import begins."""
        self._anew = True
        self.done.clear()
        self.rows, self.finished = 0, ""

    def renew(self) -> None:
        """Import the same once more, when all of it is there."""
        self.forget()
        self.again += 1

    def _write(self, entry: dict[str, Any]) -> None:
        with self.path.open("ab") as file:
            file.write(json.dumps(entry).encode() + b"\n")


def _entry(line: str) -> dict[str, Any] | None:
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) else None
