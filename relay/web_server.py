"""The registration API and pages, served by waitress in threads of the orchestrator."""

import contextlib
import errno
import logging
import socket
import threading
from typing import Any

import flask
import waitress.server
from waitress.channel import HTTPChannel

from speeddata.errors import RelayError
from speeddata.registry.routes_channels import MAX_BATCH

__all__ = ["WebServer", "bind"]

THREADS = 8
CONNECTIONS = 200  # beyond them the one that has asked for nothing for longest is closed
SPARE = 50  # connections that may be there meanwhile
REQUEST_LIMIT_S = 30  # for a request to come, from its first byte or the end of the one before
CLEANUP_S = 5
BACKLOG = 1024
GRACE_S = 1  # for the requests in hand when it is closed


def bind(host: str, port: int) -> socket.socket:
    """Take a TCP port; RelayError when it cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(BACKLOG)  # from here on the port is ours
    except OSError as error:
        listener.close()
        reason = "is in use" if error.errno == errno.EADDRINUSE else f"cannot be had: {error.strerror}"
        raise RelayError(f"port {port} on {host} {reason}") from None
    return listener


class _Connection(HTTPChannel):
    """A connection whose time runs out if a request comes by drops: only whole requests count as activity.

    One too many takes the place of another, so that nobody keeps others out by many that never ask for anything.
    """

    def __init__(self, server: Any, *arguments: Any, **options: Any) -> None:
        super().__init__(server, *arguments, **options)
        others = [one for one in server.active_channels.values() if not one.will_close]
        if len(others) > CONNECTIONS:
            idle = [one for one in others if not one.requests]
            min(idle, key=lambda one: one.last_activity).will_close = True

    def handle_read(self) -> None:
        since = self.last_activity
        super().handle_read()
        if self.request is not None:
            self.last_activity = since


class WebServer:
    """Serves an application on a bound socket until closed."""

    def __init__(self, app: flask.Flask, listener: socket.socket) -> None:
        # That requests queue is no news; that one fails, the application logs itself.
        logging.getLogger("waitress").setLevel(logging.ERROR)
        server = waitress.server.create_server(
            app,
            sockets=[listener],
            threads=THREADS,
            connection_limit=CONNECTIONS + SPARE,
            channel_timeout=REQUEST_LIMIT_S,
            cleanup_interval=CLEANUP_S,
            asyncore_use_poll=True,
            max_request_header_size=32 << 10,
            # Beyond the application's own limit, which answers in JSON.
            max_request_body_size=2 * MAX_BATCH,
            ident="speeddata",
        )
        assert isinstance(server, waitress.server.BaseWSGIServer), "there is one socket"
        server.channel_class = _Connection
        self._server = server
        self._listener = listener
        self._thread = threading.Thread(target=self._server.run, name="web", daemon=True)

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def close(self) -> None:
        """Take no more connections, let the requests in hand finish."""
        # A thread that waits on it keeps a closed socket listening; one that is shut down does not listen.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        # First the workers, which wake the server by what its closing takes away.
        self._server.task_dispatcher.shutdown(cancel_pending=True, timeout=GRACE_S)
        # A worker that is late would wake it by a descriptor that is closed, or is something else by then.
        self._server.pull_trigger = lambda: None  # type: ignore[method-assign]
        self._server.close()
