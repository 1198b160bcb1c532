"""Which channels there are: those the registry tells, and those with a folder in the archive."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import requests

from speeddata.archive import Archive
from speeddata.pivot.problem import Problem
from speeddata.settings_values import CHANNEL_NAME

__all__ = ["Catalogue"]

logger = logging.getLogger(__name__)

FRESH_S = 1.0  # for how long an answer of the registry counts
TIMEOUT_S = 1.0


class Catalogue:
    """Finds the archives of channels. The registry may be away: then its last answer and the folders count."""

    def __init__(
        self, archive: Path, registry: str | None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.folder = archive
        self._url = f"{registry.rstrip('/').removesuffix('/api/v1')}/api/v1/channels" if registry else None
        self._clock = clock
        self._lock = threading.Lock()
        self._session = requests.Session()
        self._registered: frozenset[str] = frozenset()
        self._asked = -FRESH_S  # when the registry was asked last
        self._away = False
        self._archives: dict[str, Archive] = {}

    def find(self, names: Sequence[str]) -> dict[str, Archive]:
        """The archives of channels by name; a channel that there is not is a 404."""
        return {name: self._find(name) for name in names}

    def _find(self, name: str) -> Archive:
        known = CHANNEL_NAME.fullmatch(name) and (self._has_folder(name) or name in self._names())
        if not known:
            raise Problem(404, "Channel not found", name=name)
        with self._lock:
            return self._archives.setdefault(name, Archive(self.folder / name))

    def _has_folder(self, name: str) -> bool:
        path = self.folder / name
        return path.is_dir() and not path.is_symlink()

    def _names(self) -> frozenset[str]:
        """Names of the registered channels."""
        with self._lock:
            if self._url and self._clock() - self._asked >= FRESH_S:
                self._ask(self._url)
                self._asked = self._clock()
            return self._registered

    def _ask(self, url: str) -> None:
        try:
            response = self._session.get(url, timeout=TIMEOUT_S)
            response.raise_for_status()
            self._registered = frozenset(channel["name"] for channel in response.json()["channels"])
        except (requests.RequestException, ValueError, KeyError, TypeError) as error:
            if not self._away:
                logger.warning("%s does not answer (%s), going on without it", url, type(error).__name__)
            self._away = True
            return
        if self._away:
            logger.info("%s answers again", url)
        self._away = False
