import asyncio

import pytest
from fastapi import Request

from speeddata.pivot.problem import Problem
from speeddata.pivot.request_body import read_body


def read(*pieces, largest=10, held=False):
    """Read a body that comes in these pieces; one that is held back never ends."""
    left = list(pieces)

    async def receive():
        if held and not left:
            await asyncio.Event().wait()
        return {"type": "http.request", "body": left.pop(0), "more_body": bool(left) or held}

    return asyncio.run(read_body(Request({"type": "http"}, receive), largest))


def test_a_body_is_put_together():
    assert read(b"one", b"", b"two") == b"onetwo"
    assert read(b"x" * 10) == b"x" * 10


def test_a_body_too_large_is_refused_before_all_of_it_came():
    with pytest.raises(Problem, match="larger than 10 bytes") as refused:
        read(b"12345", b"678901", held=True)
    assert refused.value.status == 413


def test_a_body_that_does_not_come_is_given_up(monkeypatch):
    monkeypatch.setattr("speeddata.pivot.request_body.BODY_S", 0.05)
    with pytest.raises(Problem, match="did not come") as refused:
        read(b"12", held=True)
    assert (refused.value.status, refused.value.body["bytes"]) == (408, 2)
