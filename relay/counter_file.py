"""Numbers of signed packets kept over the end of a channel's relays: `counters.json` in the channel's folder.

The mapping has them while the channel runs, over any number of relays. The file has the highest number taken of every key the
channel ever had; it is written at most once a second while signed packets come, and at the end. It is read when a key comes that the
mapping does not know: nothing up to that number is taken again.
"""

import logging
import time
from collections.abc import Callable
from collections.abc import Mapping as Known
from pathlib import Path

from speeddata.relay.alarm_file import load_json, save_json
from speeddata.relay.mapping import Mapping
from speeddata.relay.signature import add_signers, read_signers

__all__ = ["COUNTER_FILE", "CounterFile"]

log = logging.getLogger(__name__)

COUNTER_FILE = "counters.json"
REST_S = 1.0  # between two times that it is written
MOST = (1 << 64) - 1
ID_BYTES = 4


class CounterFile:
    """The numbers of one channel, for the main thread of its relay. `wanted` are the ids of the keys in force, if any."""

    def __init__(
        self,
        folder: Path,
        mapping: Mapping,
        wanted: frozenset[bytes],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.path = folder / COUNTER_FILE
        self.mapping = mapping
        self.wanted = wanted
        self.clock = clock
        # What the file holds, once it was read, and when to write it again at the earliest.
        self.kept: dict[bytes, int] | None = None
        self.next = 0.0
        self.trouble = ""

    def restore(self) -> None:
        """Have the mapping know the keys in force; before the receiver begins."""
        missing = self.wanted - read_signers(self.mapping).keys()
        if missing:
            self.write()  # a key that must give way to another is not forgotten
            known = self._known()
            add_signers(self.mapping, {key: known.get(key, 0) for key in sorted(missing)}, self.wanted)

    @property
    def rest_ms(self) -> int | None:
        """How long the main thread may sleep: packets do not wake it."""
        return int(REST_S * 1000) if self.wanted else None

    def keep(self) -> None:
        """Write what has changed, if it is time."""
        if self.wanted and self.clock() >= self.next:
            self.next = self.clock() + REST_S
            self.write()

    def write(self) -> None:
        """Write the numbers as they are, where they are others than before."""
        known = self._known()
        numbers = known | {key: number for key, number in read_signers(self.mapping).items() if number}
        if numbers == known:
            return
        try:
            save_json(self.path, {"counters": {key.hex(): number for key, number in numbers.items()}})
            self.kept, self.trouble = numbers, ""
        except OSError as error:
            if self.trouble != str(error):
                log.warning("%s: numbers of signed packets are not kept: %s", self.path, error)
            self.trouble = str(error)

    def _known(self) -> dict[bytes, int]:
        """What the file holds: other keys too than those that the mapping knows."""
        if self.kept is None:
            self.kept = {}
            try:
                self.kept = _numbers(load_json(self.path).get("counters"))
            except FileNotFoundError:
                pass
            except (OSError, ValueError, RecursionError) as error:
                log.error("%s: packets signed before may be taken once more, their numbers cannot be read: %s",
                          self.path, error)  # fmt: skip
        return self.kept


def _numbers(told: object) -> dict[bytes, int]:
    """The numbers by key; ValueError for what none can be."""
    if not isinstance(told, Known):
        raise ValueError("no counters")
    numbers = {bytes.fromhex(key): number for key, number in told.items()}
    for key, number in numbers.items():
        if len(key) != ID_BYTES or type(number) is not int or not 0 <= number <= MOST:
            raise ValueError(f"{key.hex()}: {number!r}")
    return numbers
