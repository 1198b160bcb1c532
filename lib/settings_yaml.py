"""Reading one YAML file of settings: its values, and the line each key stands on.

Only plain YAML is read (no tags that make objects). A key given twice is a problem, not the last one's victory.
"""

import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

__all__ = ["Document", "read_yaml"]

MAX_FILE = 4 << 20  # bytes


@dataclass
class Document:
    """What one file holds: `lines` maps dotted keys (channels[0].port) to line numbers."""

    path: Path
    values: dict[Any, Any] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def place(self, key: str) -> str:
        """The file, and the line of a key or of the nearest key above it."""
        while key and key not in self.lines:
            key = key[: max(key.rfind("."), key.rfind("["), 0)]
        return f"{self.path}:{self.lines[key]}" if key else str(self.path)


def read_yaml(path: Path) -> Document:
    """Read a file; what is wrong with it is in `problems`."""
    document = Document(path)
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode) and not stat.S_ISDIR(status.st_mode):
            raise ValueError("it is no file")  # reading might never come to an end
        if status.st_size > MAX_FILE:
            raise ValueError(f"the file is larger than {MAX_FILE} bytes")
        text = path.read_text(encoding="utf-8")
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        values = {} if node is None else yaml.safe_load(text)
        values = {} if values is None else values
    except yaml.MarkedYAMLError as error:
        line = f":{error.problem_mark.line + 1}" if error.problem_mark else ""
        document.problems.append(f"{path}{line}: cannot be read as YAML: {error.problem or error.context}")
        return document
    except (OSError, ValueError, yaml.YAMLError, RecursionError) as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        document.problems.append(f"{path}: cannot be read: {reason}")
        return document
    if not isinstance(values, dict):
        document.problems.append(f"{path}: holds {type(values).__name__}, wanted a mapping of settings")
        return document
    document.values = values
    if node is not None:
        _walk(document, node, "", set())
    return document


def _walk(document: Document, node: yaml.Node, prefix: str, seen: set[int]) -> None:
    """Note the lines of all keys below a node, and the keys that are given twice."""
    if id(node) in seen:
        return  # an alias: it has been walked where it is written out
    seen.add(id(node))
    if isinstance(node, yaml.MappingNode):
        keys: set[str] = set()
        for name, value in node.value:
            key = f"{prefix}.{name.value}" if prefix else str(name.value)
            document.lines[key] = name.start_mark.line + 1
            if key in keys:
                document.problems.append(f"{document.place(key)}: {key} is given twice, wanted once")
            keys.add(key)
            _walk(document, value, key, seen)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            document.lines[f"{prefix}[{index}]"] = value.start_mark.line + 1
            _walk(document, value, f"{prefix}[{index}]", seen)
