"""How much room there is on the file system of a folder."""

import os
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Space", "measure"]


@dataclass(frozen=True, slots=True)
class Space:
    """Bytes of a file system, and those of them that anybody may still write."""

    size: int
    free: int

    @property
    def free_percent(self) -> float:
        return 100.0 * self.free / self.size if self.size else 100.0

    def lacking(self, min_percent: float) -> int:
        """Bytes that must become free until a share of all is."""
        return max(0, int(self.size * min_percent / 100) - self.free)


def measure(folder: Path) -> Space:
    """The room on the file system that a folder is on, or will be when it is made."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    told = os.statvfs(folder)
    return Space(told.f_blocks * told.f_frsize, told.f_bavail * told.f_frsize)
