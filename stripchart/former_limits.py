"""The limits that signals had before: a chart holds what it shows against those of its time."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from speeddata.limits import Limits
from speeddata.schema import Schema
from speeddata.stripchart.catalogue import ChannelInfo

__all__ = ["FormerLimits"]

ERAS_MAX = 16  # told of a signal: those that ended last
CHANNELS_MAX = 20_000  # of which it is known what they had, when they come again

Era = tuple[int, Limits | None]
"""Until when, in ms since 1970, and what held until then; None: there were none."""

Meaning = tuple[str, str | None]
"""Type and unit: limits of what was another thing are not those of this one."""


@dataclass(frozen=True)
class _Known:
    meaning: Meaning
    limits: Limits | None
    eras: tuple[Era, ...] = ()

    def then(self, newer: "_Known", since_ms: int) -> "_Known":
        """What is known with what a newer version says of the signal."""
        if newer.meaning != self.meaning:
            return newer
        if newer.limits == self.limits:
            return self
        return _Known(self.meaning, newer.limits, (*self.eras, (since_ms, self.limits))[-ERAS_MAX:])


@dataclass(frozen=True)
class _Channel:
    revision: str
    signals: dict[str, _Known]
    """Those that have or had limits: as long as others are known to be there, they had none."""


class FormerLimits:
    """Those of all channels, by name, over versions of their schemas and over registrations."""

    def __init__(self) -> None:
        # By channel, those told of last at the end.
        self._known: dict[str, _Channel] = {}

    def add_to(self, infos: Iterable[ChannelInfo]) -> Iterator[ChannelInfo]:
        """Give channels with the limits that their signals had before, as far as that is known."""
        for info in infos:
            known = self._known.pop(info.name, None)
            if known is None or known.revision != info.revision:
                known = _Channel(info.revision, _follow(known, info))
            self._known[info.name] = known
            eras = {name: one.eras for name, one in known.signals.items() if one.eras}
            yield replace(info, former_limits=eras) if eras else info
        while len(self._known) > CHANNELS_MAX:
            del self._known[next(iter(self._known))]


def _follow(before: _Channel | None, info: ChannelInfo) -> dict[str, _Known]:
    """What is known of a channel's signals with what is told of it now."""
    versions = [_read(schema) for schema in info.versions or (info.schema,)]
    if not info.since_ms:
        return {}
    newest = versions[-1]
    if before is None:
        return {name: _over(name, versions, info.since_ms) for name in newest if _is_limited(name, versions)}
    found = {}
    for name, one in newest.items():
        known = before.signals.get(name, _Known(one.meaning, None))
        if one.limits or name in before.signals:
            found[name] = known.then(one, info.since_ms[-1])
    return found


def _is_limited(name: str, versions: Sequence[Mapping[str, _Known]]) -> bool:
    return any(name in signals and signals[name].limits for signals in versions)


def _over(name: str, versions: Sequence[Mapping[str, _Known]], since_ms: Sequence[int]) -> _Known:
    """A signal over the versions that have it."""
    found: _Known | None = None
    for signals, begun_ms in zip(versions, since_ms, strict=True):
        if name in signals:
            found = found.then(signals[name], begun_ms) if found else signals[name]
    assert found is not None, "the newest version has it"
    return found


def _read(schema: Schema) -> dict[str, _Known]:
    return {signal.name: _Known((signal.type, signal.unit), signal.limits) for signal in schema.signals}
