"""Which pages of another origin may use the service: the registry's, which stand at another port of the same host."""

import ipaddress
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from speeddata.host_names import Guard, host_of

__all__ = ["CrossOrigin", "is_ours"]

PORTS = {"http": 80, "https": 443}
READING = ("GET", "HEAD", "OPTIONS")
METHODS = "GET, HEAD, POST, DELETE"
PREFLIGHT = {
    "access-control-allow-methods": METHODS,
    "access-control-allow-headers": "accept, content-type",
    "access-control-max-age": "600",
}
EXPOSED = "content-disposition, location, retry-after, x-speeddata-partial"


class CrossOrigin:
    """Lets the registry's pages read what is answered, and no page of elsewhere change anything.

    What a page of the service's own origin or a program asks is passed on as it is.
    """

    def __init__(self, app: ASGIApp, guard: Guard, registry: str | None) -> None:
        self.app = app
        self.guard = guard
        self.port = _port(registry or "")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope) if scope["type"] == "http" else Headers()
        origin, host = headers.get("origin"), headers.get("host", "")
        if origin is None or origin == f"{scope.get('scheme')}://{host}":
            await self.app(scope, receive, send)
        elif not is_ours(origin, host, self.port, self.guard):
            if scope["method"] in READING:
                await self.app(scope, receive, send)  # the browser does not show it to the page
            else:
                await JSONResponse({"error": "Origin not allowed", "origin": origin[:200]}, 403)(
                    scope, receive, send
                )
        elif scope["method"] == "OPTIONS" and "access-control-request-method" in headers:
            answer = Response(status_code=204, headers=PREFLIGHT | _told(origin))
            await answer(scope, receive, send)
        else:
            await self.app(scope, receive, _telling(origin, send))


def is_ours(origin: str, host: str, port: int | None, guard: Guard) -> bool:
    """Whether an Origin header is that of the registry, listening on `port`, of the host that a Host header names."""
    try:
        parts = urlsplit(origin)
        theirs, at = (parts.hostname or "").rstrip("."), parts.port or PORTS.get(parts.scheme)
    except ValueError:
        return False
    if parts.scheme not in PORTS or port is None or at != port or not guard.admits(theirs):
        return False
    ours = host_of(host).rstrip(".")
    return theirs == ours or (_is_loopback(theirs) and _is_loopback(ours))


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _port(address: str) -> int | None:
    try:
        parts = urlsplit(address)
        return parts.port or PORTS.get(parts.scheme)
    except ValueError:
        return None


def _told(origin: str) -> dict[str, str]:
    return {
        "access-control-allow-origin": origin,
        "access-control-allow-credentials": "true",  # the cookie of who has logged in on the registry's pages
        "access-control-expose-headers": EXPOSED,
        "vary": "Origin",
    }


def _telling(origin: str, send: Send) -> Send:
    """Send with the headers that let the origin's pages read the answer."""

    async def tell(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            vary = headers.get("vary")
            headers.update(_told(origin))
            if vary and "origin" not in vary.lower():
                headers["vary"] = f"{vary}, Origin"
        await send(message)

    return tell
