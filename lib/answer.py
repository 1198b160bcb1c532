"""The answer of an API as commands read it: of bounded size and time, an object, and what it lacks is told in words."""

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import requests
import urllib3

__all__ = ["Answer", "read_answer"]

MAX_BYTES = 256 << 20  # ten thousand channels with all that is told of them are a tenth of that
LONGEST_S = 120.0  # for all of an answer, however it drips
PIECE = 1 << 16

Told = Callable[[str], Exception]  # makes of words what is raised


class Answer(dict[str, Any]):
    """A JSON object; who looks for a key that it does not have is told so in words."""

    def __init__(self, values: dict[str, Any], told: Told) -> None:
        super().__init__(values)
        self._told = told

    def __missing__(self, key: str) -> Any:
        raise self._told(f"its answer has no {key!r}")


def read_answer(
    response: requests.Response, told: Told, most: int = MAX_BYTES, longest_s: float = LONGEST_S
) -> Answer:
    """Read an answer that was asked for as a stream; what `told` makes if it is no JSON object, too large, or without end."""
    until, body = time.monotonic() + longest_s, bytearray()
    with response:
        for piece in _pieces(response.raw):
            body += piece
            if len(body) > most:
                raise told(f"its answer has more than {most:,} bytes")
            if time.monotonic() > until:
                raise told(f"its answer has not come to an end within {longest_s:g} s")
    try:
        found = json.loads(body, object_hook=lambda values: Answer(values, told))
    except (ValueError, RecursionError) as error:
        raise told(f"its answer is no JSON: {error}") from None
    if not isinstance(found, Answer):
        raise told("its answer is no JSON object")
    return found


def _pieces(raw: Any) -> Iterator[bytes]:
    """What comes, as it comes: what drips is not waited for until a piece is full."""
    read = getattr(raw, "read1", raw.read)  # not before version 2 of urllib3
    try:
        while piece := read(PIECE, decode_content=True):
            yield piece
    except urllib3.exceptions.HTTPError as error:
        raise requests.ConnectionError(error) from None
