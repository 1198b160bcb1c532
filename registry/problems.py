"""What the API answers when it cannot do what was asked: a status and one JSON object."""

from typing import Any

__all__ = ["ApiProblem", "wrong_value"]


class ApiProblem(Exception):
    """An answer other than success; `error` is what SpeedData's clients look at, the rest says more."""

    def __init__(self, status: int, error: str, **more: Any) -> None:
        self.status = status
        self.body = {"error": error, **more}
        super().__init__(error)


def wrong_value(error: str, field: str, value: Any, wanted: str) -> ApiProblem:
    """400 for a value: names the field, what it is and what it should be."""
    shown = value if isinstance(value, str | int | float | bool | None) else repr(value)
    if isinstance(shown, str) and len(shown) > 200:
        shown = shown[:197] + "..."
    return ApiProblem(
        400, error, field=field, value=shown, wanted=wanted, details=f"{field}: wanted {wanted}"
    )
