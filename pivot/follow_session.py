"""One follower: the history of its channels in the order of time, then what comes, each with the token to go on from.

It blocks, so each step runs in a thread. Between the steps nothing is held but where it is: a follower that is slow costs no
memory, it reads the archive later.
"""

import heapq
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from speeddata.archive import Archive
from speeddata.channel import Channel
from speeddata.follow_blocks import Rows
from speeddata.follow_history import History, Turn
from speeddata.follow_tail import Tail
from speeddata.pivot.follow_request import FollowRequest, pack_token
from speeddata.pivot.request import choose_signals
from speeddata.reader import LATEST

__all__ = ["Message", "Session"]


@dataclass(frozen=True)
class Message:
    """What a follower is told at a time."""

    resume: str
    live: bool  # whether the history has been given
    data: Channel | None = None  # records; None: a heartbeat, or notices alone
    notices: list[dict[str, Any]] = field(default_factory=list)  # what could not be given


class Session:
    """Reads for one follower."""

    def __init__(self, request: FollowRequest, archives: Mapping[str, Archive]) -> None:
        self._start_ns = request.start_ns
        wanted = _wanted(request.signals, archives)
        given = request.positions or {}
        self._tails = {
            name: Tail(archive.folder, wanted[name], given.get(name)) for name, archive in archives.items()
        }
        if request.positions is None and request.start_ns is not None:
            for tail in self._tails.values():
                tail.positions.in_history = True
        self._histories: list[History] = []

    def close(self) -> None:
        """Let go of the files."""
        for history in self._histories:
            history.close()

    def heartbeat(self) -> Message:
        """Nothing but where the follower is."""
        return self._message(None, [])

    def messages(self) -> Iterator[Message | None]:
        """What there is to say, without end; None: nothing just now."""
        yield from self._history()
        yield self.heartbeat()  # the history has been given
        while True:
            found = False
            for name, tail in self._tails.items():
                for rows in tail.fresh():
                    if message := self._records(name, rows):
                        found = True
                        yield message
                if notices := _notices(name, tail):
                    found = True
                    yield self._message(None, notices)
            if not found:
                yield None

    def _history(self) -> Iterator[Message]:
        """The histories of all channels, merged by the first record of each turn."""
        sources: dict[str, Iterator[Turn]] = {}
        heads: list[tuple[int, str, Turn]] = []
        for name, tail in self._tails.items():
            if tail.positions.in_history and self._start_ns is not None:
                history = tail.history(self._start_ns)
                self._histories.append(history)
                tail.damages = history.damages
                sources[name] = history.turns()
                _push(heads, name, sources[name])
        while heads:
            _, name, (rows, key) = heapq.heappop(heads)
            self._tails[name].positions.key = key
            yield self._message(_channel(name, rows), _notices(name, self._tails[name]))
            _push(heads, name, sources[name])
        for name in sources:
            positions = self._tails[name].positions
            positions.in_history, positions.key = False, None
            if notices := _notices(name, self._tails[name]):
                yield self._message(None, notices)

    def _records(self, name: str, rows: Rows) -> Message | None:
        """Those that came, but for what is older than where the follower began."""
        if self._start_ns is not None:
            new = rows.table.time_ns >= self._start_ns
            rows = rows if new.all() else rows.take(new)
        return self._message(_channel(name, rows), []) if len(rows.table) else None

    def _message(self, data: Channel | None, notices: list[dict[str, Any]]) -> Message:
        positions = {name: tail.positions for name, tail in self._tails.items()}
        live = not any(one.in_history for one in positions.values())
        return Message(pack_token(self._start_ns, positions), live, data, notices)


def _push(heads: list[tuple[int, str, Turn]], name: str, source: Iterator[Turn]) -> None:
    with suppress(StopIteration):
        turn = next(source)
        heapq.heappush(heads, (int(turn[0].table.time_ns[0]), name, turn))


def _channel(name: str, rows: Rows) -> Channel:
    units = {signal.name: signal.unit for signal in rows.schema.signals}
    channel = Channel.from_ns(name, rows.table.time_ns, rows.table.columns, units)
    channel.schema = rows.schema.text
    return channel


def _notices(name: str, tail: Tail) -> list[dict[str, Any]]:
    """What was left out of a channel since this was asked last."""
    out: list[dict[str, Any]] = [{"channel": name, "damage": damage.as_json()} for damage in tail.damages]
    if tail.cut:
        out.append({"channel": name, "cut": tail.cut})
    if tail.gone:
        out.append({"channel": name, "gone": list(tail.gone)})
    tail.damages.clear()
    tail.gone.clear()
    tail.cut = 0
    return out


def _wanted(signals: tuple[str, ...], archives: Mapping[str, Archive]) -> dict[str, list[str] | None]:
    """The signals of each channel, None: all; one that no channel has is a 404."""
    if not signals:
        return dict.fromkeys(archives)
    known: dict[str, list[str] | None] = {}
    for name, archive in archives.items():
        with archive.open(LATEST, LATEST) as reader:
            schema = reader.schema
            known[name] = (
                None if schema is None else [one for one in schema.signal_names if one != schema.time]
            )
    chosen = choose_signals(signals, known)
    # A channel without records yet: whatever of its signals is asked for.
    spelled = {name: [one.removeprefix(f"{name}.") for one in signals] for name in archives}
    return {name: spelled[name] if known[name] is None else found for name, found in chosen.items()}
