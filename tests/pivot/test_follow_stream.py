import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from asgi_client import Client

from speeddata.pivot.follow_session import Message
from speeddata.pivot.follow_stream import FollowStream

LIMIT_S = 20


class Told:
    """A session that says what it is told to."""

    def __init__(self, *messages):
        self.left = list(messages)
        self.asked = 0
        self.closed = threading.Event()

    def messages(self):
        while True:
            self.asked += 1
            yield self.left.pop(0) if self.left else None

    def heartbeat(self):
        return Message("beat", True)

    def close(self):
        self.closed.set()


@pytest.fixture
def threads():
    with ThreadPoolExecutor(1) as pool:
        yield pool


def run(session, client_options, threads, stop_after=None, **changes):
    done = threading.Event()

    async def serve():
        client = Client(**client_options)
        options = {
            "heartbeat_s": 0.05,
            "stall_s": LIMIT_S,
            "stopping": lambda: stop_after == len(client.pieces),
        }
        stream = FollowStream(
            session,
            "application/x",
            lambda message: message.resume.encode(),
            threads,
            done=done.set,
            **(options | changes),
        )
        await asyncio.wait_for(stream({}, client.receive, client.send), LIMIT_S)
        return client

    client = asyncio.run(serve())
    assert session.closed.wait(LIMIT_S)
    assert done.wait(LIMIT_S)
    return client


def test_says_all_and_then_that_it_is_there(threads):
    session = Told(Message("a", False), None, Message("b", True))
    client = run(session, {"leaves_after": 4}, threads)
    assert client.pieces == [b"a", b"b", b"beat", b"beat"]
    assert (b"content-type", b"application/x") in client.events[0]["headers"]
    assert not any(name == b"content-length" for name, _ in client.events[0]["headers"])


def test_ends_well_when_the_service_stops(threads):
    client = run(Told(Message("a", False)), {}, threads, stop_after=1)
    assert client.events[-1]["more_body"] is False


def test_a_client_that_takes_nothing_is_left_and_nothing_is_read_ahead_for_it(threads):
    session = Told(*[Message("x", False)] * 100)
    client = run(session, {"stuck": True}, threads, stall_s=0.05)
    assert session.asked == 1
    assert client.pieces == []


def test_large_messages_go_in_pieces(threads):
    client = run(Told(Message("x" * 100_000, False)), {"leaves_after": 2}, threads)
    assert [len(piece) for piece in client.pieces] == [65536, 34464]
