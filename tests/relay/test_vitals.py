"""Shares of the processor between two looks, by a clock of the test's."""

import os
import time

import pytest

from speeddata.relay.vitals import LONGEST_S, Vitals


class Clock:
    """A clock that is put on by hand."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def burn(seconds: float) -> None:
    until = time.process_time() + seconds
    while time.process_time() < until:
        pass


def test_a_first_look_tells_no_share(clock: Clock) -> None:
    machine, processes = Vitals(clock).look([os.getpid(), 2**22 + 1])
    assert list(processes) == [os.getpid()], "what does not live is not told"
    assert processes[os.getpid()]["cpu_percent"] is machine["cpu_percent"] is None
    assert processes[os.getpid()]["memory"]["resident"] > 0
    assert processes[os.getpid()]["cpu_s"] == pytest.approx(time.process_time(), abs=0.5)
    assert (machine["cpus"], len(machine["load"])) == (os.cpu_count(), 3)


def test_the_share_is_that_since_the_look_before(clock: Clock) -> None:
    vitals = Vitals(clock)
    vitals.look([os.getpid()])
    burn(0.2)
    clock.now += 2.0
    machine, processes = vitals.look([os.getpid()])
    assert processes[os.getpid()]["cpu_percent"] == pytest.approx(10.0, abs=3.0)
    assert 0 < machine["cpu_percent"] <= 100


def test_a_look_long_ago_says_nothing_of_now(clock: Clock) -> None:
    vitals = Vitals(clock)
    vitals.look([os.getpid()])
    clock.now += LONGEST_S + 1
    machine, processes = vitals.look([os.getpid()])
    assert processes[os.getpid()]["cpu_percent"] is machine["cpu_percent"] is None
