"""Asking the shared relay from a thread of the orchestrator: what it has counted, which segments it works on."""

import json
import logging
import os
import socket
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from speeddata.errors import RelayError
from speeddata.relay.data_folder import DataFolder
from speeddata.relay.ingest_journal import read_state
from speeddata.relay.ingest_protocol import ANSWER, pack_request
from speeddata.relay.unix_socket import socket_address

__all__ = ["IngestClient"]

log = logging.getLogger(__name__)

LIMIT_S = 2.0
FRESH_S = 0.5  # for so long counters are not asked for again

Json = dict[str, Any]


class IngestClient:
    """The shared relay of one data folder."""

    def __init__(self, data: DataFolder) -> None:
        self.data = data
        self._lock = threading.Lock()
        self._asked = 0.0
        self._counts: dict[str, Json] = {}
        # The journal as it was read last, by what tells whether it has changed.
        self._journal: tuple[tuple[int, ...], set[str]] = (), set()

    def ask(self, head: Json) -> Json:
        """Its answer. RelayError when it gives none, or one that says no."""
        try:
            answer = self._ask(head)
        except (OSError, ValueError) as error:
            raise RelayError(f"the shared relay does not answer: {error}") from None
        if not answer.get("ok"):
            raise RelayError(f"the shared relay: {answer.get('error')}")
        return answer

    def counts(self) -> dict[str, Json]:
        """What it has counted since it started, by channel; empty where it does not answer."""
        with self._lock:
            if time.monotonic() - self._asked >= FRESH_S:
                try:
                    told = self.ask({"op": "stats", "channels": True})
                    clock = {"since": told["since"], "heartbeat": time.time_ns()}
                    self._counts = {name: counts | clock for name, counts in told["channels"].items()}
                except RelayError:
                    self._counts = {}
                self._asked = time.monotonic()
            return self._counts

    def alarms(self) -> Json:
        """By channel, the sides of signals that were ever beyond their limits (`channels`), and why records are not checked
        that were to be (`unchecked`). RelayError where it does not answer."""
        return self.ask({"op": "alarms"})

    def acknowledge(self, name: str, seen: Sequence[tuple[str, str, int, int]]) -> None:
        """Tell it what somebody has acknowledged: signals, sides, epochs, rises. RelayError where it does not answer."""
        self.ask({"op": "acknowledge", "channel": name, "seen": seen})

    def forget(self, name: str) -> None:
        """Have it end a channel, if it answers; one that does not has ended it when it does."""
        try:
            self.ask({"op": "forget", "channel": name})
        except RelayError as error:
            log.info("%s: %s", name, error)

    def use(self, spec: Json) -> None:
        """Have it go on with another spec of a channel, if it answers; one that does not asks for it when it needs it."""
        try:
            self.ask({"op": "open", "spec": spec})
        except RelayError as error:
            log.info("%s: %s", spec["name"], error)

    def segments(self) -> set[str]:
        """Names of the segments that it works on; where it does not answer, of those that its journal says are not ended."""
        try:
            return set(self.ask({"op": "segments"})["segments"])
        except RelayError:
            return self._journaled()

    def _journaled(self) -> set[str]:
        path = self.data.journal
        signature = tuple(
            number for one in (path, path.with_name(f"{path.name}.1")) for number in _signature(one)
        )
        if signature != self._journal[0]:
            self._journal = signature, set(read_state(path)[0].segments)
        return self._journal[1]

    def _ask(self, head: Json) -> Json:
        folder = os.open(self.data.run, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
                client.settimeout(LIMIT_S)
                client.connect(socket_address(folder, self.data.ingest_socket.name))
                client.sendall(pack_request(head))
                (length,) = ANSWER.unpack(_take(client, ANSWER.size))
                answer = json.loads(_take(client, length))
        finally:
            os.close(folder)
        if not isinstance(answer, dict):
            raise ValueError("no answer")
        return answer


def _take(client: socket.socket, size: int) -> bytes:
    out = bytearray()
    while len(out) < size:
        got = client.recv(min(size - len(out), 1 << 20))
        if not got:
            raise ConnectionError("it has hung up")
        out += got
    return bytes(out)


def _signature(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
    except FileNotFoundError:
        return 0, 0
    return status.st_ino, status.st_mtime_ns
