import os

from speeddata.relay.event_loop import EventLoop


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_timers_run_in_the_order_of_their_times() -> None:
    clock, done = Clock(), []
    loop = EventLoop(clock)
    for delay in (3, 1, 2, 1):
        loop.after(delay, lambda delay=delay: done.append(delay))
    loop.turn(0)
    assert done == []
    clock.now += 2
    loop.turn(0)
    assert done == [1, 1, 2]
    clock.now += 1
    loop.turn(0)
    assert done == [1, 1, 2, 3]
    loop.close()


def test_readable_descriptors_call_their_handlers() -> None:
    loop = EventLoop()
    read, write = os.pipe()
    got: list[bytes] = []
    loop.watch(read, lambda: got.append(os.read(read, 10)))
    os.write(write, b"x")
    loop.turn()
    assert got == [b"x"]
    loop.forget(read)
    os.write(write, b"y")
    loop.turn(0)
    assert got == [b"x"]
    loop.close()
    os.close(read)
    os.close(write)


def test_a_timer_bounds_the_wait() -> None:
    loop = EventLoop()
    done: list[int] = []
    loop.after(0.001, lambda: done.append(1))
    while not done:
        loop.turn()
    loop.close()
