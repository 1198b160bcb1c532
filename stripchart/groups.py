"""The multicast groups that are heard: joined, left, and joined again when their interface has gone and come back."""

import logging
from collections.abc import Callable, Mapping, Set

from speeddata.host_addresses import address_indexes, index_of
from speeddata.stripchart.receiver import Address, Receiver

FIRST_WAIT, LONGEST_WAIT = 1, 8  # looks, one a second, before a group that could not be joined is tried again

_log = logging.getLogger(__name__)


class Groups:
    """The receivers, one of each group; `addresses` tells which interface has which address."""

    def __init__(
        self,
        join: Callable[[Address], Receiver],
        addresses: Callable[[], Mapping[str, int] | None] = address_indexes,
    ) -> None:
        self.receivers: dict[Address, Receiver] = {}
        # Why groups are not heard just now.
        self.troubles: dict[Address, str] = {}
        self._join = join
        self._addresses = addresses
        self._found: Mapping[str, int] | None = None
        self._looks = 0
        # Of groups that could not be joined, at which look to try again, and how many to wait after that.
        self._waits: dict[Address, tuple[int, int]] = {}

    def want(self, wanted: Set[Address]) -> None:
        """Join the groups that are wanted and not joined, unless that failed lately; leave the others."""
        for group in self.receivers.keys() - wanted:
            self.leave(group)
        for group in (self.troubles.keys() | self._waits.keys()) - wanted:
            self.troubles.pop(group, None)
            self._waits.pop(group, None)
        for group in wanted - self.receivers.keys():
            due, wait = self._waits.get(group, (0, FIRST_WAIT))
            if self._looks < due:
                continue
            try:
                self.receivers[group] = self._join(group)
            except OSError as error:
                self._waits[group] = self._looks + wait, min(2 * wait, LONGEST_WAIT)
                self._say(group, error.strerror or str(error))
            else:
                self._waits.pop(group, None)
                self._say(group, "")

    def look(self) -> list[Address]:
        """Once a second: the groups that are to be left and joined again, as another interface has the address by now."""
        self._looks += 1
        found = self._addresses()
        if found is None:
            return []
        if found != self._found:  # what could not be joined may be now
            self._found = found
            self._waits.clear()
        astray = []
        for group, receiver in self.receivers.items():
            index = index_of(receiver.interface, found)
            if index is None:
                address, port = group
                self._say(
                    group, f"cannot hear {address}:{port}: no interface has the address {receiver.interface}"
                )
            elif index != receiver.index:
                astray.append(group)
            else:
                self._say(group, "")
        return astray

    def leave(self, group: Address) -> None:
        """Hear a group no more."""
        self.receivers.pop(group).close()

    def close(self) -> None:
        """Leave all groups."""
        for group in list(self.receivers):
            self.leave(group)

    def _say(self, group: Address, trouble: str) -> None:
        """Take note of why a group is not heard; logged when it changes."""
        if trouble == self.troubles.get(group, ""):
            return
        if trouble:
            _log.error("%s", trouble)
            self.troubles[group] = trouble
        else:
            _log.info("multicast group %s:%d is heard again", *group)
            del self.troubles[group]
