"""Where things lie in a data folder."""

from pathlib import Path

from speeddata.errors import RelayError

__all__ = ["DataFolder"]


class DataFolder:
    """Paths of one data folder."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self.registry = self.path / "registry.db"
        self.archive = self.path / "archive"
        self.run = self.path / "run"
        self.log = self.path / "log"
        # Of the shared relay: which segments it works on, which batches are done.
        self.journal = self.path / "ingest.journal"
        self.ingest_socket = self.run / "ingest.sock"
        self.keeper_lock = self.run / "keeper.lock"
        # Held by `speeddata stop` and `restart`, which follow each other.
        self.command_lock = self.run / "command.lock"

    def make(self) -> None:
        """Make what is not there; RelayError if that cannot be."""
        for folder in (self.path, self.run, self.log):
            try:
                folder.mkdir(parents=True, exist_ok=True, mode=0o750)
            except OSError as error:
                wanted = "wanted a folder that can be written"
                raise RelayError(f"--data {self.path}: {folder}: {error.strerror}, {wanted}") from None

    def lock(self, service: str) -> Path:
        """The lock of the orchestrator that runs a service."""
        return self.run / f"{service}.lock"

    def pidfile(self, name: str) -> Path:
        """The pid of a process that an orchestrator started."""
        return self.run / f"{name}.pid"

    def log_file(self, name: str) -> Path:
        """What such a process says."""
        return self.log / f"{name}.log"
