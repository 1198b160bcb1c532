"""The token that this process sends with its requests: that of the file which $SPEEDDATA_TOKEN_FILE names.

The variable holds a path and no secret, as every child inherits it. The orchestrator sets it for what it starts.
"""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from speeddata.access import bearer

if TYPE_CHECKING:
    import requests

__all__ = ["VARIABLE", "authorize", "headers", "token_file"]

VARIABLE = "SPEEDDATA_TOKEN_FILE"


def token_file() -> Path | None:
    """The file that holds the token, if there is to be one."""
    return Path(named) if (named := os.environ.get(VARIABLE)) else None


def headers(file: Path | None = None) -> dict[str, str]:
    """What goes with a request: the token of `file`, else of the named one; nothing where there is none.

    TokenError if its file cannot be used.
    """
    return bearer(file or token_file())


def authorize(session: "requests.Session", file: Path | None = None) -> "requests.Session":
    """Have each request of a session carry the token (that of `file`), unless the session has a header of its own for it."""

    def add(request: "requests.PreparedRequest") -> "requests.PreparedRequest":
        if "Authorization" not in request.headers:
            request.headers.update(headers(file))
        return request

    session.auth = add
    return session
