"""Tags, as the registry tells them: the one that an export asks for, and those that overlap it."""

import logging
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import requests

from speeddata.credentials import authorize
from speeddata.errors import TimeError
from speeddata.pivot.problem import Problem
from speeddata.times import parse_time

__all__ = ["Tag", "Tags"]

logger = logging.getLogger(__name__)

FRESH_S = 1.0  # for how long an answer of the registry counts for what only describes an export
TIMEOUT_S = 5.0


@dataclass(frozen=True)
class Tag:
    """A named range of record time, both ends included."""

    id: int
    name: str
    start_ns: int
    end_ns: int
    channels: tuple[str, ...] | None  # None: all
    told: dict[str, Any]  # as the registry has it


class Tags:
    """Asks the registry for tags."""

    def __init__(self, registry: str | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._url = f"{registry.rstrip('/').removesuffix('/api/v1')}/api/v1/tags" if registry else None
        self._clock = clock
        self._lock = threading.Lock()
        self._session = authorize(requests.Session())
        self._known: list[Tag] = []
        self._asked = -FRESH_S

    def named(self, name: str) -> Tag:
        """The tag of a name, or of an id; a Problem tells that there is none, or more than one."""
        tags = self._fetch()
        if tags is None:
            raise Problem(
                503, "The registry does not answer, so tags are unknown", {"retry-after": "2"}, tag=name
            )
        found = [tag for tag in tags if tag.name == name] or [tag for tag in tags if str(tag.id) == name]
        if not found:
            raise Problem(404, "Tag not found", tag=name)
        if len(found) > 1:
            ids = [tag.id for tag in found]
            raise Problem(409, "Several tags have this name, ask for one by its id", tag=name, ids=ids)
        return found[0]

    def overlapping(self, start_ns: int, end_ns: int, channels: Iterable[str]) -> list[dict[str, Any]]:
        """The tags that are about some of the range and the channels; none where the registry is away."""
        with self._lock:
            if self._clock() - self._asked >= FRESH_S:
                self._known = self._fetch() or []
                self._asked = self._clock()
            known = self._known
        names = set(channels)
        return [
            tag.told
            for tag in known
            if tag.start_ns <= end_ns
            and tag.end_ns >= start_ns
            and (tag.channels is None or names & set(tag.channels))
        ]

    def _fetch(self) -> list[Tag] | None:
        if self._url is None:
            return None
        try:
            response = self._session.get(self._url, timeout=TIMEOUT_S)
            response.raise_for_status()
            return [_read(told) for told in response.json()["tags"]]
        except (requests.RequestException, ValueError, KeyError, TypeError, TimeError) as error:
            logger.debug("%s does not answer (%s), tags are unknown", self._url, type(error).__name__)
            return None


def _read(told: dict[str, Any]) -> Tag:
    channels = told["channels"]
    return Tag(
        int(told["id"]),
        str(told["name"]),
        parse_time(told["start"]),
        parse_time(told["end"]),
        None if channels is None else tuple(map(str, channels)),
        told,
    )
