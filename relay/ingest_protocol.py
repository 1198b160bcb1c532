"""What is spoken on the shared relay's socket: requests of a head in JSON and a body, answered by JSON.

request   u32 bytes of the head, u32 bytes of the body (little-endian), the head, the body
answer    u32 bytes, JSON
"""

import json
import struct
from typing import Any

__all__ = [
    "ANSWER",
    "MAX_BODY",
    "MAX_HEAD",
    "REQUEST",
    "SOCKET",
    "Refusal",
    "encode",
    "pack_answer",
    "pack_request",
    "read_head",
]

SOCKET = "ingest.sock"  # in the run folder
REQUEST = struct.Struct("<II")
ANSWER = struct.Struct("<I")
# JSON without spaces; made once, which takes longer than what it does.
encode = json.JSONEncoder(separators=(",", ":")).encode
MAX_HEAD = 8 << 20
MAX_BODY = 64 << 20


class Refusal(Exception):
    """A request that is not carried out: a status as HTTP has it, why, and more about it."""

    def __init__(self, status: int, error: str, **more: Any) -> None:
        self.status = status
        self.body = {"ok": False, "status": status, "error": error, **more}
        super().__init__(error)


def pack_request(head: dict[str, Any], body: bytes = b"") -> bytes:
    """Make a request."""
    packed = encode(head).encode()
    return REQUEST.pack(len(packed), len(body)) + packed + body


def pack_answer(answer: dict[str, Any]) -> bytes:
    """Make an answer."""
    packed = encode(answer).encode()
    return ANSWER.pack(len(packed)) + packed


def read_head(data: bytes) -> dict[str, Any]:
    """The head of a request; Refusal when it is none."""
    try:
        head = json.loads(data)
        head["op"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise Refusal(400, "not a request", wanted='a JSON object with "op"') from None
    if not isinstance(head, dict):
        raise Refusal(400, "not a request", wanted='a JSON object with "op"')
    return head
