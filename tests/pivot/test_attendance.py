import asyncio
import threading
from collections.abc import Callable

import pytest
from line import wait_until

from speeddata.pivot.attendance import Attendance, Stopped, attend, checker
from speeddata.pivot.problem import Problem

LATE = Problem(408, "too late")


async def stays() -> bool:
    return False


async def leaves() -> bool:
    return True


def run(
    attendance: Attendance, work: Callable[[threading.Event], object], left=stays, timeout_s=20.0, **more
):
    """What a client gets, and the event of its work."""
    stop = attendance.begin()

    async def ask():
        return await attendance.step(lambda: work(stop), stop, left, timeout_s, LATE, **more)

    try:
        return asyncio.run(ask()), stop
    finally:
        attendance.end(stop)


@pytest.fixture
def attendance():
    made = Attendance("test", 2)
    yield made
    made.close()


def until_stopped(stop: threading.Event) -> str:
    assert stop.wait(20)
    return "made in vain"


def test_what_is_made_in_time_is_given(attendance):
    assert run(attendance, lambda _: 42)[0] == 42


def test_what_is_raised_is_raised(attendance):
    with pytest.raises(ZeroDivisionError):
        run(attendance, lambda _: 1 / 0)


@pytest.mark.parametrize(
    ("left", "timeout_s", "status"), [(leaves, 20.0, 499), (stays, 0.05, 408), (None, 0.05, 408)]
)
def test_work_that_nobody_waits_for_is_told_to_end(attendance, left, timeout_s, status):
    ended = threading.Event()

    def work(stop: threading.Event) -> None:
        until_stopped(stop)
        ended.set()

    with pytest.raises(Problem) as refused:
        run(attendance, work, left, timeout_s)
    assert refused.value.status == status
    assert ended.wait(20)


def test_what_nobody_takes_is_discarded(attendance):
    discarded: list[str] = []

    async def ask() -> None:
        stop = attendance.begin()
        with pytest.raises(Problem):
            await attendance.step(lambda: until_stopped(stop), stop, leaves, 20, LATE, discarded.append)
        while not discarded:
            await asyncio.sleep(0.01)

    asyncio.run(asyncio.wait_for(ask(), 20))
    assert discarded == ["made in vain"]


def test_closing_ends_what_is_under_way_and_refuses_what_comes(attendance):
    begun = threading.Event()

    def work(stop: threading.Event) -> None:
        begun.set()
        assert stop.wait(20)
        checker(stop)()

    found: list[int] = []

    def client() -> None:
        with pytest.raises(Problem) as refused:
            run(attendance, work)
        found.append(refused.value.status)

    thread = threading.Thread(target=client)
    thread.start()
    assert begun.wait(20)
    attendance.close()
    thread.join(20)
    assert found == [503]
    with pytest.raises(Problem) as refused:
        attendance.begin()
    assert refused.value.status == 503


def test_the_check_raises_after_the_event():
    stop = threading.Event()
    check = checker(stop)
    check()
    stop.set()
    with pytest.raises(Stopped):
        check()


def test_an_event_is_forgotten_when_its_client_is_done(attendance):
    _, stop = run(attendance, lambda _: None)
    assert stop.is_set()
    wait_until(lambda: not attendance._stops, "nothing under way")


def test_any_awaitable_can_be_attended():
    async def ask() -> str:
        made: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_soon(made.set_result, "made")
        return await attend(made, None, 20, LATE, lambda: False)

    assert asyncio.run(ask()) == "made"
