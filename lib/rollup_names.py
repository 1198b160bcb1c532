"""The names of rollups: `<segment>.rollup` beside the segment, and what one is called while it is made. No numpy here."""

import re
from pathlib import Path

__all__ = ["is_rollup_name", "leftover_of", "rollup_path", "temporary_path"]

ROLLUP = re.compile(r"_\d{8}T\d{6}\.\d{6}Z\.rollup", re.ASCII)
ENDING = ".rollup.new"


def rollup_path(segment: Path) -> Path:
    """Where the rollup of a segment is."""
    return segment.with_suffix(".rollup")


def temporary_path(segment: Path) -> Path:
    """Where it is made."""
    return segment.with_name(f".{segment.stem}{ENDING}")


def leftover_of(name: str) -> str:
    """The name of the segment whose rollup was being made in a file; empty for any other file."""
    return f"{name[1 : -len(ENDING)]}.avro" if name.startswith(".") and name.endswith(ENDING) else ""


def is_rollup_name(channel: str, name: str) -> bool:
    """Whether this is a name that a segment's rollup has."""
    return name.startswith(channel) and ROLLUP.fullmatch(name, len(channel)) is not None
