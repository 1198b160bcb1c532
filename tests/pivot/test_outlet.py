import asyncio

import pytest
from asgi_client import Client

from speeddata.pivot import outlet as module
from speeddata.pivot.outlet import Outlet

LIMIT_S = 20


def run(client_options, data, last=b"", stall_s=LIMIT_S):
    async def ask():
        client = Client(**client_options)
        outlet = Outlet(client.receive, client.send, stall_s)
        try:
            await outlet.pass_on(data)
            await outlet.finish(last)
        finally:
            outlet.close()
        return [(event["body"], event["more_body"]) for event in client.events], outlet.gone

    return asyncio.run(asyncio.wait_for(ask(), LIMIT_S))


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch):
    monkeypatch.setattr(module, "PIECE", 4)


def test_a_body_goes_in_pieces_and_is_finished():
    pieces, gone = run({}, b"0123456789")
    assert pieces == [(b"0123", True), (b"4567", True), (b"89", True), (b"", False)]
    assert gone.cancelled()


def test_the_last_piece_says_that_it_is():
    assert run({}, b"0", b"123456789")[0] == [(b"0", True), (b"1234", True), (b"5678", True), (b"9", False)]
    assert run({}, b"", b"1234")[0] == [(b"1234", False)]


def test_who_has_gone_is_sent_no_more():
    pieces, gone = run({"leaves_after": 2}, b"0123456789")
    assert pieces == [(b"0123", True), (b"4567", True)]
    assert not gone.cancelled()


def test_who_takes_nothing_is_given_up():
    with pytest.raises(TimeoutError):
        run({"stuck": True}, b"0123456789", stall_s=0.01)
