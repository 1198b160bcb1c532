"""Signs of life: given by the loop that works, to who wants them, at no cost where nobody does."""

import asyncio
import os

import pytest

from speeddata import heartbeat
from speeddata.heartbeat import VARIABLE, Heartbeat, newest


@pytest.fixture
def pulse(monkeypatch):
    read, write = os.pipe2(os.O_NONBLOCK)
    monkeypatch.setenv(VARIABLE, str(write))
    yield read, write
    os.close(read)
    os.close(write)


def test_a_sign_is_given_once_a_second_at_most(pulse):
    one = Heartbeat()
    for _ in range(100):
        one.beat()
    assert os.read(pulse[0], 100) == b"\n"
    assert VARIABLE not in os.environ, "no child gives signs in its place"
    assert not os.get_inheritable(pulse[1])


def test_it_says_what_is_the_matter(pulse, monkeypatch):
    monkeypatch.setattr(heartbeat, "BEAT_S", 0)
    one = Heartbeat()
    one.beat("cannot hear\n239.255.0.1:\ud800\n")
    one.beat()
    one.beat("x" * 10_000)
    assert os.read(pulse[0], 10_000) == b"cannot hear 239.255.0.1:?\n\n" + b"x" * 500 + b"\n"


@pytest.mark.parametrize(
    ("signs", "said"),
    [(b"\n", ""), (b"a\n", "a"), (b"a\n\n", ""), (b"\na\nno \xff\n", "no \ufffd"), (b"", "")],
)
def test_the_newest_sign_counts(signs, said):
    assert newest(signs) == said


def test_nobody_need_be_there(pulse, monkeypatch):
    monkeypatch.setattr(heartbeat, "BEAT_S", 0)
    one = Heartbeat()
    for _ in range(70_000):
        one.beat()
    assert len(os.read(pulse[0], 100_000)) == 65536
    read = os.dup(pulse[0])
    os.dup2(pulse[1], pulse[0])
    os.close(read)
    one.beat()


def test_a_process_that_was_given_none_gives_none(monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    Heartbeat().beat()
    asyncio.run(asyncio.wait_for(Heartbeat().beating(), 1))
    monkeypatch.setenv(VARIABLE, "nonsense")
    Heartbeat().beat()


def test_a_loop_gives_them_while_it_turns(pulse, monkeypatch):
    monkeypatch.setattr(heartbeat, "BEAT_S", 0.01)

    async def work():
        task = asyncio.create_task(Heartbeat().beating())
        while len(seen) < 3:
            await asyncio.sleep(0.005)
            try:
                seen.extend(os.read(pulse[0], 100))
            except BlockingIOError:
                continue
        task.cancel()

    seen = []
    asyncio.run(asyncio.wait_for(work(), 10))
