"""Pages that users write: HTML files in a folder, and whatever they need beside them, found and told of; never written."""

import hashlib
import html
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from speeddata.times import format_time

__all__ = ["Page", "UserPages"]

TITLE = re.compile(rb"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)
HEAD_BYTES = 4096  # of a file, in which its title is looked for
MOST_FILES = 2000
MOST_LEVELS = 4
HTML = (".html", ".htm")


@dataclass(frozen=True)
class Page:
    """One page."""

    path: str
    title: str
    modified_ns: int

    def to_json(self) -> dict[str, Any]:
        return {
            "path": self.path,
            "title": self.title,
            "url": f"/pages/{quote(self.path)}",
            "modified": format_time(self.modified_ns),
        }


class UserPages:
    """The files of some folders; where two have a file of the same name, that of the first counts."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self.folders = list(folders)

    def find(self, path: str) -> Path | None:
        """The file of a path; None where there is none, or one that leads out of its folder."""
        for folder in self.folders:
            root = folder.resolve()
            try:
                file = (root / path).resolve(strict=True)
            except (OSError, ValueError, RuntimeError):  # no such file; a NUL in the name; a link to itself
                continue
            if file.is_relative_to(root) and file.is_file():
                return file
        return None

    def list(self) -> list[Page]:
        """All pages, by path."""
        return [
            Page(path, _title(file) or path, status.st_mtime_ns)
            for path, (file, status) in sorted(self._files().items())
            if path.endswith(HTML)
        ]

    def revision(self) -> str:
        """Text that changes whenever a file does."""
        told = [
            f"{path} {status.st_mtime_ns} {status.st_size}"
            for path, (_, status) in sorted(self._files().items())
        ]
        return hashlib.sha256("\n".join(told).encode("utf-8", "surrogateescape")).hexdigest()[:16]

    def _files(self) -> dict[str, tuple[Path, os.stat_result]]:
        found: dict[str, tuple[Path, os.stat_result]] = {}
        for folder in reversed(self.folders):
            found |= {path: entry for path, *entry in _walk(folder, "", MOST_LEVELS)}  # type: ignore[misc]
        return found


def _walk(folder: Path, prefix: str, levels: int) -> Iterator[tuple[str, Path, os.stat_result]]:
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)[:MOST_FILES]
    except OSError:
        return
    for entry in entries:
        if entry.name.startswith("."):
            continue
        try:
            if entry.is_dir(follow_symlinks=False) and levels > 1:
                yield from _walk(Path(entry.path), f"{prefix}{entry.name}/", levels - 1)
            elif entry.is_file(follow_symlinks=False):
                yield f"{prefix}{entry.name}", Path(entry.path), entry.stat(follow_symlinks=False)
        except OSError:
            continue  # gone meanwhile


def _title(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            found = TITLE.search(opened.read(HEAD_BYTES))
    except OSError:
        return ""
    return " ".join(html.unescape(found[1].decode("utf-8", "replace")).split()) if found else ""
