"""Who may ask the history service for what: looked at before any route."""

import re

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from speeddata.access import Access

__all__ = ["Gate", "needed_role"]

READING = ("GET", "HEAD", "OPTIONS")
# What tells nothing of data.
OPEN = re.compile(r"/|/api/v1/health|/health|/docs(/.*)?|/openapi\.json", re.DOTALL)
# What asks by other methods; exports are made for who asks, and what they made is theirs to take away.
ASKING = re.compile(r"/api/v1/(query|sql|exports(/[^/]*)?)|/query", re.DOTALL)
CACHE = re.compile(r"/api/v1/cache(/.*)?|/cache/.*", re.DOTALL)


def needed_role(method: str, path: str) -> str | None:
    """`read`, `write` or `admin`; None where nobody is asked."""
    if OPEN.fullmatch(path):
        return None
    if method in READING or ASKING.fullmatch(path):
        return "read"
    return "admin" if CACHE.fullmatch(path) else "write"


class Gate:
    """Lets through who may."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self.app = app
        self.access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        role = needed_role(scope["method"], scope["path"]) if scope["type"] == "http" else None
        if role is not None:
            headers = Headers(scope=scope)
            refusal = self.access.refuse(role, headers.get("authorization"), headers.get("cookie"))
            if refusal is not None:
                await JSONResponse(refusal.body, refusal.status, refusal.headers)(scope, receive, send)
                return
        await self.app(scope, receive, send)
