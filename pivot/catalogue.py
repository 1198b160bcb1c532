"""Which channels there are: those the registry tells, and those with a folder in the archive."""

import logging
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import requests

from speeddata.archive import Archive
from speeddata.credentials import authorize
from speeddata.pivot.problem import Problem
from speeddata.settings_values import CHANNEL_NAME

__all__ = ["Catalogue"]

logger = logging.getLogger(__name__)

FRESH_S = 1.0  # for how long an answer of the registry counts
TIMEOUT_S = 1.0
MAX_ANSWERS = 20_000  # channels of which the registry's answer is remembered
MAX_ARCHIVES = 4096  # channels of which what their segments hold is remembered


class Catalogue:
    """Finds the archives of channels. The registry may be away: then its last answer and the folders count."""

    def __init__(
        self, archive: Path, registry: str | None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.folder = archive
        self._url = f"{registry.rstrip('/').removesuffix('/api/v1')}/api/v1/channels" if registry else None
        self._clock = clock
        self._lock = threading.Lock()
        self._session = authorize(requests.Session())
        self._registered: frozenset[str] = frozenset()
        self._asked = -FRESH_S  # when the registry was asked last
        self._away = False
        # By channel without a folder: when the registry was asked for it last, and whether it has it.
        self._answers: OrderedDict[str, tuple[float, bool]] = OrderedDict()
        self._archives: OrderedDict[str, Archive] = OrderedDict()

    def find(self, names: Sequence[str]) -> dict[str, Archive]:
        """The archives of channels by name; a channel that there is not is a 404."""
        return {name: self._find(name) for name in names}

    def names(self) -> list[str]:
        """All channels: those that are registered and those with a folder, by name."""
        found: set[str] = set()
        with suppress(FileNotFoundError), os.scandir(self.folder) as entries:
            found = {
                entry.name
                for entry in entries
                if CHANNEL_NAME.fullmatch(entry.name) and entry.is_dir(follow_symlinks=False)
            }
        return sorted(found | self._names())

    def _find(self, name: str) -> Archive:
        known = CHANNEL_NAME.fullmatch(name) and (self._has_folder(name) or self._is_registered(name))
        if not known:
            raise Problem(404, "Channel not found", name=name)
        with self._lock:
            archive = self._archives.setdefault(name, Archive(self.folder / name))
            self._archives.move_to_end(name)
            while len(self._archives) > MAX_ARCHIVES:
                self._archives.popitem(last=False)
            return archive

    def _has_folder(self, name: str) -> bool:
        path = self.folder / name
        return path.is_dir() and not path.is_symlink()

    def _is_registered(self, name: str) -> bool:
        """Whether the registry has a channel; it is asked for that one alone, for there may be many."""
        with self._lock:
            asked, known = self._answers.get(name, (-FRESH_S, name in self._registered))
            if not self._url or self._clock() - asked < FRESH_S:
                return known
            answer = self._ask(f"{self._url}/{name}/spec")
            if answer is not None:
                known = answer.ok
            self._answers[name] = self._clock(), known
            self._answers.move_to_end(name)
            while len(self._answers) > MAX_ANSWERS:
                self._answers.popitem(last=False)
            return known

    def _names(self) -> frozenset[str]:
        """Names of the registered channels."""
        with self._lock:
            if self._url and self._clock() - self._asked >= FRESH_S:
                answer = self._ask(self._url)
                with suppress(ValueError, KeyError, TypeError):
                    if answer is not None and answer.ok:
                        self._registered = frozenset(channel["name"] for channel in answer.json()["channels"])
                self._asked = self._clock()
            return self._registered

    def _ask(self, url: str) -> requests.Response | None:
        """What the registry answers; None when it does not, which is said once. Not to be found is an answer."""
        try:
            response = self._session.get(url, timeout=TIMEOUT_S)
            if response.status_code != 404:
                response.raise_for_status()
        except requests.RequestException as error:
            if not self._away:
                logger.warning(
                    "%s does not answer (%s), going on without it", self._url, type(error).__name__
                )
            self._away = True
            return None
        if self._away:
            logger.info("%s answers again", self._url)
        self._away = False
        return response
