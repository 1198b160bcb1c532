"""The limits that signals had before: a chart holds what it shows against those of its time."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from speeddata.limits import Limits
from speeddata.stripchart.catalogue import ChannelInfo

__all__ = ["FormerLimits"]

ERAS_MAX = 16  # told of a signal: those that ended last
CHANNELS_MAX = 1000  # of which it is known what they had, when they come again

Era = tuple[int, Limits | None]
"""Until when, in ms since 1970, and what held until then; None: there were none."""


@dataclass(frozen=True)
class _Known:
    limits: Limits | None
    eras: tuple[Era, ...]

    def then(self, limits: Limits | None, since_ms: int) -> "_Known":
        if limits == self.limits:
            return self
        return _Known(limits, (*self.eras, (since_ms, self.limits))[-ERAS_MAX:])


class FormerLimits:
    """Those of all channels, by name, over versions of their schemas and over registrations."""

    def __init__(self) -> None:
        # By channel and signal, for those that have or had limits; the channels told of last at the end.
        self._known: dict[str, dict[str, _Known]] = {}

    def add_to(self, infos: Iterable[ChannelInfo]) -> Iterator[ChannelInfo]:
        """Give channels with the limits that their signals had before, as far as that is known."""
        for info in infos:
            known = self._known.pop(info.name, {})
            now = _follow(known, info)
            if now:
                self._known[info.name] = now
            eras = {name: one.eras for name, one in now.items() if one.eras}
            yield replace(info, former_limits=eras) if eras else info
        while len(self._known) > CHANNELS_MAX:
            del self._known[next(iter(self._known))]


def _follow(known: Mapping[str, _Known], info: ChannelInfo) -> dict[str, _Known]:
    """What is known of a channel with what is told of it now."""
    versions = info.versions or (info.schema,)
    of_version = [
        {signal.name: signal.limits for signal in schema.signals if signal.limits} for schema in versions
    ]
    names = known.keys() | {name for limits in of_version for name in limits}
    found = {}
    for name in names:
        one = known.get(name)
        if one is None:
            one = _Known(of_version[0].get(name), ())
            for limits, since_ms in zip(of_version, info.since_ms, strict=False):
                one = one.then(limits.get(name), since_ms)
        elif info.since_ms:
            one = one.then(of_version[-1].get(name), info.since_ms[-1])
        found[name] = one
    return found
