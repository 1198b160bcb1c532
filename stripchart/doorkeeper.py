"""Who may connect: looked at before a connection becomes a WebSocket, and how many there may be."""

import http
import json
import logging
from collections.abc import Callable
from typing import Any

from websockets.asyncio.server import ServerConnection
from websockets.http11 import Request, Response

from speeddata.access import Access
from speeddata.host_names import Guard, host_of
from speeddata.stripchart.origin import is_allowed

STATUS_PATH = "/status"
OPENING_MAX = 200  # connections that have not asked for anything yet
# Of an answer that a browser shows: it is text, and no page is made of it.
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; connect-src 'none'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}

_log = logging.getLogger(__name__)


class Doorkeeper:
    """Refuses a handshake that names another host, that a page from elsewhere began, of nobody who may read, or that is one too many.

    It also answers what is no handshake.
    """

    def __init__(
        self,
        guard: Guard,
        on_loopback: bool,
        clients_max: int,
        metrics: Callable[[], dict[str, Any]],
        access: Access | None = None,
    ) -> None:
        self._guard = guard
        self._access = access or Access()
        self._on_loopback = on_loopback
        self._clients_max = clients_max
        self._metrics = metrics
        # Connections that have not asked for anything yet, oldest first, and those that were let in.
        self._opening: dict[ServerConnection, None] = {}
        self._inside: set[ServerConnection] = set()

    def knocks(self, connection: ServerConnection) -> None:
        """Note a new connection; where too many have not said what they want, the oldest is cut off."""
        self._opening[connection] = None
        if len(self._opening) > OPENING_MAX:
            oldest = next(iter(self._opening))
            del self._opening[oldest]
            oldest.transport.abort()

    def leaves(self, connection: ServerConnection) -> None:
        """Forget a connection."""
        self._opening.pop(connection, None)
        self._inside.discard(connection)

    def check(self, connection: ServerConnection, request: Request) -> Response | None:
        """Look at what a connection asks for; None lets it in."""
        self._opening.pop(connection, None)
        for name in ("Host", "Origin", "Authorization", "Cookie"):
            if len(request.headers.get_all(name)) > 1:
                return connection.respond(http.HTTPStatus.BAD_REQUEST, f"{name}: expected one, got several\n")
        host = request.headers.get("Host", "")
        if not self._guard.admits(host_of(host)):
            _log.warning("refused a request for %.200r", host)
            return connection.respond(http.HTTPStatus.BAD_REQUEST, f"{host} is not a name of this server\n")
        origin = request.headers.get("Origin")
        if not is_allowed(origin, host, self._on_loopback):
            _log.warning("refused a page of %.200r", origin)
            return connection.respond(http.HTTPStatus.FORBIDDEN, f"pages of {origin} may not connect here\n")
        refusal = self._access.refuse(
            "read", request.headers.get("Authorization"), request.headers.get("Cookie")
        )
        if refusal is not None:
            response = connection.respond(http.HTTPStatus(refusal.status), refusal.body["details"] + "\n")
            response.headers.update(refusal.headers)
            return response
        if request.path == STATUS_PATH:
            return self._status(connection)
        if len(self._inside) >= self._clients_max:
            text = f"{self._clients_max} clients are connected, and no more may be\n"
            return connection.respond(http.HTTPStatus.SERVICE_UNAVAILABLE, text)
        self._inside.add(connection)
        return None

    def _status(self, connection: ServerConnection) -> Response:
        """How the server and each of its clients do, as JSON for whoever asks by HTTP."""
        response = connection.respond(http.HTTPStatus.OK, json.dumps(self._metrics()) + "\n")
        del response.headers["Content-Type"]
        response.headers["Content-Type"] = "application/json"
        return response


def add_headers(_connection: ServerConnection, _request: Request, response: Response) -> None:
    """Have answers that are no handshakes taken for what they are."""
    if response.status_code != http.HTTPStatus.SWITCHING_PROTOCOLS:
        response.headers.update(HEADERS)


def connections_of(doorkeeper: Doorkeeper) -> type[ServerConnection]:
    """Connections that pass by a doorkeeper."""

    class Connection(ServerConnection):
        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            doorkeeper.knocks(self)

        def connection_lost(self, exc: Exception | None) -> None:
            doorkeeper.leaves(self)
            super().connection_lost(exc)

    return Connection
