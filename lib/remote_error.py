"""What a service answers when it does not do what it was asked."""

import json
from typing import Any

from speeddata.errors import SpeedDataError

__all__ = ["RemoteError"]


class RemoteError(SpeedDataError):
    """An answer other than success: `status` is that of HTTP, the message the words of the service.

    `details` is the JSON object that it sent (empty where it sent none): beside `error` it names such as the field.
    """

    def __init__(self, status: int, message: str, details: dict[str, Any] | None = None) -> None:
        self.status = status
        self.details = details or {}
        super().__init__(message)

    @classmethod
    def of(cls, status: int, body: bytes, where: str) -> "RemoteError":
        """Make it of the body of an answer; `where` is what was asked."""
        try:
            details = json.loads(body)
            said = details["error"]
        except (ValueError, KeyError, TypeError, RecursionError):
            details, said = {}, body[:300].decode(errors="replace").strip() or "no reason told"
        more = ", ".join(f"{key}: {value}" for key, value in details.items() if key != "error")
        return cls(status, f"{where}: {status} {said}" + (f" ({more[:500]})" if more else ""), details)
