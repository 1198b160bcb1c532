"""Where things lie in a data folder."""

import fcntl
import os
import re
import secrets
from pathlib import Path

from speeddata.errors import RelayError

__all__ = ["DataFolder"]

ID = re.compile(r"[0-9a-f]{32}")


class DataFolder:
    """Paths of one data folder."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self.registry = self.path / "registry.db"
        self.archive = self.path / "archive"
        self.id = self.path / "id"
        self.run = self.path / "run"
        # Who may ask, and by what the services ask each other.
        self.tokens = self.path / "tokens.json"
        self.own_token = self.run / "token"
        self.log = self.path / "log"
        # Pages that users write.
        self.pages = self.path / "pages"
        # Of the shared relay: which segments it works on, which batches are done.
        self.journal = self.path / "ingest.journal"
        self.ingest_socket = self.run / "ingest.sock"
        self.keeper_lock = self.run / "keeper.lock"
        # Held by `speeddata stop` and `restart`, which follow each other.
        self.command_lock = self.run / "command.lock"

    def make(self) -> None:
        """Make what is not there; RelayError if that cannot be."""
        for folder in (self.path, self.run, self.log, self.pages):
            try:
                folder.mkdir(parents=True, exist_ok=True, mode=0o750)
            except OSError as error:
                wanted = "wanted a folder that can be written"
                raise RelayError(f"--data {self.path}: {folder}: {error.strerror}, {wanted}") from None

    def instance(self) -> str:
        """What tells this data folder from all others: 32 hex digits, made when it is first asked for; RelayError."""
        try:
            folder = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                # Another process may be about to make it too.
                fcntl.flock(folder, fcntl.LOCK_EX)
                return self._known() or self._make_id(folder)
            finally:
                os.close(folder)
        except OSError as error:
            raise RelayError(
                f"{self.id}: {error.strerror}, wanted a file that can be made and read"
            ) from None

    def _make_id(self, folder: int) -> str:
        made = secrets.token_hex(16)
        part = self.id.with_suffix(".part")
        with part.open("w", encoding="ascii") as file:
            file.write(f"{made}\n")
            file.flush()
            os.fsync(file.fileno())
        part.replace(self.id)
        os.fsync(folder)
        return made

    def _known(self) -> str | None:
        """The id that is there; None where there is none."""
        try:
            text = self.id.read_text("ascii", "replace").strip()
        except FileNotFoundError:
            return None
        return text if ID.fullmatch(text) else None

    def lock(self, service: str) -> Path:
        """The lock of the orchestrator that runs a service."""
        return self.run / f"{service}.lock"

    def pidfile(self, name: str) -> Path:
        """The pid of a process that an orchestrator started."""
        return self.run / f"{name}.pid"

    def log_file(self, name: str) -> Path:
        """What such a process says."""
        return self.log / f"{name}.log"
