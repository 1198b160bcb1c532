import asyncio
import gzip
import zlib

import pytest
import zstandard

from speeddata.pivot.ingest_body import BodyLimits, ClientGone, Gate, Incoming, receive_body, unpack_body
from speeddata.pivot.problem import Problem

SMALL = BodyLimits(bytes=1000, stall_s=0.05, rate=100.0, requests=2, held=1500)


def message(body=b"", more=False):
    return {"type": "http.request", "body": body, "more_body": more}


def receiver(*messages):
    """Gives messages one by one; a number waits for so many seconds, after the last it waits for ever."""
    left = list(messages)

    async def receive():
        while left and isinstance(left[0], float):
            await asyncio.sleep(left.pop(0))
        if not left:
            await asyncio.Event().wait()
        return left.pop(0)

    return receive


def receive(*messages, length=None, limits=SMALL, hold=lambda _: None):
    return asyncio.run(receive_body(receiver(*messages), length, limits.bytes, limits, hold))


def status(work):
    with pytest.raises(Problem) as caught:
        work()
    return caught.value.status


def test_a_body_in_one_piece_and_in_several():
    assert receive(message(b"abc")) == b"abc"
    assert receive(message(b"a", True), message(b"", True), message(b"bc")) == b"abc"
    assert receive(message()) == b""


def test_a_body_that_says_to_be_too_large_is_not_received():
    assert status(lambda: receive(length=1001)) == 413


def test_a_body_that_is_too_large_without_saying_so():
    taken = []
    pieces = [message(b"x" * 300, True)] * 10
    assert status(lambda: receive(*pieces, hold=taken.append)) == 413
    assert sum(taken) <= 1000


def test_a_body_that_does_not_go_on():
    assert status(lambda: receive(message(b"x", True))) == 408


def test_a_body_that_comes_slowly_but_steadily():
    pieces = [part for _ in range(40) for part in (0.02, message(b"x", True))]
    assert status(lambda: receive(*pieces)) == 408


def test_a_client_that_leaves():
    with pytest.raises(ClientGone):
        receive(message(b"x", True), {"type": "http.disconnect"})


def test_the_gate_counts_requests_and_bytes():
    gate = Gate(SMALL)
    gate.enter()
    gate.enter()
    assert status(gate.enter) == 429
    gate.hold(1000)
    assert status(lambda: gate.hold(501)) == 429
    gate.leave(1000)
    gate.enter()
    gate.hold(1500)
    assert (gate.requests, gate.held) == (2, 1500)


@pytest.mark.parametrize(
    ("messages", "more"),
    [
        ([message(b"x", True), message(b"y")], False),
        ([message(b"x", True), {"type": "http.disconnect"}], False),
        ([message(b"x", True)], True),
        ([message(b"x" * 100, True)] * 10, True),
    ],
)
def test_the_rest_of_a_body_is_thrown_away(messages, more):
    async def main():
        incoming = Incoming(receiver(*messages))
        await incoming.drain(0.05, 500)
        return incoming.more

    assert asyncio.run(main()) == more


@pytest.mark.parametrize("coding", [None, "", "identity", "gzip", "X-Gzip", "zstd"])
def test_codings(coding):
    data = b"some text " * 50
    packed = {"gzip": gzip.compress, "X-Gzip": gzip.compress, "zstd": zstandard.compress}.get(
        coding or "", bytes
    )(data)
    assert unpack_body(packed, coding, 1000) == data


def test_frames_that_do_not_tell_their_size_and_gzip_in_members():
    packer = zstandard.ZstdCompressor().compressobj()
    assert unpack_body(packer.compress(b"abc") + packer.flush(), "zstd", 3) == b"abc"
    assert unpack_body(gzip.compress(b"abc") + gzip.compress(b"def"), "gzip", 6) == b"abcdef"


def streamed(data):
    packer = zstandard.ZstdCompressor(level=19).compressobj()
    return packer.compress(data) + packer.flush()


@pytest.mark.parametrize(
    ("coding", "pack"), [("gzip", gzip.compress), ("zstd", zstandard.compress), ("zstd", streamed)]
)
def test_bombs_are_not_unpacked(coding, pack):
    bomb = pack(bytes(50_000_000))
    assert len(bomb) < 100_000
    assert status(lambda: unpack_body(bomb, coding, 1_000_000)) == 413


def test_a_bomb_in_many_members():
    assert status(lambda: unpack_body(gzip.compress(bytes(999)) * 1000, "gzip", 1000)) == 413


@pytest.mark.parametrize(
    ("coding", "data"),
    [
        ("gzip", b"no"),
        ("gzip", gzip.compress(b"abc", mtime=0)[:-1]),
        ("gzip", gzip.compress(b"abc", mtime=0) + b"more"),
        ("gzip", zlib.compress(b"abc")),
        ("zstd", b"no"),
        ("zstd", zstandard.compress(b"abc")[:-1]),
        ("zstd", zstandard.compress(b"abc") + b"more"),
        ("zstd", streamed(b"abc")[:-1]),
        ("zstd", b""),
    ],
)
def test_what_cannot_be_unpacked(coding, data):
    assert status(lambda: unpack_body(data, coding, 1000)) == 400


def test_unknown_codings_are_told_which_there_are():
    with pytest.raises(Problem) as caught:
        unpack_body(b"x", "br", 1000)
    assert caught.value.status == 415
    assert caught.value.headers == {"accept-encoding": "identity, gzip, zstd"}
