"""What a check of `speeddata doctor` is given, and what it gives: a subject, and findings with the commands that mend them."""

import shlex
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from speeddata.registry.multicast import shared_streams
from speeddata.settings import Settings

__all__ = [
    "MEND",
    "UNKNOWN",
    "WELL",
    "Check",
    "Examination",
    "Remedy",
    "Subject",
    "about",
    "mend",
    "number",
    "size_text",
    "unknown",
    "well",
]

WELL, MEND, UNKNOWN = "well", "mend", "unknown"
LOCAL_GROUPS = "239.255.0.0/16"  # what channels have groups of, unless the settings name some


@dataclass(frozen=True)
class Remedy:
    """A command that mends something, or helps to, and what to say before it."""

    words: str
    command: str


@dataclass(frozen=True)
class Check:
    """What was looked at, and how it is."""

    name: str
    state: str  # WELL, MEND or UNKNOWN
    text: str
    mend: tuple[Remedy, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As `--json` and the API tell it."""
        return {**asdict(self), "mend": [asdict(remedy) for remedy in self.mend]}


@dataclass(frozen=True)
class Subject:
    """What is examined: where data go, by which interface, and what is asked of the kernel for it."""

    archive: Path  # the folder whose disk counts
    interface: str = "127.0.0.1"  # address of the one that multicast uses
    ttl: int = 0
    listen: str = "127.0.0.1"
    groups: tuple[str, ...] = (LOCAL_GROUPS,)  # networks that the streams are in
    receive_buffer: int = 64 << 20
    ring: int = 64 << 20
    min_free_percent: float = 10.0
    config: Path | None = None
    root: Path = Path("/")  # where /proc, /sys, /run are

    @classmethod
    def of(cls, settings: Settings, archive: Path, config: Path | None = None) -> "Subject":
        """What a run with these settings has."""
        flat = settings.flat["relay"]
        shared = shared_streams(flat)
        own = [LOCAL_GROUPS] if len(shared) < 2 else []
        return cls(
            archive=archive,
            interface=flat["multicast.interface"],
            ttl=flat["multicast.ttl"],
            listen=flat["listen"],
            groups=(*own, *sorted({f"{address}/32" for address, _ in shared.values()})),
            receive_buffer=flat["receive_buffer_bytes"],
            ring=flat["ring_bytes"],
            min_free_percent=flat["retention.min_free_percent"],
            config=config,
        )

    def read(self, path: str) -> str | None:
        """The text of a file of the kernel's; None where it is not shown, as in some containers."""
        try:
            return (self.root / path).read_text().strip()
        except OSError:
            return None

    def setting(self, key: str, value: object) -> str:
        """The command that runs SpeedData with another value of a setting."""
        folder = f" --config {shlex.quote(str(self.config))}" if self.config else ""
        return f"speeddata run{folder} --set {key}={value}"


Examination = Callable[[Subject], Iterator[Check]]


def well(name: str, text: str) -> Check:
    """Nothing is to be mended."""
    return Check(name, WELL, text)


def mend(name: str, text: str, *remedies: Remedy) -> Check:
    """Something should be mended."""
    return Check(name, MEND, text, remedies)


def unknown(name: str, text: str) -> Check:
    """It cannot be known here."""
    return Check(name, UNKNOWN, text)


def number(text: str | None) -> int | None:
    """A setting of the kernel that is one number; None where it is not shown."""
    return int(text) if text is not None and text.lstrip("-").isdigit() else None


def size_text(size: float) -> str:
    """A number of bytes for a reader."""
    for power, unit in ((4, "TB"), (3, "GB"), (2, "MB"), (1, "kB")):
        if size >= 1000**power:
            return f"{size / 1000**power:,.1f} {unit}"
    return f"{size:.0f} B"


def about(rate: float) -> str:
    """A rate for a reader, who is not told digits that no measurement has."""
    whole = round(rate)
    return f"{round(whole, 3 - len(str(whole))):,}"
