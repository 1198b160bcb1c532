"""Schemas given as a file below the config folder, or inline.

A path may begin with config/, whatever the folder's own name, since SpeedData 0.6 wrote it so. What lies outside the
folder, by `..`, by an absolute path or by a link, does not exist.
"""

import json
import stat
from pathlib import Path
from typing import Any

from speeddata.schema import MAX_TEXT, Schema

__all__ = ["find_schema", "read_schema"]


def find_schema(folder: Path, text: str) -> Path:
    """Give the file that a path means; FileNotFoundError if there is none that may be read."""
    root = folder.resolve()
    given = Path(text)
    candidates = [root / given]
    if given.parts[:1] == ("config",):
        candidates.append(root.joinpath(*given.parts[1:]))
    for candidate in candidates:
        try:
            path = candidate.resolve(strict=True)
            if path.is_relative_to(root) and stat.S_ISREG(path.stat().st_mode):
                return path
        except (OSError, ValueError, RuntimeError):  # ValueError: a NUL; RuntimeError: links in a circle
            continue
    raise FileNotFoundError(text)


def read_schema(folder: Path, source: str | dict[str, Any], time_unit: str | None = None) -> Schema:
    """Give the schema of a path or of an inline object.

    FileNotFoundError: no such file; JSONDecodeError: the file is not JSON; SchemaError: no channel can have it.
    """
    if isinstance(source, dict):
        return Schema.parse(source, time_unit=time_unit, strict=True)
    path = find_schema(folder, source)
    with path.open("rb") as file:
        data = file.read(MAX_TEXT + 1)
    if len(data) <= MAX_TEXT:
        try:
            json.loads(data)
        except json.JSONDecodeError:
            raise
        except (ValueError, RecursionError) as error:  # not UTF-8, a number or a depth that nobody can mean
            raise json.JSONDecodeError(str(error), "", 0) from None
    return Schema.parse(data, time_unit=time_unit, strict=True)
