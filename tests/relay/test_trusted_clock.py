"""The clock that ages are reckoned by, over readings of any kind of clock."""

import json
from typing import Any

import pytest

from speeddata.relay.trusted_clock import SPELLS, ClockState, Reading, read_clocks

S = 10**9
HOUR, DAY, YEAR = 3600 * S, 86400 * S, 365 * 86400 * S
NOW = 1_780_000_000 * S


class Machine:
    """A machine: time passes, its wall clock is off by something, and it is read every ten minutes."""

    def __init__(self, wrong: int = 0) -> None:
        self.true, self.up, self.boots, self.wrong = NOW, 500 * S, 1, wrong
        self.state = ClockState.begin(self.reading())

    def reading(self) -> Reading:
        return Reading(self.true + self.wrong, self.up, f"boot {self.boots}")

    def run(self, span: int, step: int = 0) -> "Machine":
        """Let time pass, after the wall clock stepped."""
        self.wrong += step
        while span >= 0:
            self.state = ClockState.from_json(
                json.loads(json.dumps(self.state.after(self.reading()).to_json()))
            )
            self.true, self.up, span = self.true + 600 * S, self.up + 600 * S, span - 600 * S
        return self

    def reboot(self, off: int, step: int = 0) -> "Machine":
        self.true, self.up, self.boots = self.true + off, 90 * S, self.boots + 1
        return self.run(0, step)

    def stamp(self) -> int:
        """The time of what was received when the clock was read last."""
        return self.state.reading.wall_ns

    def age(self, stamp: int) -> int:
        """The age of what was received then."""
        return self.state.now_ns - (stamp + self.state.shift_ns(stamp))


def about(age: int, wanted: int) -> bool:
    return abs(age - wanted) < HOUR


def test_a_clock_that_does_not_step_is_trusted() -> None:
    machine = Machine()
    stamp = machine.stamp()
    machine.run(3 * DAY)
    assert machine.state.ahead_ns == 0
    assert machine.state.now_ns == machine.state.reading.wall_ns
    assert about(machine.age(stamp), 3 * DAY)


@pytest.mark.parametrize("step", [S, -S, 3599 * S, -3599 * S])
def test_small_steps_are_taken_as_they_come(step: int) -> None:
    machine = Machine().run(HOUR).run(HOUR, step)
    assert machine.state.ahead_ns == 0
    assert machine.state.spells == ()


@pytest.mark.parametrize("step", [2 * HOUR, YEAR, -30 * HOUR, -YEAR, -56 * YEAR])
def test_a_step_changes_no_age_for_a_day(step: int) -> None:
    machine = Machine().run(DAY)
    before = machine.stamp()
    machine.run(23 * HOUR, step)
    assert machine.state.ahead_ns == step
    assert about(machine.age(before), 23 * HOUR)
    assert about(machine.age(machine.stamp()), 0)


def test_of_times_that_come_twice_the_later_one_is_meant() -> None:
    machine = Machine().run(DAY)
    before = machine.stamp()
    machine.run(23 * HOUR, -2 * HOUR)
    assert about(machine.age(before), 21 * HOUR)
    assert about(machine.age(machine.stamp()), 0)


@pytest.mark.parametrize("step", [YEAR, -YEAR])
def test_a_clock_that_steps_back_is_trusted_at_once(step: int) -> None:
    machine = Machine().run(DAY)
    machine.run(5 * HOUR, step)
    meanwhile = machine.stamp()
    machine.run(HOUR, -step)
    assert machine.state.ahead_ns == 0
    assert about(machine.age(meanwhile), HOUR)
    assert about(machine.age(machine.stamp()), 0)


@pytest.mark.parametrize("step", [YEAR, -YEAR, 56 * YEAR])
def test_a_step_that_held_for_a_day_is_believed_and_this_boots_ages_stay(step: int) -> None:
    machine = Machine(wrong=-step).run(HOUR)
    before = machine.stamp()
    machine.run(25 * HOUR, step)
    assert machine.state.ahead_ns == 0
    assert machine.state.now_ns == machine.state.reading.wall_ns
    assert about(machine.age(before), 25 * HOUR)
    assert about(machine.age(machine.stamp() - DAY), DAY)


def test_what_is_older_than_anything_known_is_as_old_as_its_time_says() -> None:
    machine = Machine(wrong=-56 * YEAR).run(600 * S).run(25 * HOUR, 56 * YEAR)
    assert about(machine.age(NOW - 7 * DAY), 7 * DAY + 25 * HOUR)


def test_a_short_reboot_is_no_step() -> None:
    machine = Machine().run(HOUR)
    before = machine.stamp()
    machine.reboot(60 * S).run(2 * HOUR)
    assert machine.state.ahead_ns == 0
    assert about(machine.age(before), 2 * HOUR)


def test_a_clock_that_is_ahead_after_a_boot_is_believed_after_a_day() -> None:
    machine = Machine().run(HOUR)
    before = machine.stamp()
    machine.reboot(7 * DAY).run(22 * HOUR)
    assert about(machine.state.ahead_ns, 7 * DAY)
    assert about(machine.age(before), 22 * HOUR)
    machine.run(3 * HOUR)
    assert machine.state.ahead_ns == 0
    assert about(machine.age(before), 8 * DAY + HOUR)


def test_a_spell_that_is_not_trusted_may_go_over_a_reboot() -> None:
    machine = Machine().run(HOUR).reboot(7 * DAY).run(10 * HOUR)
    meanwhile = machine.stamp()
    machine.reboot(60 * S).run(DAY)
    assert machine.state.ahead_ns == 0
    assert about(machine.age(meanwhile), DAY)


def test_a_machine_without_a_clock_of_its_own() -> None:
    """Its clock goes on at each boot from where it was, until the network tells the time."""
    machine = Machine().run(DAY)
    yesterday = machine.stamp()
    machine.reboot(16 * HOUR, step=-16 * HOUR)
    young = machine.stamp()
    machine.run(30 * HOUR, 16 * HOUR)
    assert machine.state.ahead_ns == 0
    assert about(machine.age(yesterday), 46 * HOUR)
    assert about(machine.age(young), 30 * HOUR)


def test_only_so_many_spells_are_remembered() -> None:
    machine = Machine()
    for number in range(40):
        machine.run(HOUR, YEAR if number % 2 else -YEAR)
    assert len(machine.state.spells) == SPELLS


@pytest.mark.parametrize(
    "value",
    [None, [], {}, {"reading": 5, "spells": []}, {"reading": {}, "spells": 5, "since_ns": 1}],
)
def test_what_is_no_state_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="not"):
        ClockState.from_json(value)


def test_a_state_with_a_time_that_is_none_is_refused() -> None:
    value = ClockState.begin(Machine().reading()).to_json() | {"ahead_ns": "much"}
    with pytest.raises(ValueError, match="no integer"):
        ClockState.from_json(value)


def test_this_machines_clocks() -> None:
    one, two = read_clocks(), read_clocks()
    assert ClockState.begin(one).after(two).ahead_ns == 0
    assert len(one.boot_id) == 36
