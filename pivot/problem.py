"""A request that cannot be served: what the client is told."""

import difflib
import math
from collections.abc import Iterable
from typing import Any

__all__ = ["Problem", "twice", "unknown", "wrong"]

MAX_NAME = 40  # characters of a name that are told
MAX_VALUE = 200  # and of a value


class Problem(Exception):
    """An answer other than 200: a status, and a JSON object whose `error` says what is wrong."""

    def __init__(
        self, status: int, error: str, headers: dict[str, str] | None = None, **details: Any
    ) -> None:
        self.status = status
        self.body = {"error": error, **details}
        self.headers = headers
        super().__init__(error)


def wrong(field: str, value: object, wanted: str, error: str = "") -> Problem:
    """A value that a parameter cannot have, and what was wanted; `error`: the words for it, where they are known better."""
    told = _told(value)
    shown = repr(told) if isinstance(value, str) else str(told)
    words = error or f"{shown}, wanted {wanted}"
    return Problem(400, f"Invalid {field}: {words}", field=field, value=told, wanted=wanted)


def unknown(name: str, value: object, known: Iterable[str]) -> Problem:
    """A parameter that there is not; of those that are `known` the nearest is told, if one is near."""
    names = list(known)
    near = difflib.get_close_matches(name, names, n=1)
    wanted = near[0] if near else f"one of {', '.join(names)}"
    told = name[:MAX_NAME]
    return Problem(
        400, f"Unknown parameter {told!r}, wanted {wanted}", field=told, value=_told(value), wanted=wanted
    )


def twice(name: str, value: object) -> Problem:
    """A parameter that is given twice."""
    return wrong(name, value, "one", "it is given twice, wanted one")


def _told(value: object) -> object:
    """A value as it stands in an answer: short, and JSON can have it."""
    plain = value is None or isinstance(value, bool)
    plain = plain or (isinstance(value, int | float) and math.isfinite(value) and abs(value) < 2**53)
    if plain:
        return value
    text = (value if isinstance(value, str) else repr(value)).encode(errors="replace").decode()
    return text if len(text) <= MAX_VALUE else f"{text[:MAX_VALUE]}..."
