"""A request that cannot be served: what the client is told."""

from typing import Any

__all__ = ["Problem"]


class Problem(Exception):
    """An answer other than 200: a status, and a JSON object whose `error` says what is wrong."""

    def __init__(
        self, status: int, error: str, headers: dict[str, str] | None = None, **details: Any
    ) -> None:
        self.status = status
        self.body = {"error": error, **details}
        self.headers = headers
        super().__init__(error)
