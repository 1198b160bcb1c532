"""Requests and answers as they are on the wire."""

import json

import pytest

from speeddata.relay.ingest_protocol import Refusal, pack_answer, pack_request, read_head


def test_a_request_and_an_answer() -> None:
    packed = pack_request({"op": "append"}, b"xyz")
    assert packed == b"\x0f\0\0\0\x03\0\0\0" + b'{"op":"append"}' + b"xyz"
    answer = pack_answer({"ok": True})
    assert (answer[:4], json.loads(answer[4:])) == (b"\x0b\0\0\0", {"ok": True})


@pytest.mark.parametrize("data", [b"", b"{", b"null", b"[1]", b'"op"', b"{}", b"\xff"])
def test_what_is_no_head(data: bytes) -> None:
    with pytest.raises(Refusal) as caught:
        read_head(data)
    assert caught.value.body["status"] == 400
    assert read_head(b'{"op": "stats"}') == {"op": "stats"}
