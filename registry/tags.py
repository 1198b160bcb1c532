"""Tags: named, noted ranges of record time that retention keeps. Rows of the registry, and a copy of them in memory.

Whoever deletes by what the tags say does so while holding `turn`, so that a tag that was acknowledged is never raced by a
deletion that did not know of it.
"""

import json
import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from speeddata.registry.store import Store
from speeddata.times import format_time

__all__ = ["Tag", "Tags"]

log = logging.getLogger(__name__)

COLUMNS = "id, name, start_ns, end_ns, channels, note, created_at"


@dataclass(frozen=True)
class Tag:
    """A range of record time, both ends included."""

    name: str
    start_ns: int
    end_ns: int
    channels: tuple[str, ...] | None = None  # None: all, also those that are registered later
    note: str = ""
    id: int = 0  # given by the store
    created_at: str = ""  # given by the store

    def covers(self, channel: str) -> bool:
        """Whether it is about a channel."""
        return self.channels is None or channel in self.channels

    def to_json(self) -> dict[str, Any]:
        """The form that the API shows."""
        return {
            "id": self.id,
            "name": self.name,
            "start": format_time(self.start_ns),
            "end": format_time(self.end_ns),
            "channels": None if self.channels is None else list(self.channels),
            "note": self.note,
            "created_at": self.created_at,
        }


class Tags:
    """The tags of one registry, of which this process is the only writer."""

    def __init__(self, store: Store) -> None:
        self.store = store
        # Held by who changes the tags, and by who acts on what they say.
        self.turn = threading.Lock()
        # Counts the changes.
        self.version = 0
        with store.reading() as reader:
            rows = reader.execute(f"SELECT {COLUMNS} FROM tags ORDER BY id").fetchall()
        self._tags = {row[0]: _tag(row) for row in rows}

    def list(self, channel: str | None = None, name: str | None = None) -> list[Tag]:
        """All tags by id, or those that are about a channel, or of a name."""
        return [
            tag
            for tag in tuple(self._tags.values())
            if (channel is None or tag.covers(channel)) and name in (None, tag.name)
        ]

    def get(self, id: int) -> Tag | None:
        """The tag of an id."""
        return self._tags.get(id)

    def add(self, tag: Tag) -> Tag:
        """Add a tag; from when this returns, what it covers is kept."""
        channels = None if tag.channels is None else json.dumps(tag.channels)
        with self.turn:
            with self.store.transaction() as writer:
                inserted = writer.execute(
                    f"INSERT INTO tags (name, start_ns, end_ns, channels, note) VALUES (?, ?, ?, ?, ?) RETURNING {COLUMNS}",
                    (tag.name, tag.start_ns, tag.end_ns, channels, tag.note),
                ).fetchone()
            added = _tag(inserted)
            self._tags[added.id] = added
            self.version += 1
        return added

    def change(self, id: int, tag: Tag) -> Tag | None:
        """Have a tag be as `tag` is, under its own id; None if there is none. What it no longer covers is not kept by it."""
        channels = None if tag.channels is None else json.dumps(tag.channels)
        with self.turn:
            with self.store.transaction() as writer:
                row = writer.execute(
                    f"UPDATE tags SET name = ?, start_ns = ?, end_ns = ?, channels = ?, note = ? WHERE id = ? RETURNING {COLUMNS}",
                    (tag.name, tag.start_ns, tag.end_ns, channels, tag.note, id),
                ).fetchone()
            if row is None:
                return None
            changed = _tag(row)
            self._tags[id] = changed
            self.version += 1
        return changed

    def delete(self, id: int) -> bool:
        """Remove a tag; False if there is none."""
        with self.turn:
            with self.store.transaction() as writer:
                found = writer.execute("DELETE FROM tags WHERE id = ?", (id,)).rowcount > 0
            self._tags.pop(id, None)
            self.version += 1
        return found

    def ranges(self, channel: str) -> Sequence[tuple[int, int]]:
        """The ranges of record time that are kept of a channel."""
        return [(tag.start_ns, tag.end_ns) for tag in self.list(channel)]


def _tag(row: tuple[Any, ...]) -> Tag:
    """The tag of a row. One whose channels somebody has spoiled by hand is about all: nothing shall be lost by that."""
    id, name, start_ns, end_ns, channels, note, created_at = row
    names: Any = None
    try:
        names = None if channels is None else json.loads(channels)
        if not isinstance(names, list | None) or not all(isinstance(one, str) for one in names or ()):
            raise ValueError("not a list of names")
    except (ValueError, RecursionError) as error:
        log.error("tag %d: channels: %s; it is taken for a tag of all", id, error)
        names = None
    return Tag(name, start_ns, end_ns, None if names is None else tuple(names), note, id, created_at)
