"""Time to reckon ages by: the wall clock, unless it stepped; pure, over readings that are given.

A wall clock that moves with the time that passed (CLOCK_BOOTTIME) is trusted. One that stepped by more than an hour is
not, until it has held for a day of running time: till then time goes on from what was trusted. So a clock that jumps by a
year deletes nothing. What was received while the clock was wrong is known by the spells that the clock went through, as
long as these are remembered, and put right.

How long a machine was off nobody knows: after a boot a clock that is an hour ahead has stepped, too.
"""

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Self

__all__ = ["ClockState", "Reading", "Spell", "read_clocks"]

S = 1_000_000_000
STEP_NS = 3600 * S
BELIEVED_NS = 24 * 3600 * S
SLACK_NS = 60 * S  # between two readings, and more
SPELLS = 16  # that are remembered


@dataclass(frozen=True, slots=True)
class Reading:
    """The clocks at one moment."""

    wall_ns: int
    boot_ns: int  # running time since the boot, suspended or not
    boot_id: str


@dataclass(frozen=True, slots=True)
class Spell:
    """A span in which the wall clock went without a step, and what must be added to its times to put them right."""

    from_ns: int
    to_ns: int
    shift_ns: int
    linked: bool = True  # how long ago it was is known by running time alone


@dataclass(frozen=True, slots=True)
class ClockState:
    """What is known of the wall clock at a reading, from all readings before."""

    reading: Reading
    since_ns: int  # wall time at which the present spell began
    ahead_ns: int = 0  # of the trusted time; 0: it is trusted itself
    held_ns: int = 0  # running time of the present spell
    spells: tuple[Spell, ...] = ()  # former ones, the latest last

    @classmethod
    def begin(cls, reading: Reading) -> Self:
        """The first reading there is: nothing speaks against it."""
        return cls(reading, reading.wall_ns)

    @property
    def now_ns(self) -> int:
        """The time to reckon with."""
        return self.reading.wall_ns - self.ahead_ns

    def after(self, reading: Reading) -> "ClockState":
        """The state at the next reading."""
        former = self.reading
        same_boot = reading.boot_id == former.boot_id and reading.boot_ns >= former.boot_ns
        ran_ns = reading.boot_ns - former.boot_ns if same_boot else reading.boot_ns
        step_ns = reading.wall_ns - former.wall_ns - ran_ns
        if abs(step_ns) > STEP_NS:
            return self._stepped(reading, step_ns, same_boot)
        held = replace(self, reading=reading, held_ns=self.held_ns + ran_ns)
        if not self.ahead_ns:
            # What is found out about the clock in one boot tells nothing of those before.
            return (
                held
                if same_boot
                else replace(held, since_ns=reading.wall_ns, spells=self._ended(linked=False))
            )
        return held._believed() if held.held_ns >= BELIEVED_NS else held

    def shift_ns(self, arrival_ns: int) -> int:
        """What must be added to a time of receipt to have it by the trusted clock.

        After a step back times come twice: then what makes it the later one, so that nothing is thought older than it is.
        """
        present = Spell(self.since_ns, self.reading.wall_ns, -self.ahead_ns)
        shifts = [
            spell.shift_ns
            for spell in (*self.spells, present)
            if spell.from_ns - SLACK_NS <= arrival_ns <= spell.to_ns + SLACK_NS
        ]
        return max(shifts, default=0)

    def _stepped(self, reading: Reading, step_ns: int, same_boot: bool) -> "ClockState":
        ahead_ns = self.ahead_ns + step_ns
        if abs(ahead_ns) <= STEP_NS:  # back to where the trusted time is
            ahead_ns = 0
        return ClockState(reading, reading.wall_ns, ahead_ns, 0, self._ended(linked=same_boot))

    def _ended(self, *, linked: bool) -> tuple[Spell, ...]:
        """The former spells when the present one has ended."""
        last = Spell(self.since_ns, self.reading.wall_ns, -self.ahead_ns)
        spells = (*self.spells, last)[-SPELLS:]
        return spells if linked else tuple(replace(spell, linked=False) for spell in spells)

    def _believed(self) -> "ClockState":
        """The wall clock is right, so it was wrong before."""
        spells = tuple(
            replace(spell, shift_ns=spell.shift_ns + self.ahead_ns) if spell.linked else spell
            for spell in self.spells
        )
        return replace(self, ahead_ns=0, spells=spells)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Make a state of what `to_json` gave; ValueError for what none can be made of."""
        try:
            given = dict(value)
            reading = Reading(**given.pop("reading"))
            spells = tuple(Spell(**spell) for spell in given.pop("spells"))
            state = cls(reading, spells=spells, **given)
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"not a state of the clock: {error}") from None
        numbers = [reading.wall_ns, reading.boot_ns, state.since_ns, state.ahead_ns, state.held_ns]
        numbers += [number for spell in spells for number in (spell.from_ns, spell.to_ns, spell.shift_ns)]
        if not all(type(number) is int for number in numbers):
            raise ValueError("not a state of the clock: a time is no integer")
        return state


def read_clocks() -> Reading:
    """The clocks of this machine."""
    boot_id = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    return Reading(time.time_ns(), time.clock_gettime_ns(time.CLOCK_BOOTTIME), boot_id)
