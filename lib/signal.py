"""A signal: a numpy array that knows its name, its unit and its time."""

import copy
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from speeddata.channel import Channel

__all__ = ["MaskedSignal", "Signal"]


class Signal(np.ndarray[Any, Any]):
    """The values of a signal, one row a record.

    Slices keep their time: `s[10:20].t` has ten values. What is computed from a signal has no unit.
    """

    name: str
    channel: "Channel | None"
    unit: str | None
    # What this is a part of, and which rows of it; None: it is whole.
    _part: "tuple[Signal, Any] | None"

    def __new__(
        cls, value: Any, name: str = "", channel: "Channel | None" = None, unit: str | None = None
    ) -> "Signal":
        if isinstance(value, np.ma.MaskedArray):
            made: Signal = value.view(MaskedSignal)
        else:
            made = np.asarray(value).view(Signal)
        made.name, made.channel, made.unit, made._part = name, channel, unit, None
        return made

    def __array_finalize__(self, source: Any) -> None:
        self.name = getattr(source, "name", "")
        self.channel = getattr(source, "channel", None)
        self.unit = getattr(source, "unit", None)
        self._part = getattr(source, "_part", None)

    def __array_wrap__(self, array: Any, *args: Any) -> Any:
        out = super().__array_wrap__(array, *args)
        if isinstance(out, Signal):
            if out.ndim == 0:
                return out[()]
            out.unit = None
        return out

    def __getitem__(self, key: Any) -> Any:
        out = super().__getitem__(key)
        if isinstance(out, Signal):
            out._part = self, key[0] if isinstance(key, tuple) and key else key
        return out

    def __reduce__(self) -> Any:
        return Signal, (self._plain(),), self._about()

    def __setstate__(self, state: Any) -> None:
        self.__dict__.update(state)

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Any:
        memo = {} if memo is None else memo
        copied = Signal(copy.deepcopy(self._plain(), memo))
        memo[id(self)] = copied  # before its channel is copied, which has it too
        copied.__dict__.update(copy.deepcopy(self._about(), memo))
        return copied

    def _plain(self) -> "np.ndarray[Any, Any]":
        """The values alone."""
        return self.view(np.ma.MaskedArray if isinstance(self, np.ma.MaskedArray) else np.ndarray)

    def _about(self) -> dict[str, Any]:
        """What the values alone do not tell."""
        return {"name": self.name, "channel": self.channel, "unit": self.unit, "_part": self._part}

    @property
    def t(self) -> "np.ndarray[Any, Any]":
        """The time of each row in seconds."""
        if self._part is not None:
            time: np.ndarray[Any, Any] = self._part[0].t[self._part[1]]
        elif self.channel is not None:
            time = self.channel.time
        else:
            raise AttributeError(f"signal {self.name!r} belongs to no channel, so it has no time")
        if np.shape(time)[:1] != self.shape[:1]:
            raise ValueError(
                f"the rows of this array are no longer those of signal {self.name!r}: it has no time"
            )
        return time


class MaskedSignal(np.ma.MaskedArray[Any, Any], Signal):
    """A signal of integers or booleans of which some are null."""

    # numpy.ma has its own of these.
    __reduce__ = Signal.__reduce__
    __setstate__ = Signal.__setstate__
    __deepcopy__ = Signal.__deepcopy__

    def __array_finalize__(self, source: Any) -> None:
        np.ma.MaskedArray.__array_finalize__(self, source)
        Signal.__array_finalize__(self, source)

    def _update_from(self, source: Any) -> None:
        """Take over what numpy.ma keeps in its computations."""
        super()._update_from(source)  # type: ignore[misc]
        if isinstance(source, Signal):
            self.name, self.channel, self._part = source.name, source.channel, source._part

    def __getitem__(self, key: Any) -> Any:
        out = np.ma.MaskedArray.__getitem__(self, key)
        if isinstance(out, Signal):
            out.unit = self.unit
            out._part = self, key[0] if isinstance(key, tuple) and key else key
        return out
