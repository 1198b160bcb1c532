import pytest
from hypothesis import given
from hypothesis import strategies as st

from speeddata.stripchart.pace import (
    BEHIND_S,
    BUFFER_HIGH,
    BUFFER_LOW,
    FAR_BEHIND_S,
    GIVEN_UP_S,
    WINDOW,
    Pace,
)
from speeddata.stripchart.subscription import Report

TICK_S = 0.05


class Page:
    """A client and its page: ticks, and reports so many seconds late (None: never)."""

    def __init__(self, tick: int = 0) -> None:
        self.pace = Pace()
        self.tick, self.now_s = tick, 0.0
        self.frames: list[float] = []
        self.arrived: list[tuple[float, int]] = []

    def run(self, seconds: float, late_s: float | None, unsent: int = 0, hidden: bool = False) -> int:
        """Give the frames that it got in this time."""
        before, end = len(self.frames), self.now_s + seconds
        while self.now_s < end - 1e-9:
            self.now_s += TICK_S
            self.tick += 1
            if self.pace.is_due(unsent, self.now_s):
                self.pace.sent(self.tick, self.now_s)
                self.frames.append(self.now_s)
                self.arrived.append((self.now_s, self.tick))
            if self.tick % 20 == 0 and late_s is not None:
                seen = [tick for at, tick in self.arrived if at <= self.now_s - late_s]
                self.pace.report(Report((seen[-1] if seen else 0) % 2**32, hidden, {"fps": 60.0}))
        return len(self.frames) - before


def test_a_full_buffer_makes_it_lag_until_it_is_half_empty() -> None:
    pace, due = Pace(), []
    for size in (0, BUFFER_HIGH, BUFFER_HIGH + 1, BUFFER_LOW + 1, BUFFER_LOW, BUFFER_LOW + 1):
        due.append(pace.is_due(size, 0.0))
    assert due == [True, True, False, False, True, True]
    assert pace.sent(1, 0.0) == 2
    assert pace.merged == 0


@given(st.sampled_from([0, 2**32 - 30]))
def test_a_page_that_keeps_up_gets_every_tick(tick: int) -> None:
    page = Page(tick)
    assert page.run(20, late_s=0.2) == 400
    assert not page.pace.to_json(page.now_s)["lagging"]
    assert page.pace.behind_s(page.now_s) == pytest.approx(0.2, abs=1.1)


def test_a_page_that_reports_late_gets_fewer_frames_until_it_has_caught_up() -> None:
    page = Page()
    page.run(20, late_s=0.2)
    page.run(20, late_s=BEHIND_S + 1)
    assert page.run(20, late_s=BEHIND_S + 1) <= 20
    assert page.pace.to_json(page.now_s)["lagging"]
    page.run(40, late_s=0.0)
    assert page.run(10, late_s=0.0) == 200
    assert not page.pace.is_slow


@pytest.mark.parametrize("every", [3, 8, 16])
def test_a_slow_line_does_not_fill(every: int) -> None:
    """A line that takes a third, an eighth, a sixteenth of the frames: in the end what comes is as old as a frame's way."""
    pace, line, late = Pace(), list[tuple[int, float]](), list[float]()
    pace.report(Report(0, False, {}))
    for tick in range(1, 6000):
        now_s = tick * TICK_S
        if pace.is_due(0, now_s):
            pace.sent(tick, now_s)
            line.append((tick, now_s))
        if tick % every == 0 and line:
            number, sent_s = line.pop(0)
            late.append(now_s - sent_s)
            pace.report(Report(number, False, {}))
        assert not pace.is_given_up(now_s)
    last = late[len(late) // 2 :]
    assert max(last) <= BEHIND_S + 0.5
    # The line has always something to take.
    assert len(last) >= 0.95 * (6000 / every / 2 - 1)


@pytest.mark.parametrize("way_s", [0.0, 0.4])
def test_a_line_that_is_fast_again_is_told_as_slow_for_a_few_seconds_only(way_s: float) -> None:
    """Pages report each frame while they are told that they are slow."""
    pace, line, reported_s = Pace(), list[tuple[int, float, bool]](), -10.0
    pace.report(Report(0, False, {}))
    pace.window = 1
    slow_s = 0.0
    for tick in range(1, 600):
        now_s = tick * TICK_S
        if pace.is_due(0, now_s):
            pace.sent(tick, now_s)
            slow_s = now_s if pace.is_slow else slow_s
            line.append((tick, now_s, pace.is_slow))
        while line and line[0][1] + way_s < now_s:
            number, _, is_slow = line.pop(0)
            if is_slow or now_s - reported_s >= 1:
                pace.report(Report(number, False, {}))
                reported_s = now_s
    assert 3 < slow_s < 9
    assert pace.window == WINDOW


def test_a_page_that_has_taken_all_and_not_reported_it_is_asked_by_another() -> None:
    """It reports when a frame comes: with none on the way, nobody would say anything any more."""
    pace = Pace()
    pace.report(Report(0, False, {}))
    pace.window = 4
    due = [
        tick
        for tick in range(1, 100)
        if pace.is_due(0, tick * TICK_S) and pace.sent(tick, tick * TICK_S) >= 0
    ]
    assert due == [1, 2, 3, 4, 64]


def test_a_page_far_behind_gets_none_and_in_the_end_is_given_up() -> None:
    page = Page()
    page.run(2, late_s=0.2)
    page.run(FAR_BEHIND_S + 1, late_s=None)
    assert page.run(GIVEN_UP_S - 2, late_s=None) == 0
    assert not page.pace.is_given_up(page.now_s)
    page.run(3, late_s=None)
    assert page.pace.is_given_up(page.now_s)


def test_a_page_far_behind_that_comes_back_goes_on() -> None:
    page = Page()
    page.run(2, late_s=0.2)
    page.run(20, late_s=None)
    assert page.run(2, late_s=0.0) > 10
    assert not page.pace.is_given_up(page.now_s + GIVEN_UP_S)


def test_a_connection_that_takes_nothing_is_given_up_whoever_it_is() -> None:
    page = Page()
    assert page.run(GIVEN_UP_S, late_s=None, unsent=BUFFER_HIGH + 1) == 0
    assert not page.pace.is_given_up(page.now_s)
    page.run(1, late_s=None, unsent=BUFFER_HIGH + 1)
    assert page.pace.is_given_up(page.now_s)
    assert page.pace.merged == 31 * 20


def test_a_program_that_never_reports_is_judged_by_its_connection_alone() -> None:
    page = Page()
    assert page.run(100, late_s=None) == 2000
    assert page.pace.to_json(page.now_s)["behind_s"] is None


def test_a_hidden_page_gets_a_frame_a_second_and_is_not_given_up_for_its_silence() -> None:
    page = Page()
    page.run(1, late_s=0.0, hidden=True)
    assert page.run(10, late_s=0.0, hidden=True) in (10, 11)
    assert page.run(100, late_s=None) in (99, 100, 101)
    told = page.pace.to_json(page.now_s)
    assert (told["hidden"], told["lagging"], told["fps"]) == (True, False, 60.0)
    assert not page.pace.is_slow
    page.run(2, late_s=0.0)
    assert page.run(2, late_s=0.0) == 40
    assert not page.pace.is_slow
