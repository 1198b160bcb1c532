"""What the API answers when it cannot do what was asked: a status and one JSON object."""

from typing import Any

__all__ = ["ApiProblem", "shown", "wrong_value"]

MAX_SHOWN = 200  # characters of a value


class ApiProblem(Exception):
    """An answer other than success: `error` says what is wrong, `field` what of the request (None: all of it), `details` more.

    What else is given (`name`, `port`, `path` ...) is what SpeedData 0.6 told beside.
    """

    def __init__(
        self, status: int, error: str, *, field: str | None = None, details: str | None = None, **more: Any
    ) -> None:
        self.status = status
        self.body = {"error": error, "field": field, "details": error if details is None else details, **more}
        super().__init__(error)


def wrong_value(error: str, field: str, value: Any, wanted: str) -> ApiProblem:
    """400 for a value: names the field, what it is and what it should be."""
    told = shown(value)
    details = f"{field} is {told!r}, wanted {wanted}"
    return ApiProblem(400, error, field=field, value=told, wanted=wanted, details=details)


def shown(value: Any) -> str | int | float | bool | None:
    """A value as it stands in an answer."""
    told = value if isinstance(value, str | int | float | bool | None) else repr(value)
    if isinstance(told, str) and len(told) > MAX_SHOWN:
        told = told[: MAX_SHOWN - 3] + "..."
    return told
